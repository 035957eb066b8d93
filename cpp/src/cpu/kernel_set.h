#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

// The seam between the models and the instruction sets. Pointers are unchecked: whoever builds an
// operand has checked its sizes. No kernel allocates, throws, or reads past the end of an operand.
// Every row of every result is independent of how many rows are computed with it, and of the tile.
namespace geng::cpu {

/// One bit per instruction-set extension that a kernel may need.
enum Feature : std::uint32_t {
  kAvx2 = 1u << 0,
  kFma = 1u << 1,
};

/// A row of quantized activations is padded with zeros to a multiple of this.
constexpr std::size_t kActivationPad = 16;

/// What is applied to an output of a matmul before it is stored.
enum class Epilogue : std::uint8_t { none, gelu_tanh, gelu_erf };

/// The part of a [rows, cols] output one call computes: how a matmul is shared between threads.
struct Tile {
  std::size_t row_begin, row_end;
  std::size_t col_begin;  ///< A multiple of the set's i8_cols (int8) or f32_cols (float32).
  std::size_t col_end;
};

/// x float32 [rows, depth] to int8 steps of scale[row] = max|x| / 127, halves to even.
/// A row that holds a NaN or an infinity gets scale NaN, so that it cannot be lost on the way.
struct QuantizeRows {
  const float* x;  ///< [rows, depth]
  void* q;  ///< Out: activation_bytes(set, rows, depth), 64-byte aligned, the set's own layout.
  float* scale;  ///< Out: [rows]
  std::size_t rows, depth;
};

/// y[m, n] = epilogue((sum over k of q[m, k] * w[n, k]) * (x_scale[m] * w_scale[n]) + bias[n]).
/// The sum is exact.
struct MatmulI8 {
  const void* x;         ///< As written by quantize_rows, all `rows` of it.
  const float* x_scale;  ///< [rows]
  const void* w;         ///< As written by pack_i8, [cols, depth].
  const float* w_scale;  ///< [cols]
  const float* bias;     ///< [cols], or null for none.
  float* y;              ///< Out: row m starts at y + m * y_stride.
  std::size_t y_stride;  ///< >= cols, in floats.
  std::size_t cols, depth;
  Epilogue epilogue;
};

/// y[m, n] = epilogue(sum over k of x[m, k] * w[n, k], k ascending, + bias[n]).
struct MatmulF32 {
  const float* x;        ///< Row m starts at x + m * x_stride.
  std::size_t x_stride;  ///< >= depth, in floats.
  const float* w;        ///< As written by pack_f32, [cols, depth].
  const float* bias;     ///< [cols], or null for none.
  float* y;              ///< Out: row m starts at y + m * y_stride.
  std::size_t y_stride;  ///< >= cols, in floats.
  std::size_t cols, depth;
  Epilogue epilogue;
};

/// y = (x - mean) / sqrt(variance + eps) * (gain_base + gain) + offset, each row by itself.
/// gain_base is 0 for a learned affine (gain = weight), 1 for a modulation (gain = scale).
struct LayerNorm {
  const float* x;       ///< [rows, width]
  float* y;             ///< Out: [rows, width]; may be x.
  const float* gain;    ///< [width], or null: no gain, whatever gain_base is.
  const float* offset;  ///< [width], or null: 0.
  float gain_base, eps;
  std::size_t rows, width;
};

/// out[i] = sum over j of softmax_j(scale * q[i] . k[j]) v[j], for one head of one sample.
struct Attention {
  const float* q;  ///< [queries, head_width], rows q_stride apart (all strides in floats)
  const float* k;  ///< [keys, head_width], rows k_stride apart
  const float* v;  ///< [keys, head_width], rows v_stride apart
  float* out;      ///< Out: [queries, head_width], rows out_stride apart
  float* scores;   ///< Scratch: [keys]
  std::size_t q_stride, k_stride, v_stride, out_stride;
  std::size_t queries, keys, head_width;
  float scale;  ///< 1 / sqrt(head_width)
};

/// Every kernel one instruction set provides. Plain data: a new instruction set is one folder,
/// one constant of this type, and one line in kernel_sets.cpp.
struct KernelSet {
  std::string_view name;  ///< As accepted by GENG_FORCE_ISA.
  std::uint32_t needs;    ///< Feature bits; 0 means the ABI baseline is enough.

  // Layouts, read by pack.h. int8 weights: panels of i8_cols columns, each [depth / i8_depth,
  // i8_cols, i8_depth]; float32 weights: panels of f32_cols columns, each [depth, f32_cols].
  std::uint32_t i8_cols, i8_depth;
  std::uint32_t activation_width;  ///< Bytes of one quantized activation: 1 or 2.
  std::uint32_t f32_cols;

  void (*quantize_rows)(const QuantizeRows&) noexcept;
  void (*matmul_i8)(const MatmulI8&, const Tile&) noexcept;
  void (*matmul_f32)(const MatmulF32&, const Tile&) noexcept;
  void (*layernorm)(const LayerNorm&) noexcept;
  void (*attention)(const Attention&) noexcept;
  /// Each row of x [rows, width] becomes its softmax, in place.
  void (*softmax_rows)(float* x, std::size_t rows, std::size_t width) noexcept;
  // y[i] = f(x[i]); y may be x.
  void (*gelu_tanh)(const float* x, float* y, std::size_t n) noexcept;
  void (*gelu_erf)(const float* x, float* y, std::size_t n) noexcept;
  void (*silu)(const float* x, float* y, std::size_t n) noexcept;
  /// y[i] = a * x[i] + b * y[i].
  void (*axpby)(float a, const float* x, float b, float* y, std::size_t n) noexcept;
  /// y[r, i] += gate[i] * x[r, i]; gate null means 1.
  void (*add_gated)(const float* x, const float* gate, float* y, std::size_t rows,
                    std::size_t width) noexcept;
};

/// Every set in this binary, best first. The last one, scalar, runs anywhere.
std::span<const KernelSet* const> kernel_sets() noexcept;

/// Feature bits of this CPU.
std::uint32_t detect() noexcept;

/// The best set a CPU with these features can run, or exactly `forced` when that is not empty.
///
/// @throws Error{invalid_argument}  `forced` is not a set in this binary, or this CPU lacks it.
const KernelSet& select(std::uint32_t have, std::string_view forced);

/// select() for this machine and $GENG_FORCE_ISA, decided once, at first use.
///
/// @throws Error{invalid_argument}  As select().
const KernelSet& active();

}  // namespace geng::cpu
