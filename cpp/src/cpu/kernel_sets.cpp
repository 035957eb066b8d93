#include <cstdlib>
#include <string>

#include "cpu/kernel_set.h"
#include "geng/error.h"

namespace geng::cpu {

namespace scalar {
extern const KernelSet kernels;
}
#if defined(__x86_64__)
namespace avx2 {
extern const KernelSet kernels;
}
#elif defined(__aarch64__)
namespace neon {
extern const KernelSet kernels;
}
#endif

namespace {

// Best first. The order is the policy: nothing else ranks instruction sets.
constexpr const KernelSet* kBestFirst[] = {
#if defined(__x86_64__)
    &avx2::kernels,
#elif defined(__aarch64__)
    &neon::kernels,
#endif
    &scalar::kernels,
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

const KernelSet& select(std::uint32_t have, std::string_view forced) {
  for (const KernelSet* set : kBestFirst) {
    const bool runnable = (set->needs & ~have) == 0;
    if (forced.empty() && runnable) return *set;
    if (set->name == forced) {
      if (runnable) return *set;
      throw Error(Code::invalid_argument,
                  "GENG_FORCE_ISA=" + std::string(forced) + ": this CPU does not support it");
    }
  }
  throw Error(Code::invalid_argument, "GENG_FORCE_ISA=" + std::string(forced) +
                                          ": unknown; this binary has " + names_in_this_binary());
}

const KernelSet& active() {
  static const KernelSet& chosen = []() -> const KernelSet& {
    const char* forced = std::getenv("GENG_FORCE_ISA");
    return select(detect(), forced != nullptr ? forced : "");
  }();
  return chosen;
}

}  // namespace geng::cpu
