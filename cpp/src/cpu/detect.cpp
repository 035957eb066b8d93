#include "cpu/kernel_set.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) || defined(__arm__)
#include <sys/auxv.h>
#endif

namespace geng::cpu {

#if defined(__x86_64__)
namespace {

struct Leaf {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;

  Leaf(std::uint32_t leaf, std::uint32_t sub) noexcept {
    if (__get_cpuid_count(leaf, sub, &a, &b, &c, &d) == 0) a = b = c = d = 0;
  }
};

bool bit(std::uint32_t word, unsigned at) noexcept { return ((word >> at) & 1u) != 0; }

/// Register files that the operating system saves: XCR0, or none where XGETBV is not to be used.
std::uint32_t saved(const Leaf& basic) noexcept {
  if (!bit(basic.c, 27)) return 0;  // OSXSAVE
  std::uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

}  // namespace

// Intel's manual, volume 2A, CPUID. Asked here and not of __builtin_cpu_supports: there are runtime
// libraries of compilers that answer no to everything.
std::uint32_t detect() noexcept {
  constexpr std::uint32_t kYmm = 0x06, kZmm = 0xE6;  // of XCR0
  const Leaf basic(1, 0), more(7, 0), last(7, 1);
  const std::uint32_t registers = saved(basic);
  std::uint32_t have = 0;
  if ((registers & kYmm) != kYmm || !bit(basic.c, 28)) return have;  // AVX
  if (bit(more.b, 5)) have |= kAvx2;
  if (bit(basic.c, 12)) have |= kFma;
  if (more.a >= 1 && bit(last.a, 4)) have |= kAvxVnni;
  if ((registers & kZmm) != kZmm) return have;
  if (bit(more.b, 16) && bit(more.b, 17) && bit(more.b, 30) && bit(more.b, 31)) {
    have |= kAvx512;  // F, DQ, BW, VL
  }
  if (bit(more.c, 11)) have |= kAvx512Vnni;
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
