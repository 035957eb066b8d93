#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/kernel_set.h"

// Weights in the order a kernel set reads them. Packed once, at load, never on the way of a
// request.
namespace geng::cpu {

/// A linear layer's operands, ready for `matmul_i8` or `matmul_f32`. Borrows all it points to.
struct PackedLinear {
  const void* weight = nullptr;  ///< As written by pack_i8 when `scale` is set, else by pack_f32.
  const float* scale = nullptr;  ///< [cols] for int8, null for float32.
  const float* bias = nullptr;   ///< [cols] or null.
  std::size_t cols = 0;          ///< Outputs.
  std::size_t depth = 0;         ///< Inputs.

  [[nodiscard]] bool is_int8() const noexcept { return scale != nullptr; }
};

/// Bytes of packed weights [cols, depth]; the block must be 64-byte aligned.
std::size_t packed_i8_bytes(const KernelSet& set, std::size_t cols, std::size_t depth) noexcept;
std::size_t packed_f32_bytes(const KernelSet& set, std::size_t cols, std::size_t depth) noexcept;

/// w int8 [cols, depth] row-major, values in [-127, 127], to the layout of `set`.
void pack_i8(const KernelSet& set, const std::int8_t* w, std::size_t cols, std::size_t depth,
             void* packed) noexcept;

/// w float32 [cols, depth], rows `stride` floats apart, to the layout of `set`. What pads the last
/// panel is left as it is: a column that is not there is computed and thrown away.
void pack_f32(const KernelSet& set, const float* w, std::size_t stride, std::size_t cols,
              std::size_t depth, float* packed) noexcept;

/// The same for a matrix that lies the other way: w [depth, cols], rows `stride` floats apart.
void pack_f32_transposed(const KernelSet& set, const float* w, std::size_t stride, std::size_t cols,
                         std::size_t depth, float* packed) noexcept;

/// Bytes that quantize_rows writes for [rows, depth] activations.
std::size_t activation_bytes(const KernelSet& set, std::size_t rows, std::size_t depth) noexcept;

/// w float32 [cols, depth] to symmetric int8 with one scale a column: w ~ q * scale[col],
/// q in [-127, 127], halves to even. How an int8 run reads a float32 file.
void quantize_weights(const float* w, std::size_t cols, std::size_t depth, std::int8_t* q,
                      float* scale) noexcept;

}  // namespace geng::cpu
