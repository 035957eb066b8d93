#include <cstdlib>
#include <fstream>
#include <string>

#include "check.h"
#include "cpu/kernel_set.h"
#include "geng/error.h"

using geng::Code;
using geng::cpu::kernel_sets;
using geng::cpu::KernelSet;
using geng::cpu::select;

TEST(KernelSet, PicksScalarOrTheBaselineWhenTheCpuHasNothing) { CHECK_EQ(select(0, "").needs, 0u); }
TEST(KernelSet, PicksTheFirstOfTheListWhenTheCpuHasAll) {
  CHECK_EQ(&select(~0u, ""), kernel_sets().front());
}
TEST(KernelSet, CountsTheMultiplyAddsOfItsPeakLoops) {
  for (const KernelSet* set : kernel_sets()) {
    if ((set->needs & ~geng::cpu::detect()) != 0) continue;
    CHECK_EQ(set->peak_i8(20), 2 * set->peak_i8(10));
    CHECK_EQ(set->peak_f32(20), 2 * set->peak_f32(10));
    CHECK(set->peak_i8(1) > 0 && set->peak_f32(1) > 0);
  }
}
TEST(KernelSet, EndsTheListWithScalar) { CHECK_EQ(kernel_sets().back()->name, "scalar"); }

TEST(KernelSet, IsExactlyTheForcedOne) {
  for (const KernelSet* set : kernel_sets()) CHECK_EQ(&select(~0u, set->name), set);
}
TEST(KernelSet, RefusesAForcedIsaThisCpuLacks) {
  for (const KernelSet* set : kernel_sets()) {
    if (set->needs == 0) continue;
    CHECK_ERROR(select(0, set->name), Code::invalid_argument, "this CPU does not support it");
  }
}
TEST(KernelSet, RefusesAForcedNameItDoesNotKnowAndListsThoseItDoes) {
  const std::string known(kernel_sets().front()->name);
  CHECK_ERROR(select(~0u, "SCALAR", "GENG_FORCE_ISA"), Code::invalid_argument,
              ("GENG_FORCE_ISA=SCALAR: unknown; this binary has " + known).c_str());
}
TEST(KernelSet, ObeysTheEnvironment) {
  setenv("GENG_FORCE_ISA", "scalar", 1);
  CHECK_EQ(geng::cpu::active().name, "scalar");
}
#if defined(__x86_64__)
TEST(KernelSet, NeedsFmaBesideAvx2) {
  CHECK_EQ(select(geng::cpu::kAvx2, "").name, "scalar");
  CHECK_EQ(select(geng::cpu::kAvx2 | geng::cpu::kFma, "").name, "avx2");
}
TEST(KernelSet, TakesVnniOnlyOverTheRegistersThatThisCpuHas) {
  using namespace geng::cpu;
  CHECK_EQ(select(kAvx2 | kFma | kAvx512Vnni, "").name, "avx2");
  CHECK_EQ(select(kAvx2 | kFma | kAvxVnni, "").name, "avx_vnni");
  CHECK_EQ(select(kAvx2 | kFma | kAvx512, "").name, "avx512");
  CHECK_EQ(select(kAvx2 | kFma | kAvx512 | kAvx512Vnni, "").name, "avx512_vnni");
}
#endif

#if defined(__aarch64__)
TEST(KernelSet, TakesTheBestOfWhatAnArmCpuHas) {
  using namespace geng::cpu;
  CHECK_EQ(select(0, "").name, "neon");
  CHECK_EQ(select(kI8mm, "").name, "neon");
  CHECK_EQ(select(kDotprod | kFp16, "").name, "dotprod");
  CHECK_EQ(select(kDotprod | kI8mm, "").name, "i8mm");
}
TEST(Detect, FindsWhatTheEmulatedCpuHas) {
  using namespace geng::cpu;
  const char* emulated = std::getenv("QEMU_CPU");
  const std::string cpu = emulated != nullptr ? emulated : "";
  if (cpu == "cortex-a53" || cpu == "cortex-a72") CHECK_EQ(detect(), 0u);
  if (cpu == "cortex-a76") CHECK_EQ(detect(), kDotprod | kFp16);
  if (cpu == "max,sme=off") CHECK_EQ(detect(), kDotprod | kI8mm | kFp16);
}
#endif

#if defined(__x86_64__)
TEST(Detect, FindsWhatTheKernelLists) {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line) && !line.starts_with("flags")) {
  }
  if (!line.starts_with("flags")) return;  // a system that lists nothing
  const std::string flags = line + " ";
  const auto has = [&](const char* name) { return flags.find(name) != std::string::npos; };
  const std::uint32_t have = geng::cpu::detect();
  CHECK_EQ((have & geng::cpu::kAvx2) != 0, has(" avx2 "));
  CHECK_EQ((have & geng::cpu::kFma) != 0, has(" fma "));
  CHECK_EQ((have & geng::cpu::kAvxVnni) != 0, has(" avx_vnni "));
  CHECK_EQ((have & geng::cpu::kAvx512) != 0,
           has(" avx512f ") && has(" avx512bw ") && has(" avx512dq ") && has(" avx512vl "));
  CHECK_EQ((have & geng::cpu::kAvx512Vnni) != 0, has(" avx512_vnni "));
}
#endif

#if defined(__arm__)
TEST(KernelSet, TakesNeonOnlyWithItsFusedMultiplyAdd) {
  CHECK_EQ(select(0, "").name, "scalar");
  CHECK_EQ(select(geng::cpu::kNeonFma, "").name, "armv7_neon");
}
TEST(Detect, FindsWhatTheEmulatedCpuHas) {
  const char* emulated = std::getenv("QEMU_CPU");
  const std::string cpu = emulated != nullptr ? emulated : "";
  if (cpu == "cortex-a8") CHECK_EQ(geng::cpu::detect(), 0u);
  if (cpu == "cortex-a7") CHECK_EQ(geng::cpu::detect(), geng::cpu::kNeonFma);
}
#endif

CHECK_MAIN()
