#include "model/attention.h"

#include <algorithm>
#include <cmath>

#include "cpu/pack.h"

namespace geng {
namespace {

constexpr std::size_t kLine = 16;  // floats of a cache line

std::size_t whole_lines(std::size_t bytes) noexcept {
  return (bytes / sizeof(float) + kLine - 1) / kLine * kLine;
}

/// Floats of the keys alone: where the values begin.
std::size_t key_floats(const cpu::KernelSet& kernels, std::size_t keys,
                       std::size_t head_width) noexcept {
  return whole_lines(cpu::packed_f32_bytes(kernels, keys, head_width));
}

}  // namespace

std::size_t packed_head_floats(const cpu::KernelSet& kernels, std::size_t keys,
                               std::size_t head_width) noexcept {
  return key_floats(kernels, keys, head_width) +
         whole_lines(cpu::packed_f32_bytes(kernels, head_width, keys));
}

std::size_t score_floats(const cpu::KernelSet& kernels, std::size_t queries,
                         std::size_t keys) noexcept {
  const std::size_t padded = (keys + kernels.f32_cols - 1) / kernels.f32_cols * kernels.f32_cols;
  return whole_lines(std::min(queries, cpu::kAttentionRows) * padded * sizeof(float));
}

void pack_head(const cpu::KernelSet& kernels, const KeysValues& from, std::size_t keys,
               std::size_t head_width, std::size_t head, std::span<float> packed) noexcept {
  const std::size_t at = head * head_width;
  cpu::pack_f32(kernels, from.k + at, from.stride, keys, head_width, packed.data());
  cpu::pack_f32_transposed(kernels, from.v + at, from.stride, head_width, keys,
                           packed.data() + key_floats(kernels, keys, head_width));
}

void attend_head(const cpu::KernelSet& kernels, const MultiHead& a, std::size_t head,
                 std::span<const float> packed, std::span<float> scores) noexcept {
  const std::size_t head_width = a.head_width();
  const std::size_t at = head * head_width;
  const float* v = packed.data() + key_floats(kernels, a.keys, head_width);
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_width));
  kernels.attention({a.q + at, packed.data(), v, a.out + at, scores.data(), a.q_stride,
                     a.out_stride, a.queries, a.keys, head_width, scale});
}

void attend_once(const cpu::KernelSet& kernels, const MultiHead& a, const KeysValues& from,
                 std::span<float> packed, std::span<float> scores) noexcept {
  for (std::size_t head = 0; head < a.heads; ++head) {
    pack_head(kernels, from, a.keys, a.head_width(), head, packed);
    attend_head(kernels, a, head, packed, scores);
  }
}

}  // namespace geng
