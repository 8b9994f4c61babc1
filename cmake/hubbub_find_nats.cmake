# Finds nats.c, for NatsBackplane.
# Sets hubbub_nats_FOUND and hubbub_nats_REASON, and makes the target hubbub::nats_c.
# Look elsewhere: -DHUBBUB_NATS_INCLUDE_DIR=DIRECTORY (the one that contains nats/nats.h) and -DHUBBUB_NATS_LIBRARY=FILE.

find_path(HUBBUB_NATS_INCLUDE_DIR NAMES nats/nats.h DOC "Directory that contains nats/nats.h")
find_library(HUBBUB_NATS_LIBRARY NAMES nats DOC "The library nats.c")
mark_as_advanced(HUBBUB_NATS_INCLUDE_DIR HUBBUB_NATS_LIBRARY)

set(hubbub_nats_FOUND FALSE)
set(hubbub_nats_REASON "")
# The least version that is tried: 3.4.
set(_hubbub_has_nats "")
if(HUBBUB_NATS_INCLUDE_DIR AND EXISTS "${HUBBUB_NATS_INCLUDE_DIR}/nats/version.h")
    file(STRINGS "${HUBBUB_NATS_INCLUDE_DIR}/nats/version.h" _hubbub_has_nats REGEX "define NATS_VERSION_STRING" LIMIT_COUNT 1)
    string(REGEX REPLACE ".*\"([0-9.]+).*" "\\1" _hubbub_has_nats "${_hubbub_has_nats}")
endif()
if(NOT HUBBUB_NATS_INCLUDE_DIR OR NOT HUBBUB_NATS_LIBRARY)
    set(hubbub_nats_REASON "nats.c was not found: install libnats-dev (3.4 or later), or set HUBBUB_NATS_INCLUDE_DIR and \
HUBBUB_NATS_LIBRARY")
elseif(_hubbub_has_nats VERSION_LESS 3.4)
    set(hubbub_nats_REASON "nats.c in ${HUBBUB_NATS_INCLUDE_DIR} is older than 3.4")
else()
    set(hubbub_nats_FOUND TRUE)
    if(NOT TARGET hubbub::nats_c)
        add_library(hubbub::nats_c INTERFACE IMPORTED)
        set_target_properties(hubbub::nats_c PROPERTIES
            INTERFACE_INCLUDE_DIRECTORIES "${HUBBUB_NATS_INCLUDE_DIR}"
            INTERFACE_LINK_LIBRARIES "${HUBBUB_NATS_LIBRARY}")
    endif()
endif()
unset(_hubbub_has_nats)
