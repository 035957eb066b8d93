#include "cpu/kernel_set.h"

namespace geng::cpu {

#if defined(__x86_64__)
// The compiler's own probe also asks whether the operating system saves the registers.
std::uint32_t detect() noexcept {
  std::uint32_t have = 0;
  if (__builtin_cpu_supports("avx2")) have |= kAvx2;
  if (__builtin_cpu_supports("fma")) have |= kFma;
  return have;
}
#else
std::uint32_t detect() noexcept { return 0; }
#endif

}  // namespace geng::cpu
