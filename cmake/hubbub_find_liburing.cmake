# Finds liburing, for the uring engine.
# Sets hubbub_liburing_FOUND and hubbub_liburing_REASON, and makes the target hubbub::liburing.
# Look elsewhere: -DHUBBUB_LIBURING_INCLUDE_DIR=DIRECTORY (the one that contains liburing.h) and -DHUBBUB_LIBURING_LIBRARY=FILE.

find_path(HUBBUB_LIBURING_INCLUDE_DIR NAMES liburing.h DOC "Directory that contains liburing.h")
find_library(HUBBUB_LIBURING_LIBRARY NAMES uring DOC "The library liburing")
mark_as_advanced(HUBBUB_LIBURING_INCLUDE_DIR HUBBUB_LIBURING_LIBRARY)

set(hubbub_liburing_FOUND FALSE)
set(hubbub_liburing_REASON "")
set(_hubbub_has_sync_cancel FALSE)
if(HUBBUB_LIBURING_INCLUDE_DIR)
    # Its functions came with 2.3, and the header has no version before 2.4.
    file(STRINGS "${HUBBUB_LIBURING_INCLUDE_DIR}/liburing.h" _hubbub_has_sync_cancel REGEX "io_uring_register_sync_cancel" LIMIT_COUNT 1)
endif()
if(NOT HUBBUB_LIBURING_INCLUDE_DIR OR NOT HUBBUB_LIBURING_LIBRARY)
    set(hubbub_liburing_REASON "liburing was not found: install liburing-dev (2.3 or later), or set HUBBUB_LIBURING_INCLUDE_DIR \
and HUBBUB_LIBURING_LIBRARY")
elseif(NOT _hubbub_has_sync_cancel)
    set(hubbub_liburing_REASON "liburing in ${HUBBUB_LIBURING_INCLUDE_DIR} is older than 2.3")
else()
    set(hubbub_liburing_FOUND TRUE)
    if(NOT TARGET hubbub::liburing)
        add_library(hubbub::liburing INTERFACE IMPORTED)
        set_target_properties(hubbub::liburing PROPERTIES
            INTERFACE_INCLUDE_DIRECTORIES "${HUBBUB_LIBURING_INCLUDE_DIR}"
            INTERFACE_LINK_LIBRARIES "${HUBBUB_LIBURING_LIBRARY}")
    endif()
endif()
unset(_hubbub_has_sync_cancel)
