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
