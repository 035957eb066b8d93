#include "cpu/kernel_set.h"

namespace geng::cpu {

#if defined(__x86_64__)
// The compiler's own probe also asks whether the operating system saves the registers.
std::uint32_t detect() noexcept {
  std::uint32_t have = 0;
  if (__builtin_cpu_supports("avx2")) have |= kAvx2;
  if (__builtin_cpu_supports("fma")) have |= kFma;
  if (__builtin_cpu_supports("avxvnni")) have |= kAvxVnni;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    have |= kAvx512;
  }
  if (__builtin_cpu_supports("avx512vnni")) have |= kAvx512Vnni;
  return have;
}
#else
std::uint32_t detect() noexcept { return 0; }
#endif

}  // namespace geng::cpu
