# Finds Standalone Asio, which has neither a CMake nor a pkg-config file in most distributions.
# Sets hubbub_asio_FOUND and hubbub_asio_REASON, and makes the target hubbub::standalone_asio.
# Look elsewhere: -DHUBBUB_ASIO_INCLUDE_DIR=DIRECTORY (the one that contains asio.hpp).

find_path(HUBBUB_ASIO_INCLUDE_DIR NAMES asio/io_context.hpp DOC "Directory that contains asio.hpp (Standalone Asio)")
mark_as_advanced(HUBBUB_ASIO_INCLUDE_DIR)

set(hubbub_asio_FOUND FALSE)
set(hubbub_asio_REASON "")
if(NOT HUBBUB_ASIO_INCLUDE_DIR)
    set(hubbub_asio_REASON
        "Standalone Asio was not found: install libasio-dev or set HUBBUB_ASIO_INCLUDE_DIR to the directory of asio.hpp")
else()
    set(hubbub_asio_FOUND TRUE)
    if(NOT TARGET hubbub::standalone_asio)
        find_package(Threads REQUIRED)
        add_library(hubbub::standalone_asio INTERFACE IMPORTED)
        set_target_properties(hubbub::standalone_asio PROPERTIES
            INTERFACE_INCLUDE_DIRECTORIES "${HUBBUB_ASIO_INCLUDE_DIR}"
            INTERFACE_LINK_LIBRARIES Threads::Threads)
    endif()
endif()
