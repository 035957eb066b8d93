#include "cpu/pack.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace geng::cpu {
namespace {

std::size_t round_up(std::size_t n, std::size_t to) noexcept { return (n + to - 1) / to * to; }

}  // namespace

std::size_t packed_i8_bytes(const KernelSet& set, std::size_t cols, std::size_t depth) noexcept {
  return round_up(cols, set.i8_cols) * round_up(depth, set.i8_depth);
}

std::size_t packed_f32_bytes(const KernelSet& set, std::size_t cols, std::size_t depth) noexcept {
  return round_up(cols, set.f32_cols) * depth * sizeof(float);
}

std::size_t activation_bytes(const KernelSet& set, std::size_t rows, std::size_t depth) noexcept {
  return rows * round_up(depth, kActivationPad) * set.activation_width;
}

// Padding columns and depths are zero: they add nothing to a sum, and kernels need no tail loop.
void pack_i8(const KernelSet& set, const std::int8_t* w, std::size_t cols, std::size_t depth,
             void* packed) noexcept {
  auto* out = static_cast<std::int8_t*>(packed);
  std::memset(out, 0, packed_i8_bytes(set, cols, depth));
  const std::size_t panel_bytes = set.i8_cols * round_up(depth, set.i8_depth);
  for (std::size_t n = 0; n < cols; ++n) {
    std::int8_t* column = out + n / set.i8_cols * panel_bytes + n % set.i8_cols * set.i8_depth;
    for (std::size_t k = 0; k < depth; ++k) {
      const std::size_t group = k / set.i8_depth * set.i8_depth * set.i8_cols;
      column[group + k % set.i8_depth] = w[n * depth + k];
    }
  }
}

void pack_f32(const KernelSet& set, const float* w, std::size_t cols, std::size_t depth,
              float* packed) noexcept {
  std::memset(packed, 0, packed_f32_bytes(set, cols, depth));
  for (std::size_t n = 0; n < cols; ++n) {
    float* column = packed + n / set.f32_cols * set.f32_cols * depth + n % set.f32_cols;
    for (std::size_t k = 0; k < depth; ++k) column[k * set.f32_cols] = w[n * depth + k];
  }
}

void quantize_weights(const float* w, std::size_t cols, std::size_t depth, std::int8_t* q,
                      float* scale) noexcept {
  for (std::size_t n = 0; n < cols; ++n, w += depth, q += depth) {
    float most = 0.0f;
    for (std::size_t k = 0; k < depth; ++k) most = std::max(most, std::fabs(w[k]));
    const bool silent = most < 1e-30f;  // as quantize_rows: the inverse would overflow
    scale[n] = silent ? 0.0f : most / 127.0f;
    const float inverse = silent ? 0.0f : 127.0f / most;
    for (std::size_t k = 0; k < depth; ++k) {
      q[k] = static_cast<std::int8_t>(std::nearbyint(w[k] * inverse));
    }
  }
}

}  // namespace geng::cpu
