# find_package, without a component and with each.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

foreach(used IN ITEMS "" ${AVAILABLE})
    build_project("${work}/build" "-DCMAKE_PREFIX_PATH=${prefix}" -DWAY=find_package -DWANTED=0.1 "-DUSED=${used}")
endforeach()
