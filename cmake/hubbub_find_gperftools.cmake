# Finds the profiler of gperftools. Sets hubbub_gperftools_FOUND and hubbub_gperftools_REASON, and makes the target hubbub::libprofiler.
# Look elsewhere: -DHUBBUB_GPERFTOOLS_INCLUDE_DIR=DIRECTORY (the one that contains gperftools/malloc_extension.h) and
# -DHUBBUB_PROFILER_LIBRARY=FILE.

find_path(HUBBUB_GPERFTOOLS_INCLUDE_DIR NAMES gperftools/malloc_extension.h DOC "Directory that contains gperftools/malloc_extension.h")
find_library(HUBBUB_PROFILER_LIBRARY NAMES profiler DOC "The library libprofiler of gperftools")
mark_as_advanced(HUBBUB_GPERFTOOLS_INCLUDE_DIR HUBBUB_PROFILER_LIBRARY)

set(hubbub_gperftools_FOUND FALSE)
set(hubbub_gperftools_REASON "")
if(NOT HUBBUB_GPERFTOOLS_INCLUDE_DIR OR NOT HUBBUB_PROFILER_LIBRARY)
    set(hubbub_gperftools_REASON "gperftools was not found: install libgoogle-perftools-dev, or set HUBBUB_GPERFTOOLS_INCLUDE_DIR and \
HUBBUB_PROFILER_LIBRARY")
else()
    set(hubbub_gperftools_FOUND TRUE)
    if(NOT TARGET hubbub::libprofiler)
        add_library(hubbub::libprofiler INTERFACE IMPORTED)
        # The headers name it weakly, so that they do without it. A linker that leaves out what nobody needs would leave it out; the
        # commas make one argument, which nothing can come between.
        set_target_properties(hubbub::libprofiler PROPERTIES
            INTERFACE_INCLUDE_DIRECTORIES "${HUBBUB_GPERFTOOLS_INCLUDE_DIR}"
            INTERFACE_LINK_LIBRARIES "-Wl,--push-state,--no-as-needed,${HUBBUB_PROFILER_LIBRARY},--pop-state;${CMAKE_DL_LIBS}")
    endif()
endif()
