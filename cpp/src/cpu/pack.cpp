#include "cpu/pack.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace geng::cpu {
namespace {

std::size_t round_up(std::size_t n, std::size_t to) noexcept { return (n + to - 1) / to * to; }

/// to[i][j] = from[j][k + i] of four rows by four columns; rows of `to` lie `wide` floats apart.
void transpose4(const float* const (&from)[4], std::size_t k, float* to,
                std::size_t wide) noexcept {
#if defined(__has_builtin) && __has_builtin(__builtin_shufflevector)
  using Four [[gnu::vector_size(16)]] = float;
  Four row[4];
  for (std::size_t j = 0; j < 4; ++j) std::memcpy(&row[j], from[j] + k, sizeof row[j]);
  const Four low = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const Four high = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const Four low2 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const Four high2 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  const Four column[4] = {__builtin_shufflevector(low, low2, 0, 1, 4, 5),
                          __builtin_shufflevector(low, low2, 2, 3, 6, 7),
                          __builtin_shufflevector(high, high2, 0, 1, 4, 5),
                          __builtin_shufflevector(high, high2, 2, 3, 6, 7)};
  for (std::size_t i = 0; i < 4; ++i) std::memcpy(to + i * wide, &column[i], sizeof column[i]);
#else
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j) to[i * wide + j] = from[j][k + i];
#endif
}

/// Bytes of what an int8 panel begins with: its offsets or its header, where the set has them.
std::size_t header_bytes(const KernelSet& set, std::size_t depth) noexcept {
  if (set.i8_header_bytes != nullptr) return set.i8_header_bytes(depth);
  return set.i8_shifted ? set.i8_cols * sizeof(std::int32_t) : 0;
}

std::size_t panel_bytes(const KernelSet& set, std::size_t depth) noexcept {
  return header_bytes(set, depth) + set.i8_cols * round_up(depth, set.i8_depth);
}

/// What unsigned activations add to the sums of `count` columns of w, to be taken off again.
void write_offsets(const std::int8_t* w, std::size_t count, std::size_t depth,
                   std::int8_t* panel) noexcept {
  for (std::size_t n = 0; n < count; ++n, w += depth) {
    std::int32_t offset = 0;
    for (std::size_t k = 0; k < depth; ++k) offset -= 128 * std::int32_t{w[k]};
    std::memcpy(panel + n * sizeof offset, &offset, sizeof offset);
  }
}

}  // namespace

std::size_t packed_i8_bytes(const KernelSet& set, std::size_t cols, std::size_t depth) noexcept {
  return round_up(cols, set.i8_cols) / set.i8_cols * panel_bytes(set, depth);
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
  auto* panel = static_cast<std::int8_t*>(packed);
  std::memset(panel, 0, packed_i8_bytes(set, cols, depth));
  const std::size_t bytes = panel_bytes(set, depth);
  const std::size_t header = header_bytes(set, depth);
  for (std::size_t first = 0; first < cols; first += set.i8_cols, panel += bytes) {
    const std::size_t count = std::min<std::size_t>(set.i8_cols, cols - first);
    if (set.i8_shifted) write_offsets(w + first * depth, count, depth, panel);
    if (set.write_i8_header != nullptr) {
      set.write_i8_header(w + first * depth, count, depth, panel);
    }
    for (std::size_t n = 0; n < count; ++n) {
      const std::int8_t* column = w + (first + n) * depth;
      std::int8_t* out = panel + header + n * set.i8_depth;
      for (std::size_t k = 0; k < depth; ++k) {
        const std::size_t group = k / set.i8_depth * set.i8_depth * set.i8_cols;
        out[group + k % set.i8_depth] = column[k];
      }
    }
  }
}

void pack_f32(const KernelSet& set, const float* w, std::size_t stride, std::size_t cols,
              std::size_t depth, float* packed) noexcept {
  const std::size_t wide = set.f32_cols;
  for (std::size_t first = 0; first < cols; first += wide, packed += wide * depth) {
    const std::size_t count = std::min(wide, cols - first);
    const float* rows = w + first * stride;
    for (std::size_t n = 0; n < count; n += 4) {  // a panel is a multiple of four columns wide
      const float* row[4];
      for (std::size_t i = 0; i < 4; ++i) {
        row[i] = rows + std::min(n + i, count - 1) * stride;  // beyond the last: no matter what
      }
      std::size_t k = 0;
      for (; k + 4 <= depth; k += 4) transpose4(row, k, packed + k * wide + n, wide);
      for (; k < depth; ++k) {
        for (std::size_t i = 0; i < 4; ++i) packed[k * wide + n + i] = row[i][k];
      }
    }
  }
}

void pack_f32_transposed(const KernelSet& set, const float* w, std::size_t stride, std::size_t cols,
                         std::size_t depth, float* packed) noexcept {
  const std::size_t wide = set.f32_cols;
  for (std::size_t first = 0; first < cols; first += wide, packed += wide * depth) {
    const std::size_t count = std::min(wide, cols - first);
    std::size_t n = 0;
    for (; n + 8 <= count; n += 8) {
      const float* from = w + first + n;
      float* to = packed + n;
      // By a size the compiler knows: a call of memcpy costs more than a row of a head.
      for (std::size_t k = 0; k < depth; ++k, from += stride, to += wide) {
        std::memcpy(to, from, 8 * sizeof(float));
      }
    }
    for (; n < count; ++n) {
      for (std::size_t k = 0; k < depth; ++k) packed[k * wide + n] = w[k * stride + first + n];
    }
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
