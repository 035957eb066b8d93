#pragma once

#include <cstddef>

#include "cpu/kernel_set.h"

namespace geng {

/// softmax(q k^T / sqrt(head width)) v of one sequence, its heads side by side in `width` columns.
struct MultiHead {
  const float* q;
  const float* k;
  const float* v;
  float* out;
  float* scores;                                ///< Scratch: [keys]
  std::size_t q_stride, kv_stride, out_stride;  ///< Floats from one row to the next.
  std::size_t queries, keys, width, heads;
};

void attend_all_heads(const cpu::KernelSet& kernels, const MultiHead& a) noexcept;

/// Head `head` alone.
void attend_head(const cpu::KernelSet& kernels, const MultiHead& a, std::size_t head) noexcept;

}  // namespace geng
