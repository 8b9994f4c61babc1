# What the scripts of this folder share. Each has a folder for its work, ${work}; what consume_install has installed is in ${prefix}.
cmake_minimum_required(VERSION 3.25)
set(here "${CMAKE_CURRENT_LIST_DIR}")
set(prefix "${WORK}/moved/prefix")
set(work "${WORK}/${NAME}")
set(debug "-O0")
if(COMPILER MATCHES "(^|/)g\\+\\+")
    string(APPEND debug " --param ggc-min-expand=1000000 --param ggc-min-heapsize=3000000")  # g++ does not look for what it could free
endif()
set(common -G "${GENERATOR}" "-DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
    "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}" "-DCMAKE_BUILD_TYPE=Debug" "-DCMAKE_CXX_FLAGS_DEBUG=${debug}")
file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}")

# Runs a command that must succeed.
function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "${command}\n${output}")
    endif()
endfunction()

# Runs a command that must fail and say `sentence`, whose line breaks do not matter.
function(refused sentence)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    string(REGEX REPLACE "[ \n]+" " " flat "${output}")
    string(FIND "${flat}" "${sentence}" at)
    if(result EQUAL 0 OR at EQUAL -1)
        message(FATAL_ERROR "expected to be refused with \"${sentence}\", but got ${result}:\n${output}")
    endif()
endfunction()

# Configures and builds the project of this folder, and runs its program.
function(build_project folder)
    run("${CMAKE_COMMAND}" ${common} -S "${here}/project" -B "${folder}" ${ARGN})
    run("${CMAKE_COMMAND}" --build "${folder}")
    run("${folder}/application")
endfunction()
