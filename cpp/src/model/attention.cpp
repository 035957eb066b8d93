#include "model/attention.h"

#include <cmath>

namespace geng {

void attend_head(const cpu::KernelSet& kernels, const MultiHead& a, std::size_t head) noexcept {
  const std::size_t head_width = a.width / a.heads;
  const std::size_t at = head * head_width;
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_width));
  kernels.attention({a.q + at, a.k + at, a.v + at, a.out + at, a.scores, a.q_stride, a.kv_stride,
                     a.kv_stride, a.out_stride, a.queries, a.keys, head_width, scale});
}

void attend_all_heads(const cpu::KernelSet& kernels, const MultiHead& a) noexcept {
  for (std::size_t head = 0; head < a.heads; ++head) attend_head(kernels, a, head);
}

}  // namespace geng
