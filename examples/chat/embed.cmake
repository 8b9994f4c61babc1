# Makes page_files.hpp of the files in page/ and the client in JavaScript, and a target chat_page that brings it: link it, include
# "page_files.hpp". A file that changes is embedded anew by the next build.
cmake_minimum_required(VERSION 3.25)

file(GLOB _files CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/page/*")
# From the repository, or from where hubbub is installed; a copy in page/ goes before both.
if(NOT EXISTS "${CMAKE_CURRENT_LIST_DIR}/page/hubbub.js")
    find_file(HUBBUB_JS hubbub.js NO_CACHE REQUIRED NO_CMAKE_FIND_ROOT_PATH
        PATHS "${CMAKE_CURRENT_LIST_DIR}/../../clients/js" "${hubbub_DIR}/../../hubbub/js" NO_DEFAULT_PATH)
    list(APPEND _files "${HUBBUB_JS}")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_files})
set(_header "#pragma once\n\n#include <string_view>\n\n")
string(APPEND _header "struct PageFile {\n    std::string_view name, content;\n};\ninline constexpr PageFile page_files[] = {\n")
foreach(_file IN LISTS _files)
    cmake_path(GET _file FILENAME _name)
    file(READ "${_file}" _content)
    string(APPEND _header "{\"${_name}\", R\"page_file(${_content})page_file\"},\n")
endforeach()
string(APPEND _header "};\n")
set(_folder "${CMAKE_CURRENT_BINARY_DIR}/chat_page")
file(WRITE "${_folder}/new.txt" "${_header}")
file(COPY_FILE "${_folder}/new.txt" "${_folder}/page_files.hpp" ONLY_IF_DIFFERENT)

add_library(chat_page INTERFACE)
target_include_directories(chat_page INTERFACE "${_folder}")
