# geng_edge._core, the private extension behind the Python package.
find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module)
find_package(pybind11 CONFIG REQUIRED)
file(GLOB geng_binding_sources CONFIGURE_DEPENDS cpp/bindings/*.cpp)
pybind11_add_module(_core MODULE ${geng_binding_sources})
target_include_directories(_core PRIVATE cpp/src)
target_link_libraries(_core PRIVATE geng geng_flags)
target_compile_definitions(_core PRIVATE GENG_VERSION="${PROJECT_VERSION}"
                           GENG_BUILD_FLAGS="${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_BUILD_TYPE}")
install(TARGETS _core LIBRARY DESTINATION geng_edge)

# The boards as one JSON file: a device needs no TOML reader.
set(geng_profiles ${CMAKE_CURRENT_BINARY_DIR}/profiles.json)
file(GLOB geng_profile_sources CONFIGURE_DEPENDS firmware_profiles/*.toml firmware_profiles/schema.json)
add_custom_command(
  OUTPUT ${geng_profiles}
  COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/cmake/compile_profiles.py
          ${CMAKE_CURRENT_SOURCE_DIR}/firmware_profiles ${geng_profiles}
  DEPENDS ${geng_profile_sources} cmake/compile_profiles.py
  VERBATIM)
add_custom_target(geng_profiles ALL DEPENDS ${geng_profiles})
install(FILES ${geng_profiles} DESTINATION geng_edge/profiles)

# The commit, for the rows of `geng-edge bench`; empty where the sources are no git checkout.
execute_process(COMMAND git describe --always --dirty --exclude * WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
                OUTPUT_VARIABLE geng_commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
file(CONFIGURE OUTPUT build.json CONTENT "{\"commit\": \"@geng_commit@\"}\n" @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/build.json DESTINATION geng_edge)

# A wheel made in the repository carries the weights. What an sdist leaves out the build backend leaves
# out of a wheel too, so they are put in here.
set(geng_models ${CMAKE_CURRENT_SOURCE_DIR}/python/geng_edge/models)
if(IS_DIRECTORY ${geng_models})
  install(DIRECTORY ${geng_models}/ DESTINATION geng_edge/models FILES_MATCHING PATTERN "*.gguf")
endif()
