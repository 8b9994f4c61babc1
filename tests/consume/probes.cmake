# A program that is built with HUBBUB_USDT has each probe of the headers, and one that is not has none. What readelf shows of a probe:
#   stapsdt  0x00000042  NT_STAPSDT (SystemTap probe descriptors)
#     Provider: hubbub
#     Name: session_open
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

file(WRITE "${work}/CMakeLists.txt"
"cmake_minimum_required(VERSION 3.25)
project(probes LANGUAGES CXX)
add_subdirectory(\"${HUBBUB_SOURCE}\" hubbub)
add_executable(program \"${HUBBUB_SOURCE}/examples/11_without_network.cpp\")
target_link_libraries(program PRIVATE hubbub::hubbub)
")

# names_of(VARIABLE OPTION): builds and runs it, and says which probes it has.
function(names_of variable option)
    run("${CMAKE_COMMAND}" ${common} -S "${work}" -B "${work}/build" "-DHUBBUB_USDT=${option}")
    run("${CMAKE_COMMAND}" --build "${work}/build")
    run("${work}/build/program")
    execute_process(COMMAND "${READELF}" --notes "${work}/build/program" OUTPUT_VARIABLE notes)
    string(REGEX MATCHALL "Provider: hubbub[ \n]+Name: [a-z_]+" names "${notes}")
    list(TRANSFORM names REPLACE ".*Name: " "")
    list(REMOVE_DUPLICATES names)
    list(SORT names)
    set(${variable} "${names}" PARENT_SCOPE)
endfunction()

set(wanted "")
file(GLOB_RECURSE headers "${HUBBUB_SOURCE}/include/hubbub/*.hpp")
list(FILTER headers EXCLUDE REGEX "/core/probe.hpp$")
foreach(header IN LISTS headers)
    file(STRINGS "${header}" lines REGEX "HUBBUB_PROBE\\(")
    foreach(line IN LISTS lines)
        string(REGEX REPLACE ".*HUBBUB_PROBE\\([0-9], ([a-z_]+).*" "\\1" name "${line}")
        list(APPEND wanted "${name}")
    endforeach()
endforeach()
list(REMOVE_DUPLICATES wanted)
list(SORT wanted)

names_of(with ON)
if(NOT wanted OR NOT with STREQUAL wanted)
    message(FATAL_ERROR "the headers have the probes ${wanted}, and the program ${with}")
endif()
names_of(without OFF)
if(NOT without STREQUAL "")
    message(FATAL_ERROR "a program without HUBBUB_USDT has the probes ${without}")
endif()
