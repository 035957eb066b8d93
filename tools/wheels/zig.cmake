# Zig's clang as a cross compiler: it carries the C libraries of its targets, so that a wheel made on a
# new machine runs on an old one. GENG_ZIG names the program, GENG_ZIG_TARGET its target, GENG_SOURCE the
# folder whose name must not be in what is built.
set(CMAKE_SYSTEM_NAME Linux)
if(GENG_ZIG_TARGET MATCHES "^arm-")
  set(CMAKE_SYSTEM_PROCESSOR armv7l)
else()
  string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR "${GENG_ZIG_TARGET}")
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES GENG_ZIG GENG_ZIG_TARGET GENG_SOURCE)

# armhf as Debian has it: NEON is left to the kernels that are chosen for it.
set(geng_zig_cpu "")
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "armv7l")
  set(geng_zig_cpu "-mcpu=generic+v7a+vfp3d16-neon-d32")
endif()
set(CMAKE_CXX_COMPILER "${GENG_ZIG}" c++ -target "${GENG_ZIG_TARGET}" ${geng_zig_cpu})
set(CMAKE_CXX_ARCHIVE_CREATE "\"${GENG_ZIG}\" ar qcD <TARGET> <LINK_FLAGS> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_APPEND "\"${GENG_ZIG}\" ar qD <TARGET> <LINK_FLAGS> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_FINISH "\"${GENG_ZIG}\" ranlib -D <TARGET>")
set(CMAKE_STRIP "" CACHE FILEPATH "The linker does it" FORCE)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
# Zig looks for undefined behaviour unless told not to; unwinding must work, since errors are thrown.
set(CMAKE_CXX_FLAGS_INIT "-fno-sanitize=undefined -ffile-prefix-map=${GENG_SOURCE}=.")
# Its C++ library is inside the module, and stays there: only the function that Python calls is exported.
set(CMAKE_MODULE_LINKER_FLAGS_INIT "-Wl,-s -Wl,-z,max-page-size=65536 -Wl,-z,noexecstack")
string(APPEND CMAKE_MODULE_LINKER_FLAGS_INIT " -Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/module.map")

# pybind11 would optimise its few files over again when they are linked: twice the time for nothing.
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION OFF)

# How this compiler spells the instruction sets of cmake/kernels.cmake.
set(GENG_FLAGS_armv7_neon -mcpu=generic+v7a+neon+vfp4)
set(GENG_FLAGS_neon -mcpu=generic)
set(GENG_FLAGS_dotprod -mcpu=generic+v8_2a+dotprod)
set(GENG_FLAGS_i8mm -mcpu=generic+v8_2a+dotprod+i8mm)
