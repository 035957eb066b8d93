# One object library per instruction set; nothing else in the tree is compiled with ISA flags.
# Its objects must not leak inline functions built with those flags into the rest of the program,
# hence no exceptions, no RTTI, and the symbol check in tests/cpp.
set(geng_kernel_objects)
function(geng_kernels isa)
  if(DEFINED GENG_FLAGS_${isa})  # a toolchain that spells it otherwise
    set(ARGN ${GENG_FLAGS_${isa}})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS cpp/src/cpu/${isa}/*.cpp)
  add_library(geng_kernels_${isa} OBJECT ${sources})
  target_include_directories(geng_kernels_${isa} PRIVATE cpp/src)
  target_link_libraries(geng_kernels_${isa} PRIVATE geng_flags)
  target_compile_options(geng_kernels_${isa} PRIVATE -fno-exceptions -fno-rtti ${ARGN})
  set(geng_kernel_objects ${geng_kernel_objects} $<TARGET_OBJECTS:geng_kernels_${isa}> PARENT_SCOPE)
endfunction()

# scalar is the reference and the yardstick of every speed-up: it must not be vectorised behind our back.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  geng_kernels(scalar -fno-vectorize -fno-slp-vectorize)
else()
  geng_kernels(scalar -fno-tree-vectorize)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  geng_kernels(avx2 -mavx2 -mfma)
  geng_kernels(avx_vnni -mavx2 -mfma -mavxvnni)
  # 512-bit registers are asked for by name in these; the compiler is to use them for the rest too.
  set(avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 warns about the deliberately undefined registers of its own header (GCC bug 105593).
    list(APPEND avx512 -Wno-uninitialized -Wno-maybe-uninitialized)
  endif()
  geng_kernels(avx512 ${avx512})
  geng_kernels(avx512_vnni ${avx512} -mavx512vnni)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  # These kernels use every register. GCC's first scheduling pass would spill some for the sake of
  # early loads; a second look at the names saves the moves that its allocator leaves in a loop.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(all_registers -fno-schedule-insns -frename-registers)
  endif()
  geng_kernels(neon -march=armv8-a ${all_registers})
  geng_kernels(dotprod -march=armv8.2-a+dotprod ${all_registers})
  geng_kernels(i8mm -march=armv8.2-a+dotprod+i8mm ${all_registers})
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^arm")
  geng_kernels(armv7_neon -march=armv7-a -mfpu=neon-vfpv4)
endif()
