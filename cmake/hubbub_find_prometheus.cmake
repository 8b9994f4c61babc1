# Finds the core of prometheus-cpp, which writes the text that a Prometheus server reads. Not through its CMake package, which wants all
# that its other parts need.
# Sets hubbub_prometheus_FOUND and hubbub_prometheus_REASON, and makes the target hubbub::prometheus_core.
# Look elsewhere: -DHUBBUB_PROMETHEUS_INCLUDE_DIR=DIRECTORY (the one that contains prometheus/text_serializer.h) and
# -DHUBBUB_PROMETHEUS_LIBRARY=FILE.

find_path(HUBBUB_PROMETHEUS_INCLUDE_DIR NAMES prometheus/text_serializer.h
    DOC "Directory that contains prometheus/text_serializer.h (prometheus-cpp)")
find_library(HUBBUB_PROMETHEUS_LIBRARY NAMES prometheus-cpp-core DOC "The core library of prometheus-cpp")
mark_as_advanced(HUBBUB_PROMETHEUS_INCLUDE_DIR HUBBUB_PROMETHEUS_LIBRARY)

set(hubbub_prometheus_FOUND FALSE)
set(hubbub_prometheus_REASON "")
if(NOT HUBBUB_PROMETHEUS_INCLUDE_DIR OR NOT HUBBUB_PROMETHEUS_LIBRARY)
    set(hubbub_prometheus_REASON "prometheus-cpp was not found: install prometheus-cpp-dev (1.0 or later), or set \
HUBBUB_PROMETHEUS_INCLUDE_DIR and HUBBUB_PROMETHEUS_LIBRARY")
else()
    set(hubbub_prometheus_FOUND TRUE)
    if(NOT TARGET hubbub::prometheus_core)
        add_library(hubbub::prometheus_core INTERFACE IMPORTED)
        set_target_properties(hubbub::prometheus_core PROPERTIES
            INTERFACE_INCLUDE_DIRECTORIES "${HUBBUB_PROMETHEUS_INCLUDE_DIR}"
            INTERFACE_LINK_LIBRARIES "${HUBBUB_PROMETHEUS_LIBRARY}")
    endif()
endif()
