# What the components are: the folders below include/hubbub that are theirs, what they need of others (hubbub_find_NEED.cmake), and
# the components that they are made of. hubbub's own build and find_package(hubbub) read the same table. What is in no folder of a
# component belongs to hubbub::hubbub.

set(hubbub_components "")
# hubbub_component(NAME FOLDERS folder... [NEEDS need...] [USES component...])
macro(hubbub_component _name)
    cmake_parse_arguments(_hubbub "" "" "FOLDERS;NEEDS;USES" ${ARGN})
    list(APPEND hubbub_components ${_name})
    set(hubbub_folders_${_name} ${_hubbub_FOLDERS})
    set(hubbub_needs_${_name} ${_hubbub_NEEDS})
    set(hubbub_uses_${_name} ${_hubbub_USES})
endmacro()

hubbub_component(tcp FOLDERS transport/socket transport/tcp server NEEDS asio)
hubbub_component(uring FOLDERS transport/uring NEEDS asio liburing USES tcp)
hubbub_component(tls FOLDERS transport/tls NEEDS asio openssl USES tcp)
hubbub_component(json FOLDERS json protocol NEEDS nlohmann_json)
hubbub_component(websocketpp FOLDERS transport/websocketpp NEEDS asio websocketpp USES tcp)
hubbub_component(jwt FOLDERS policy/jwt NEEDS openssl nlohmann_json USES json)
hubbub_component(deflate FOLDERS ws/deflate NEEDS zlib)
hubbub_component(redis FOLDERS backplane/redis NEEDS asio hiredis openssl USES tcp)
hubbub_component(nats FOLDERS backplane/nats NEEDS asio nats USES tcp)
hubbub_component(spdlog FOLDERS events/spdlog NEEDS spdlog)
hubbub_component(prometheus FOLDERS operations/prometheus NEEDS prometheus)
hubbub_component(operations FOLDERS operations/live NEEDS asio nlohmann_json USES tcp json)
hubbub_component(gperftools FOLDERS profiling NEEDS gperftools)

# Looks for what a component needs; hubbub_NAME_REASON says in one sentence why it cannot be had, or nothing.
macro(hubbub_find_needs _name)
    set(hubbub_${_name}_REASON "")
    foreach(_hubbub_need IN LISTS hubbub_needs_${_name})
        include("${CMAKE_CURRENT_LIST_DIR}/hubbub_find_${_hubbub_need}.cmake")
        if(NOT hubbub_${_hubbub_need}_FOUND AND NOT hubbub_${_name}_REASON)
            set(hubbub_${_name}_REASON "${hubbub_${_hubbub_need}_REASON}")
        endif()
    endforeach()
endmacro()
