# Each examples/NN_name.cpp is a program with --self-test, and so is each examples/NN_name/ of several files; examples/chat/ is
# one application.

if(NOT TARGET hubbub::tcp)
    return()
endif()

# hubbub_add_example(NAME TARGET SOURCES...)
function(hubbub_add_example name target)
    add_executable(${target} ${ARGN})
    target_link_libraries(${target} PRIVATE hubbub::tcp hubbub_warnings)
    add_test(NAME example_${name} COMMAND ${target} --self-test)
    set_tests_properties(example_${name} PROPERTIES LABELS example TIMEOUT 60)
endfunction()

file(GLOB _examples CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples/[0-9]*.cpp")
foreach(_source IN LISTS _examples)
    cmake_path(GET _source STEM _name)
    hubbub_add_example(${_name} "hubbub_example_${_name}" "${_source}")
endforeach()

find_path(HUBBUB_BEAST_INCLUDE_DIR boost/beast/version.hpp)
if(HUBBUB_BEAST_INCLUDE_DIR)
    file(GLOB _beast CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples/04_beside_beast/*.cpp")
    hubbub_add_example(04_beside_beast hubbub_example_04_beside_beast ${_beast})
else()
    message(STATUS "hubbub: without the example 04_beside_beast, because Boost.Beast was not found: install libboost-dev")
endif()

file(GLOB _chat CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples/chat/*.cpp")
hubbub_add_example(chat hubbub_chat ${_chat})
target_include_directories(hubbub_chat PRIVATE "${PROJECT_SOURCE_DIR}/examples/chat")
