# find_package(hubbub 0.1 COMPONENTS tcp)

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
install(FILES
    "${PROJECT_BINARY_DIR}/hubbubConfig.cmake"
    "${PROJECT_BINARY_DIR}/hubbubConfigVersion.cmake"
    "${CMAKE_CURRENT_LIST_DIR}/hubbub_find_asio.cmake"
    DESTINATION "${_destination}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
