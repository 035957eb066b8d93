#pragma once

#include <cstddef>
#include <span>

#include "cpu/kernel_set.h"

namespace geng {

/// softmax(q k^T / sqrt(head width)) v of one sequence, its heads side by side in `width` columns.
struct MultiHead {
  const float* q;
  float* out;
  std::size_t q_stride, out_stride;  ///< Floats from one row to the next.
  std::size_t queries, keys, width, heads;

  [[nodiscard]] std::size_t head_width() const noexcept { return width / heads; }
};

/// Keys and values of a sequence: k in columns [0, width), v in the next `width`.
struct KeysValues {
  const float* k;
  const float* v;
  std::size_t stride;  ///< Floats from one row to the next, of both.
};

/// Floats of one head's keys and values as pack_head writes them; every head starts on a cache
/// line.
std::size_t packed_head_floats(const cpu::KernelSet& kernels, std::size_t keys,
                               std::size_t head_width) noexcept;

/// Floats of scratch that attending to `keys` keys with `queries` queries takes.
std::size_t score_floats(const cpu::KernelSet& kernels, std::size_t queries,
                         std::size_t keys) noexcept;

/// Head `head` of `from`, in the order the attention kernel reads.
void pack_head(const cpu::KernelSet& kernels, const KeysValues& from, std::size_t keys,
               std::size_t head_width, std::size_t head, std::span<float> packed) noexcept;

/// Head `head` alone, its keys and values packed.
void attend_head(const cpu::KernelSet& kernels, const MultiHead& a, std::size_t head,
                 std::span<const float> packed, std::span<float> scores) noexcept;

/// Every head, packing one after the other into the same scratch: for keys that are read once.
void attend_once(const cpu::KernelSet& kernels, const MultiHead& a, const KeysValues& from,
                 std::span<float> packed, std::span<float> scores) noexcept;

}  // namespace geng
