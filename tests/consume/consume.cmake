# Run with cmake -P; fails with a message at the first step that does not do what a user may expect.
file(REMOVE_RECURSE "${WORK}")
set(prefix "${WORK}/prefix")
set(here "${CMAKE_CURRENT_LIST_DIR}")
set(common -G "${GENERATOR}" "-DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM}" "-DCMAKE_CXX_COMPILER=${COMPILER}")

function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "${command}\n${output}")
    endif()
endfunction()

# The sentence of `needle` must be in what CMake says when it refuses.
function(refused needle)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    string(REGEX REPLACE "[ \n]+" " " output "${output}")
    string(FIND "${output}" "${needle}" at)
    if(result EQUAL 0 OR at EQUAL -1)
        message(FATAL_ERROR "expected to be refused with \"${needle}\", but got ${result}:\n${output}")
    endif()
endfunction()

run("${CMAKE_COMMAND}" --install "${HUBBUB_BUILD}" --prefix "${prefix}")

# Found after an installation, with and without the component.
foreach(components IN ITEMS "" tcp)
    set(build "${WORK}/found${components}")
    run("${CMAKE_COMMAND}" ${common} -S "${here}/project" -B "${build}" "-DCMAKE_PREFIX_PATH=${prefix}" "-DCOMPONENTS=${components}")
    run("${CMAKE_COMMAND}" --build "${build}")
    run("${build}/application")
endforeach()

# As a subdirectory; nothing of ours but the library may be built.
run("${CMAKE_COMMAND}" ${common} -S "${here}/project" -B "${WORK}/subdirectory" "-DHUBBUB_SOURCE=${HUBBUB_SOURCE}" -DCOMPONENTS=tcp)
run("${CMAKE_COMMAND}" --build "${WORK}/subdirectory")
run("${WORK}/subdirectory/application")
file(GLOB foreign "${WORK}/subdirectory/hubbub/tests/*" "${WORK}/subdirectory/hubbub/benchmarks/*")
if(foreign)
    message(FATAL_ERROR "a subdirectory brings tests or benchmarks along: ${foreign}")
endif()

# What is missing is said in one sentence.
refused("component tcp: Standalone Asio was not found: install libasio-dev" "${CMAKE_COMMAND}" ${common} -S "${here}/project"
    -B "${WORK}/without_asio" "-DCMAKE_PREFIX_PATH=${prefix}" -DCOMPONENTS=tcp -DHUBBUB_ASIO_INCLUDE_DIR=HUBBUB_ASIO_INCLUDE_DIR-NOTFOUND
    -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF)
refused("component carrier_pigeon: hubbub 0.1.0 has no such component (it has: tcp)" "${CMAKE_COMMAND}" ${common} -S "${here}/project"
    -B "${WORK}/unknown" "-DCMAKE_PREFIX_PATH=${prefix}" -DCOMPONENTS=carrier_pigeon)
