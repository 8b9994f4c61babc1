# hubbub::hubbub, and a target for each folder that has a dependency of its own.

set(_hubbub_include "${PROJECT_SOURCE_DIR}/include")

# Folders (below include/hubbub) that belong to a component; what is left belongs to hubbub::hubbub.
set(hubbub_folders_tcp transport/tcp server)
set(hubbub_components tcp)

file(GLOB_RECURSE _hubbub_headers CONFIGURE_DEPENDS "${_hubbub_include}/hubbub/*.hpp")
foreach(_component IN LISTS hubbub_components)
    set(_hubbub_headers_${_component} "")
    foreach(_folder IN LISTS hubbub_folders_${_component})
        set(_in_folder ${_hubbub_headers})
        list(FILTER _in_folder INCLUDE REGEX "^${_hubbub_include}/hubbub/${_folder}/")
        list(FILTER _hubbub_headers EXCLUDE REGEX "^${_hubbub_include}/hubbub/${_folder}/")
        list(APPEND _hubbub_headers_${_component} ${_in_folder})
    endforeach()
endforeach()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

add_library(hubbub_hubbub INTERFACE)
add_library(hubbub::hubbub ALIAS hubbub_hubbub)
set_target_properties(hubbub_hubbub PROPERTIES EXPORT_NAME hubbub)
target_compile_features(hubbub_hubbub INTERFACE cxx_std_20)
target_link_libraries(hubbub_hubbub INTERFACE Threads::Threads)
target_sources(hubbub_hubbub INTERFACE FILE_SET HEADERS BASE_DIRS "${_hubbub_include}" FILES ${_hubbub_headers})

# The target exists even where Asio is missing, so that it can be installed there; its public name does not.
add_library(hubbub_tcp INTERFACE)
set_target_properties(hubbub_tcp PROPERTIES EXPORT_NAME tcp)
target_link_libraries(hubbub_tcp INTERFACE hubbub_hubbub hubbub::standalone_asio)
target_compile_definitions(hubbub_tcp INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED)
target_sources(hubbub_tcp INTERFACE FILE_SET HEADERS BASE_DIRS "${_hubbub_include}" FILES ${_hubbub_headers_tcp})
include(hubbub_find_asio)
if(hubbub_asio_FOUND)
    add_library(hubbub::tcp ALIAS hubbub_tcp)
else()
    message(STATUS "hubbub: without hubbub::tcp, because ${hubbub_asio_REASON}")
endif()
