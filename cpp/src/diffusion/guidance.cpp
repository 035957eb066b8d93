#include "diffusion/guidance.h"

namespace geng {

void guide(double scale, std::span<const float> unconditional,
           std::span<float> conditional) noexcept {
  for (std::size_t i = 0; i < conditional.size(); ++i) {
    conditional[i] = static_cast<float>((scale + 1.0) * conditional[i] - scale * unconditional[i]);
  }
}

}  // namespace geng
