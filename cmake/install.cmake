# What firmware without Python installs: headers, libgeng.a, libgeng.so with the C functions alone,
# and the files by which CMake and pkg-config find them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(geng_shared SHARED cpp/src/c_api.cpp)
set_target_properties(geng_shared PROPERTIES OUTPUT_NAME geng VERSION ${PROJECT_VERSION} SOVERSION 0)
target_include_directories(geng_shared PRIVATE cpp/src)
target_link_libraries(geng_shared PRIVATE geng geng_flags)
target_compile_definitions(geng_shared PRIVATE GENG_VERSION="${PROJECT_VERSION}")
target_link_options(geng_shared PRIVATE -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/cmake/exports.map)
set_target_properties(geng_shared PROPERTIES LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cmake/exports.map)

set_target_properties(geng PROPERTIES EXPORT_NAME geng)
install(TARGETS geng EXPORT gengTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS geng_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY cpp/include/geng DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT gengTargets NAMESPACE geng:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/geng)

configure_package_config_file(cmake/gengConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/gengConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/geng)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/gengConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/gengConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/gengConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/geng)

configure_file(cmake/geng.pc.in ${CMAKE_CURRENT_BINARY_DIR}/geng.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/geng.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
