# pkg-config and the compiler alone.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

set(ENV{PKG_CONFIG_PATH} "${prefix}/share/pkgconfig")

# compile(PACKAGE ARGUMENTS...): the program with the flags of a package.
function(compile package)
    execute_process(COMMAND "${PKG_CONFIG}" --cflags --libs "${package}" RESULT_VARIABLE result OUTPUT_VARIABLE flags
        ERROR_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "pkg-config --cflags --libs ${package}: ${flags}")
    endif()
    separate_arguments(flags UNIX_COMMAND "${flags}")
    foreach(flag IN LISTS flags)
        if(NOT flag MATCHES "^(-I.*|-pthread|-DASIO_STANDALONE|-DHUBBUB_HAS_(URING|TLS|DEFLATE)|-D_FILE_OFFSET_BITS=64|-DSPDLOG_.*|-lspdlog|-lfmt|-luring|-Wl,--push-state,--no-as-needed,-lprofiler,--pop-state|-lhiredis|-lnats|-lprometheus-cpp-core|-lssl|-lcrypto|-lz|-L.*)$")
            message(FATAL_ERROR "${package} brings the flag ${flag}")
        endif()
    endforeach()
    run("${COMPILER}" -std=c++20 ${ARGN} -o "${work}/${package}" ${flags})
    run("${work}/${package}")
endfunction()

compile(hubbub "${here}/project/core.cpp")
foreach(component IN LISTS AVAILABLE)
    string(TOUPPER "WITH_${component}" definition)
    compile(hubbub-${component} -D${definition} "${here}/project/core.cpp" "${here}/project/${component}.cpp")
endforeach()

execute_process(COMMAND "${PKG_CONFIG}" --modversion hubbub OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT version STREQUAL VERSION)
    message(FATAL_ERROR "pkg-config knows hubbub ${version}, and not ${VERSION}")
endif()
refused("'hubbub'" "${PKG_CONFIG}" --print-errors --exists "hubbub >= 99")
foreach(component IN LISTS COMPONENTS)
    file(STRINGS "${prefix}/share/pkgconfig/hubbub-${component}.pc" needs REGEX "^Requires: hubbub = ${VERSION}( |$)")
    if(NOT needs)
        message(FATAL_ERROR "hubbub-${component} does not need the hubbub of its own version")
    endif()
endforeach()
