# What find_package(hubbub 0.1 COMPONENTS tcp) and pkg-config hubbub-tcp find.

set(_destination "${CMAKE_INSTALL_DATADIR}/cmake/hubbub")

install(TARGETS hubbub_hubbub EXPORT hubbub_hubbub_targets FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT hubbub_hubbub_targets NAMESPACE hubbub:: DESTINATION "${_destination}")
foreach(_component IN LISTS hubbub_components)
    install(TARGETS hubbub_${_component} EXPORT hubbub_${_component}_targets
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
    install(EXPORT hubbub_${_component}_targets NAMESPACE hubbub:: DESTINATION "${_destination}")
endforeach()

configure_package_config_file(
    "${CMAKE_CURRENT_LIST_DIR}/hubbubConfig.cmake.in" "${PROJECT_BINARY_DIR}/hubbubConfig.cmake"
    INSTALL_DESTINATION "${_destination}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/hubbubConfigVersion.cmake"
    VERSION "${PROJECT_VERSION}" COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
file(GLOB _find_files "${CMAKE_CURRENT_LIST_DIR}/hubbub_find_*.cmake")
install(FILES
    "${PROJECT_BINARY_DIR}/hubbubConfig.cmake"
    "${PROJECT_BINARY_DIR}/hubbubConfigVersion.cmake"
    "${CMAKE_CURRENT_LIST_DIR}/hubbub_components.cmake"
    ${_find_files}
    DESTINATION "${_destination}")
# The client for browsers and Node, for whoever serves or imports it from there. Its package.json says that it is a module: Node 18
# takes it for CommonJS otherwise.
install(FILES "${PROJECT_SOURCE_DIR}/clients/js/hubbub.js" "${PROJECT_SOURCE_DIR}/clients/js/hubbub.d.ts"
    "${PROJECT_SOURCE_DIR}/clients/js/package.json"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/hubbub/js")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

# pkg-config files. They name no place but from where they are, so that an installation may be moved.
# hubbub_install_pkg_config(NAME DESCRIPTION REQUIRES CFLAGS LIBS)
function(hubbub_install_pkg_config _name _description _requires _cflags _libs)
    file(RELATIVE_PATH _prefix "/prefix/${CMAKE_INSTALL_DATADIR}/pkgconfig" "/prefix")
    string(REGEX REPLACE "/$" "" _prefix "${_prefix}")
    set(_includedir "${CMAKE_INSTALL_INCLUDEDIR}")
    if(NOT IS_ABSOLUTE "${_includedir}")
        string(PREPEND _includedir "\${prefix}/")
    endif()
    configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/hubbub.pc.in" "${PROJECT_BINARY_DIR}/${_name}.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/${_name}.pc" DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")
endfunction()

hubbub_install_pkg_config(hubbub "${PROJECT_DESCRIPTION}" "" "-I\${includedir} -pthread" "-pthread")
foreach(_component IN LISTS hubbub_components)
    string(STRIP "hubbub = ${PROJECT_VERSION} ${hubbub_pkg_config_requires_${_component}}" _requires)
    hubbub_install_pkg_config(hubbub-${_component} "${PROJECT_DESCRIPTION}: ${hubbub_pkg_config_description_${_component}}"
        "${_requires}" "${hubbub_pkg_config_cflags_${_component}}" "${hubbub_pkg_config_libs_${_component}}")
endforeach()
