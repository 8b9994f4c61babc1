# Installs the library, and moves what was installed: it must not know where it was.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

run("${CMAKE_COMMAND}" --install "${HUBBUB_BUILD}" --prefix "${work}/prefix")
file(REMOVE_RECURSE "${WORK}/moved")
file(MAKE_DIRECTORY "${WORK}/moved")
file(RENAME "${work}/prefix" "${prefix}")

# Whatever is in the source tree is in the installation, and nothing else is.
file(GLOB_RECURSE wanted RELATIVE "${HUBBUB_SOURCE}/include" "${HUBBUB_SOURCE}/include/hubbub/*.hpp")
file(GLOB_RECURSE installed RELATIVE "${prefix}/include" "${prefix}/include/*")
if(NOT wanted STREQUAL installed)
    message(FATAL_ERROR "the headers that were installed are others:\n${installed}\nand not\n${wanted}")
endif()

# No file that another program reads names a place of this machine.
file(GLOB_RECURSE texts "${prefix}/share/cmake/*" "${prefix}/share/pkgconfig/*")
if(NOT texts)
    message(FATAL_ERROR "neither CMake's files nor those of pkg-config were installed")
endif()
foreach(text IN LISTS texts)
    file(READ "${text}" content)
    foreach(place IN ITEMS "${HUBBUB_SOURCE}" "${HUBBUB_BUILD}" "${work}")
        string(FIND "${content}" "${place}" at)
        if(NOT at EQUAL -1)
            message(FATAL_ERROR "${text} names ${place}")
        endif()
    endforeach()
endforeach()

# Node takes the client for a module only where a package.json says so.
file(READ "${prefix}/share/hubbub/js/package.json" package)
string(JSON kind GET "${package}" type)
if(NOT kind STREQUAL "module" OR NOT EXISTS "${prefix}/share/hubbub/js/hubbub.js")
    message(FATAL_ERROR "the client in share/hubbub/js is no module of Node")
endif()
