# Finds hiredis, which the backplane over Redis formats and parses with.
# Sets hubbub_hiredis_FOUND and hubbub_hiredis_REASON, and makes the target hubbub::hiredis.
# Look elsewhere: -DHUBBUB_HIREDIS_INCLUDE_DIR=DIRECTORY (the one that contains hiredis/hiredis.h) and -DHUBBUB_HIREDIS_LIBRARY=FILE.

find_path(HUBBUB_HIREDIS_INCLUDE_DIR NAMES hiredis/hiredis.h DOC "Directory that contains hiredis/hiredis.h")
find_library(HUBBUB_HIREDIS_LIBRARY NAMES hiredis DOC "The library hiredis")
mark_as_advanced(HUBBUB_HIREDIS_INCLUDE_DIR HUBBUB_HIREDIS_LIBRARY)

set(hubbub_hiredis_LEAST 0.14)
set(hubbub_hiredis_FOUND FALSE)
set(hubbub_hiredis_REASON "")
set(_hubbub_hiredis_version "")
if(HUBBUB_HIREDIS_INCLUDE_DIR)
    foreach(_hubbub_part IN ITEMS MAJOR MINOR)
        file(STRINGS "${HUBBUB_HIREDIS_INCLUDE_DIR}/hiredis/hiredis.h" _hubbub_line
            REGEX "^#define HIREDIS_${_hubbub_part} [0-9]+" LIMIT_COUNT 1)
        string(REGEX REPLACE "^.* ([0-9]+).*$" "\\1" _hubbub_line "${_hubbub_line}")
        list(APPEND _hubbub_hiredis_version "${_hubbub_line}")
    endforeach()
    list(JOIN _hubbub_hiredis_version "." _hubbub_hiredis_version)
endif()
if(NOT HUBBUB_HIREDIS_INCLUDE_DIR OR NOT HUBBUB_HIREDIS_LIBRARY)
    set(hubbub_hiredis_REASON "hiredis was not found: install libhiredis-dev (${hubbub_hiredis_LEAST} or later), or set \
HUBBUB_HIREDIS_INCLUDE_DIR and HUBBUB_HIREDIS_LIBRARY")
elseif(_hubbub_hiredis_version VERSION_LESS hubbub_hiredis_LEAST)
    set(hubbub_hiredis_REASON "hiredis in ${HUBBUB_HIREDIS_INCLUDE_DIR} is older than ${hubbub_hiredis_LEAST}")
else()
    set(hubbub_hiredis_FOUND TRUE)
    if(NOT TARGET hubbub::hiredis)
        add_library(hubbub::hiredis INTERFACE IMPORTED)
        set_target_properties(hubbub::hiredis PROPERTIES
            INTERFACE_INCLUDE_DIRECTORIES "${HUBBUB_HIREDIS_INCLUDE_DIR}"
            INTERFACE_LINK_LIBRARIES "${HUBBUB_HIREDIS_LIBRARY}")
    endif()
endif()
unset(_hubbub_part)
unset(_hubbub_line)
unset(_hubbub_hiredis_version)
