# Finds the headers of websocketpp; to be included behind hubbub_find_asio.cmake, whose Asio its server uses.
# Sets hubbub_websocketpp_FOUND and hubbub_websocketpp_REASON, and makes the target hubbub::websocketpp_headers.
# Look elsewhere: -DHUBBUB_WEBSOCKETPP_INCLUDE_DIR=DIRECTORY (the one that contains websocketpp/version.hpp).

find_path(HUBBUB_WEBSOCKETPP_INCLUDE_DIR NAMES websocketpp/version.hpp DOC "Directory that contains websocketpp/version.hpp")
mark_as_advanced(HUBBUB_WEBSOCKETPP_INCLUDE_DIR)

set(hubbub_websocketpp_FOUND FALSE)
set(hubbub_websocketpp_REASON "")
if(NOT HUBBUB_WEBSOCKETPP_INCLUDE_DIR)
    set(hubbub_websocketpp_REASON "websocketpp was not found: install libwebsocketpp-dev or set HUBBUB_WEBSOCKETPP_INCLUDE_DIR to the \
directory that has websocketpp/version.hpp in it")
elseif(NOT EXISTS "${HUBBUB_ASIO_INCLUDE_DIR}/asio/io_service.hpp")
    set(hubbub_websocketpp_REASON "websocketpp needs an Asio before 1.33, which took io_service away: set HUBBUB_ASIO_INCLUDE_DIR to \
one that has asio/io_service.hpp")
else()
    set(hubbub_websocketpp_FOUND TRUE)
    if(NOT TARGET hubbub::websocketpp_headers)
        add_library(hubbub::websocketpp_headers INTERFACE IMPORTED)
        set_target_properties(hubbub::websocketpp_headers PROPERTIES
            INTERFACE_INCLUDE_DIRECTORIES "${HUBBUB_WEBSOCKETPP_INCLUDE_DIR}")
    endif()
endif()
