#include <cstdlib>
#include <string>

#include "cpu/kernel_set.h"
#include "geng/error.h"

namespace geng::cpu {

namespace scalar {
extern const KernelSet kernels;
}
#if defined(__x86_64__)
namespace avx512_vnni {
extern const KernelSet kernels;
}
namespace avx512 {
extern const KernelSet kernels;
}
namespace avx_vnni {
extern const KernelSet kernels;
}
namespace avx2 {
extern const KernelSet kernels;
}
#elif defined(__aarch64__)
namespace i8mm {
extern const KernelSet kernels;
}
namespace dotprod {
extern const KernelSet kernels;
}
namespace neon {
extern const KernelSet kernels;
}
#elif defined(__arm__)
namespace armv7_neon {
extern const KernelSet kernels;
}
#endif

namespace {

// Best first. The order is the policy: nothing else ranks instruction sets.
constexpr const KernelSet* kBestFirst[] = {
#if defined(__x86_64__)
    &avx512_vnni::kernels, &avx512::kernels, &avx_vnni::kernels, &avx2::kernels,
#elif defined(__aarch64__)
    &i8mm::kernels,
    &dotprod::kernels,
    &neon::kernels,
#elif defined(__arm__)
    &armv7_neon::kernels,
#endif
    &scalar::kernels,
};

constexpr NamedFeature kFeatures[] = {
    {kAvx2, "avx2"},
    {kFma, "fma"},
    {kAvxVnni, "avx_vnni"},
    {kAvx512, "avx512"},
    {kAvx512Vnni, "avx512_vnni"},
    {kDotprod, "dotprod"},
    {kI8mm, "i8mm"},
    {kFp16, "fp16"},
    {kNeonFma, "neon_fma"},
};

std::string names_in_this_binary() {
  std::string names;
  for (const KernelSet* set : kBestFirst) {
    names += (names.empty() ? "" : ", ") + std::string(set->name);
  }
  return names;
}

}  // namespace

std::span<const KernelSet* const> kernel_sets() noexcept { return kBestFirst; }

std::span<const NamedFeature> named_features() noexcept { return kFeatures; }

const KernelSet& select(std::uint32_t have, std::string_view forced, std::string_view asked_by) {
  const std::string asked = std::string(asked_by) + "=" + std::string(forced.substr(0, 64));
  for (const KernelSet* set : kBestFirst) {
    const bool runnable = (set->needs & ~have) == 0;
    if (forced.empty() && runnable) return *set;
    if (set->name == forced) {
      if (runnable) return *set;
      throw Error(Code::invalid_argument, asked + ": this CPU does not support it");
    }
  }
  throw Error(Code::invalid_argument,
              asked + ": unknown; this binary has " + names_in_this_binary());
}

const KernelSet& active() {
  static const KernelSet& chosen = []() -> const KernelSet& {
    const char* forced = std::getenv("GENG_FORCE_ISA");
    return select(detect(), forced != nullptr ? forced : "", "GENG_FORCE_ISA");
  }();
  return chosen;
}

}  // namespace geng::cpu
