# What every object of ours is compiled with. The ABI floor is the compiler's own: x86-64-v1, armv8-a.
add_library(geng_flags INTERFACE)
target_compile_features(geng_flags INTERFACE cxx_std_20)
# A fused multiply-add is written where it is meant, so that a result never depends on the inliner.
target_compile_options(geng_flags INTERFACE -ffp-contract=off)
if(GENG_WARNINGS_AS_ERRORS)
  target_compile_options(geng_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 sees an overlapping copy in `"literal" + std::string` (its bug 105651).
    target_compile_options(geng_flags INTERFACE -Wno-restrict)
  endif()
endif()
if(GENG_SANITIZE)
  # Undefined behaviour is to end a test, not to scroll by.
  set(geng_sanitize -fsanitize=${GENG_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(geng_flags INTERFACE ${geng_sanitize})
  target_link_options(geng_flags INTERFACE ${geng_sanitize})
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
