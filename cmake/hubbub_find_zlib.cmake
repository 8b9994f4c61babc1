# Finds zlib, for permessage-deflate. Sets hubbub_zlib_FOUND and hubbub_zlib_REASON, and makes the target ZLIB::ZLIB.
# Look elsewhere: -DZLIB_ROOT=DIRECTORY.

set(hubbub_zlib_LEAST 1.2.9)  # raw streams can be reminded of what was before
find_package(ZLIB ${hubbub_zlib_LEAST} QUIET)

set(hubbub_zlib_FOUND FALSE)
set(hubbub_zlib_REASON "")
if(ZLIB_FOUND)
    set(hubbub_zlib_FOUND TRUE)
else()
    set(hubbub_zlib_REASON "zlib was not found: install zlib1g-dev (${hubbub_zlib_LEAST} or later), or set ZLIB_ROOT")
endif()
