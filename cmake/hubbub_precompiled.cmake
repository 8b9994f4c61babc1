# Precompiled headers whose code is made once, too: most of what a test or a program takes to compile is what it includes.

# hubbub_add_precompiled(NAME HEADER LIBRARIES...): an object library whose header others may reuse. With clang what the header defines
# becomes code in NAME_code, and not in each file that uses it.
#
# Clang calls that -fpch-codegen, but knows it only where it precompiles by itself, and CMake asks the part of it behind the driver.
function(hubbub_add_precompiled name header)
    add_library(${name} OBJECT "${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp")
    target_link_libraries(${name} PRIVATE ${ARGN})
    target_precompile_headers(${name} PRIVATE "${header}")
    if(APPLE OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        return()
    endif()
    target_compile_options(${name} PRIVATE "SHELL:-Xclang -fmodules-codegen")
    set(_made "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}.dir/cmake_pch.hxx.pch")
    # It depends on itself because Ninja takes the absolute path of a source for another file than the one that is made.
    set_source_files_properties("${_made}" PROPERTIES LANGUAGE CXX GENERATED TRUE OBJECT_DEPENDS "${_made}")
    add_library(${name}_code OBJECT "${_made}")
    target_link_libraries(${name}_code PRIVATE ${ARGN})
    # It is no C++ any more, as CMake says; and there is nothing left to include.
    target_compile_options(${name}_code PRIVATE "SHELL:-x none" -Wno-unused-command-line-argument)
    set_target_properties(${name}_code PROPERTIES CXX_COMPILER_LAUNCHER "")
    add_dependencies(${name}_code ${name})  # for Make, which knows only that the file is there
endfunction()

# hubbub_reuse_precompiled(TARGET NAME): it is compiled with that header, and has to have all that changes the header's meaning.
function(hubbub_reuse_precompiled target name)
    target_precompile_headers(${target} REUSE_FROM ${name})
    if(TARGET ${name}_code)
        target_link_libraries(${target} PRIVATE $<TARGET_OBJECTS:${name}_code>)
        # What nobody calls goes: some of it calls what is in no library (std::filesystem::path::_List).
        target_link_options(${target} PRIVATE LINKER:--gc-sections)
    endif()
endfunction()

option(HUBBUB_PRECOMPILE_PROGRAMS "Examples and other programs have precompiled headers, which hide what they forget to include" OFF)

# hubbub_precompile_program(TARGET [HEADER]): a program on hubbub::tcp; many share one header. One of its own is for a program of
# several files, and is called when the target is complete.
function(hubbub_precompile_program target)
    if(NOT HUBBUB_PRECOMPILE_PROGRAMS)
        return()
    endif()
    set(_name hubbub_program_precompiled)
    if(ARGN)
        set(_name ${target}_precompiled)
        get_target_property(_libraries ${target} LINK_LIBRARIES)
        hubbub_add_precompiled(${_name} "${ARGN}" ${_libraries})
        get_target_property(_definitions ${target} COMPILE_DEFINITIONS)
        if(_definitions)
            target_compile_definitions(${_name} PRIVATE ${_definitions})
        endif()
    elseif(NOT TARGET ${_name})
        hubbub_add_precompiled(${_name} "${PROJECT_SOURCE_DIR}/cmake/precompiled_program.hpp" hubbub::tcp hubbub_warnings)
    endif()
    hubbub_reuse_precompiled(${target} ${_name})
endfunction()
