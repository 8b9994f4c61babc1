# hubbub::hubbub, and a target for each component.

include(hubbub_components)
set(_hubbub_include "${PROJECT_SOURCE_DIR}/include")

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

if(HUBBUB_USDT)
    include(CheckIncludeFileCXX)
    check_include_file_cxx(sys/sdt.h HUBBUB_HAS_SDT)
    if(NOT HUBBUB_HAS_SDT)
        message(FATAL_ERROR "hubbub: HUBBUB_USDT needs sys/sdt.h: install systemtap-sdt-dev")
    endif()
    target_compile_definitions(hubbub_hubbub INTERFACE HUBBUB_USDT)
endif()

# hubbub_add_component(NAME DESCRIPTION [LINKS target...] [DEFINES macro...] [REQUIRES text] [CFLAGS flag...] [LIBS flag...])
# A target exists even where something that it needs is missing, so that it can be installed there; its public name does not. The
# last three are for pkg-config, which gets what the component is made of by itself.
function(hubbub_add_component _name _description)
    cmake_parse_arguments(_its "" "" "LINKS;DEFINES;REQUIRES;CFLAGS;LIBS" ${ARGN})
    set(_uses ${hubbub_uses_${_name}})
    set(_requires "")
    foreach(_used IN LISTS _uses)
        list(APPEND _requires "hubbub-${_used} = ${PROJECT_VERSION}")
    endforeach()
    list(TRANSFORM _uses PREPEND hubbub_)
    if(NOT _uses)
        set(_uses hubbub_hubbub)
    endif()
    add_library(hubbub_${_name} INTERFACE)
    set_target_properties(hubbub_${_name} PROPERTIES EXPORT_NAME ${_name})
    target_link_libraries(hubbub_${_name} INTERFACE ${_uses} ${_its_LINKS})
    target_compile_definitions(hubbub_${_name} INTERFACE ${_its_DEFINES})
    target_sources(hubbub_${_name} INTERFACE
        FILE_SET HEADERS BASE_DIRS "${_hubbub_include}" FILES ${_hubbub_headers_${_name}})
    if(hubbub_${_name}_REASON)
        message(STATUS "hubbub: without hubbub::${_name}, because ${hubbub_${_name}_REASON}")
    else()
        add_library(hubbub::${_name} ALIAS hubbub_${_name})
    endif()

    list(APPEND _requires ${_its_REQUIRES})
    list(TRANSFORM _its_DEFINES PREPEND -D)
    list(JOIN _requires " " _requires)
    string(JOIN " " _cflags ${_its_DEFINES} ${_its_CFLAGS})
    list(JOIN _its_LIBS " " _libs)
    set(hubbub_pkg_config_description_${_name} "${_description}" PARENT_SCOPE)
    set(hubbub_pkg_config_requires_${_name} "${_requires}" PARENT_SCOPE)
    set(hubbub_pkg_config_cflags_${_name} "${_cflags}" PARENT_SCOPE)
    set(hubbub_pkg_config_libs_${_name} "${_libs}" PARENT_SCOPE)
endfunction()

# -I for a directory where the compiler does not look by itself.
function(hubbub_include_flag _variable _directory)
    if(_directory AND NOT _directory IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
        set(${_variable} "-I${_directory}" PARENT_SCOPE)
    else()
        set(${_variable} "" PARENT_SCOPE)
    endif()
endfunction()

foreach(_component IN LISTS hubbub_components)
    hubbub_find_needs(${_component})
endforeach()
hubbub_include_flag(_asio "${HUBBUB_ASIO_INCLUDE_DIR}")
hubbub_include_flag(_websocketpp "${HUBBUB_WEBSOCKETPP_INCLUDE_DIR}")

hubbub_add_component(tcp "sockets and a server, with Standalone Asio"
    LINKS hubbub::standalone_asio DEFINES ASIO_STANDALONE CFLAGS ${_asio})
# Whoever links it has one engine more behind TcpConnection.
hubbub_add_component(uring "an engine on io_uring for its sockets, with liburing"
    LINKS hubbub::liburing DEFINES HUBBUB_HAS_URING REQUIRES "liburing >= 2.3")
# Whoever links it has certificates in ServerOptions.
hubbub_add_component(tls "TLS for its sockets, with OpenSSL"
    LINKS OpenSSL::SSL DEFINES HUBBUB_HAS_TLS REQUIRES "openssl >= ${hubbub_openssl_LEAST}")
hubbub_add_component(json "typed messages and a subprotocol, with nlohmann_json"
    LINKS nlohmann_json::nlohmann_json REQUIRES "nlohmann_json >= ${hubbub_nlohmann_json_LEAST}")
hubbub_add_component(websocketpp "connections of websocketpp" LINKS hubbub::websocketpp_headers CFLAGS ${_websocketpp})
hubbub_add_component(jwt "tokens (JWT), with OpenSSL and nlohmann_json"
    LINKS OpenSSL::Crypto REQUIRES "libcrypto >= ${hubbub_openssl_LEAST}")
hubbub_add_component(deflate "permessage-deflate, with zlib"
    LINKS ZLIB::ZLIB DEFINES HUBBUB_HAS_DEFLATE REQUIRES "zlib >= ${hubbub_zlib_LEAST}")
hubbub_add_component(redis "nodes that are one hub over Redis, with hiredis"
    LINKS hubbub::hiredis OpenSSL::SSL REQUIRES "hiredis >= ${hubbub_hiredis_LEAST}" "openssl >= ${hubbub_openssl_LEAST}")
hubbub_add_component(nats "several nodes over NATS, with nats.c" LINKS hubbub::nats_c REQUIRES "libnats >= 3.4")
hubbub_add_component(spdlog "events for spdlog" LINKS spdlog::spdlog REQUIRES "spdlog >= ${hubbub_spdlog_LEAST}")
hubbub_add_component(prometheus "metrics for Prometheus, with prometheus-cpp"
    LINKS hubbub::prometheus_core REQUIRES "prometheus-cpp-core >= 1.0")
hubbub_add_component(operations "a server for operators: a live page, and why it is slow")
# It links the profiler of CPU time; tcmalloc, which takes the place of malloc, is the program's own to choose.
hubbub_add_component(gperftools "profiles of a program that runs, with gperftools"
    LINKS hubbub::libprofiler LIBS "-Wl,--push-state,--no-as-needed,-lprofiler,--pop-state")
