# add_subdirectory. What is set for our own tests, and would be seen here, must not reach the library.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

build_project("${work}/build" "-DWAY=add_subdirectory" "-DHUBBUB_SOURCE=${HUBBUB_SOURCE}" "-DUSED=tcp" -DHUBBUB_WERROR=ON
    -DHUBBUB_SANITIZE=address)

# Nothing of ours but the library: no tests, examples or benchmarks, and nothing is installed.
file(GLOB foreign "${work}/build/hubbub/tests/*" "${work}/build/hubbub/benchmarks/*" "${work}/build/hubbub/*.pc")
if(foreign)
    message(FATAL_ERROR "a subdirectory brings along: ${foreign}")
endif()
run("${CMAKE_COMMAND}" --install "${work}/build" --prefix "${work}/prefix")
file(GLOB_RECURSE foreign "${work}/prefix/*")
if(NOT foreign STREQUAL "${work}/prefix/bin/application")
    message(FATAL_ERROR "a project that has hubbub as a subdirectory installs: ${foreign}")
endif()

# Without Asio there is no hubbub::tcp, and CMake says why.
refused("hubbub: without hubbub::tcp, because Standalone Asio was not found: install libasio-dev"
    "${CMAKE_COMMAND}" ${common} -S "${here}/project" -B "${work}/build" -DHUBBUB_ASIO_INCLUDE_DIR=HUBBUB_ASIO_INCLUDE_DIR-NOTFOUND
    -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF)
