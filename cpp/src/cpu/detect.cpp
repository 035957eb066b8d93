#include "cpu/kernel_set.h"

#if defined(__aarch64__) || defined(__arm__)
#include <sys/auxv.h>
#endif

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
#elif defined(__aarch64__)
// The kernel says at start-up what the CPU has and it supports. Values of the kernel's own headers
// (uapi/asm/hwcap.h), part of its ABI, which an older C library may not name yet.
std::uint32_t detect() noexcept {
  constexpr unsigned long kHalfScalar = 1ul << 9;   // HWCAP_FPHP
  constexpr unsigned long kHalfVector = 1ul << 10;  // HWCAP_ASIMDHP
  constexpr unsigned long kSdot = 1ul << 20;        // HWCAP_ASIMDDP
  constexpr unsigned long kSmmla = 1ul << 13;       // HWCAP2_I8MM
  const unsigned long first = getauxval(AT_HWCAP);
  const unsigned long second = getauxval(AT_HWCAP2);
  std::uint32_t have = 0;
  if ((first & kSdot) != 0) have |= kDotprod;
  if ((second & kSmmla) != 0) have |= kI8mm;
  if ((first & kHalfScalar) != 0 && (first & kHalfVector) != 0) have |= kFp16;
  return have;
}
#elif defined(__arm__)
std::uint32_t detect() noexcept {
  constexpr unsigned long kNeon = 1ul << 12;   // HWCAP_NEON
  constexpr unsigned long kVfpv4 = 1ul << 16;  // HWCAP_VFPv4: the fused multiply-add
  const unsigned long have = getauxval(AT_HWCAP);
  return (have & kNeon) != 0 && (have & kVfpv4) != 0 ? std::uint32_t{kNeonFma} : 0;
}
#else
std::uint32_t detect() noexcept { return 0; }
#endif

}  // namespace geng::cpu
