# What is missing is said in one sentence.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

# refused_package(SENTENCE VARIABLES...); one folder for all, because configuring again is quicker.
function(refused_package sentence)
    refused("${sentence}" "${CMAKE_COMMAND}" ${common} -S "${here}/project" -B "${work}/build" "-DCMAKE_PREFIX_PATH=${prefix}"
        -DWAY=find_package ${ARGN})
endfunction()

refused_package("component tcp: Standalone Asio was not found: install libasio-dev or set HUBBUB_ASIO_INCLUDE_DIR" -DUSED=tcp
    -DWANTED=0.1 -DHUBBUB_ASIO_INCLUDE_DIR=HUBBUB_ASIO_INCLUDE_DIR-NOTFOUND -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF
    -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF)
refused_package("component json: nlohmann_json 3.9 was not found: install nlohmann-json3-dev or set nlohmann_json_DIR" -DUSED=json
    -DWANTED=0.1 -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON)
refused_package("component jwt: OpenSSL 3.0 was not found: install libssl-dev or set OPENSSL_ROOT_DIR" -DUSED=jwt -DWANTED=0.1
    -DCMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON)
refused_package("component deflate: zlib was not found: install zlib1g-dev" -DUSED=deflate -DWANTED=0.1
    -DCMAKE_DISABLE_FIND_PACKAGE_ZLIB=ON)
refused_package("component prometheus: prometheus-cpp was not found: install prometheus-cpp-dev" -DUSED=prometheus -DWANTED=0.1
    -DHUBBUB_PROMETHEUS_INCLUDE_DIR=HUBBUB_PROMETHEUS_INCLUDE_DIR-NOTFOUND -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF
    -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF)
refused_package("component gperftools: gperftools was not found: install libgoogle-perftools-dev" -DUSED=gperftools -DWANTED=0.1
    -DHUBBUB_PROFILER_LIBRARY=HUBBUB_PROFILER_LIBRARY-NOTFOUND -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF
    -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF)
refused_package("component spdlog: spdlog 1.5 was not found: install libspdlog-dev or set spdlog_DIR" -DUSED=spdlog -DWANTED=0.1
    -DCMAKE_DISABLE_FIND_PACKAGE_spdlog=ON)
if("tcp" IN_LIST AVAILABLE)
    refused_package("component tls: OpenSSL 3.0 was not found: install libssl-dev or set OPENSSL_ROOT_DIR" -DUSED=tls
        -DWANTED=0.1 -DCMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON "-DHUBBUB_ASIO_INCLUDE_DIR=${WORK}")
    refused_package("component uring: liburing was not found: install liburing-dev" -DUSED=uring -DWANTED=0.1
        -DHUBBUB_LIBURING_INCLUDE_DIR=HUBBUB_LIBURING_INCLUDE_DIR-NOTFOUND "-DHUBBUB_ASIO_INCLUDE_DIR=${WORK}"
        -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF)
    refused_package("component redis: hiredis was not found: install libhiredis-dev" -DUSED=redis -DWANTED=0.1
        -DHUBBUB_HIREDIS_INCLUDE_DIR=HUBBUB_HIREDIS_INCLUDE_DIR-NOTFOUND "-DHUBBUB_ASIO_INCLUDE_DIR=${WORK}"
        -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF)
    refused_package("component nats: nats.c was not found: install libnats-dev" -DUSED=nats -DWANTED=0.1
        -DHUBBUB_NATS_INCLUDE_DIR=HUBBUB_NATS_INCLUDE_DIR-NOTFOUND "-DHUBBUB_ASIO_INCLUDE_DIR=${WORK}"
        -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF)
    refused_package("component websocketpp: websocketpp was not found: install libwebsocketpp-dev or set HUBBUB_WEBSOCKETPP_INCLUDE_DIR"
        -DUSED=websocketpp -DWANTED=0.1 -DHUBBUB_WEBSOCKETPP_INCLUDE_DIR=HUBBUB_WEBSOCKETPP_INCLUDE_DIR-NOTFOUND
        "-DHUBBUB_ASIO_INCLUDE_DIR=${WORK}" -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF)
    # A folder is enough of an Asio and of a websocketpp for the sentence that comes before their headers are read.
    refused_package("component websocketpp: websocketpp needs an Asio before 1.33, which took io_service away"
        -DUSED=websocketpp -DWANTED=0.1 "-DHUBBUB_ASIO_INCLUDE_DIR=${WORK}" "-DHUBBUB_WEBSOCKETPP_INCLUDE_DIR=${WORK}")
endif()
list(JOIN COMPONENTS ", " components)
refused_package("component carrier_pigeon: hubbub ${VERSION} has no such component (it has: ${components})" -DUSED=carrier_pigeon
    -DWANTED=0.1)
refused_package("compatible with requested version \"99.0\"" -DUSED= -DWANTED=99.0)
refused_package("hubbubConfig.cmake, version: ${VERSION}" -DUSED= -DWANTED=99.0)
refused_package("compatible with requested version \"0.0\"" -DUSED= -DWANTED=0.0)

file(WRITE "${work}/old.cpp" "#include <hubbub/hub/hub.hpp>\n")
refused("hubbub: C++20 is needed: compile with -std=c++20" "${COMPILER}" -std=c++17 -fsyntax-only "-I${prefix}/include" "${work}/old.cpp")
