#include <cstdlib>
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
  CHECK_ERROR(select(~0u, "SCALAR"), Code::invalid_argument,
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
#endif

CHECK_MAIN()
