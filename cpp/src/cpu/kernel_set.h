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
  kAvxVnni = 1u << 2,
  kAvx512 = 1u << 3,  ///< F, BW, DQ and VL: what every server since 2017 has of it.
  kAvx512Vnni = 1u << 4,
  kDotprod = 1u << 5,
  kI8mm = 1u << 6,
  kFp16 = 1u << 7,
  kNeonFma = 1u << 8,  ///< 32-bit Arm: NEON and VFPv4. Every 64-bit Arm has both.
};

/// A row of quantized activations is padded with zeros to a multiple of this.
constexpr std::size_t kActivationPad = 16;

/// What is applied to an output of a matmul before it is stored.
enum class Epilogue : std::uint8_t { none, gelu_tanh, gelu_erf };

/// Where the output of a matmul goes.
struct Output {
  float* y;            ///< Out: row m starts at y + m * stride.
  std::size_t stride;  ///< >= cols, in floats.
  bool adds;           ///< y += gate * result instead of y = result.
  const float* gate;   ///< [cols], read when it adds; null means 1.
};

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
  std::size_t cols, depth;
  Epilogue epilogue;
  Output out;
};

/// y[m, n] = epilogue(sum over k of x[m, k] * w[n, k], k ascending, + bias[n]).
struct MatmulF32 {
  const float* x;        ///< Row m starts at x + m * x_stride.
  std::size_t x_stride;  ///< >= depth, in floats.
  const float* w;        ///< As written by pack_f32, [cols, depth].
  const float* bias;     ///< [cols], or null for none.
  std::size_t cols, depth;
  Epilogue epilogue;
  Output out;
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

/// Queries that the attention kernel takes at a time; its scratch holds their scores.
constexpr std::size_t kAttentionRows = 16;

/// out[i] = sum over j of softmax_j(scale * q[i] . k[j]) v[j], for one head of one sample.
/// Keys and values come packed, since a condition's are read at every step of a trajectory.
struct Attention {
  const float* q;  ///< [queries, head_width], rows q_stride apart (all strides in floats)
  const float* k;  ///< As written by pack_f32: [keys, head_width].
  const float* v;  ///< As written by pack_f32_transposed: [keys, head_width].
  float* out;      ///< Out: [queries, head_width], rows out_stride apart
  float* scores;   ///< Scratch: [min(queries, kAttentionRows), keys up to a multiple of f32_cols]
  std::size_t q_stride, out_stride;
  std::size_t queries, keys, head_width;
  float scale;  ///< > 0; 1 / sqrt(head_width)
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
  /// Activations are stored plus 128, unsigned, and every int8 panel begins with what to add to its
  /// sums for that: int32 [i8_cols], -128 times the sum of each column.
  bool i8_shifted;
  /// What else an int8 panel begins with: its bytes for a depth, and what writes them, over zeros,
  /// for `cols` <= i8_cols columns w [cols, depth]. Null where a set keeps nothing there.
  std::size_t (*i8_header_bytes)(std::size_t depth) noexcept = nullptr;
  void (*write_i8_header)(const std::int8_t* w, std::size_t cols, std::size_t depth,
                          void* header) noexcept = nullptr;
  std::uint32_t f32_cols;

  void (*quantize_rows)(const QuantizeRows&) noexcept;
  void (*matmul_i8)(const MatmulI8&, const Tile&) noexcept;
  void (*matmul_f32)(const MatmulF32&, const Tile&) noexcept;
  void (*layernorm)(const LayerNorm&) noexcept;
  void (*attention)(const Attention&) noexcept;
  // Register-only loops of the instruction that each matmul lives on: what this core could reach.
  // Both return the multiply-adds they did in `rounds` rounds.
  std::uint64_t (*peak_i8)(std::size_t rounds) noexcept;
  std::uint64_t (*peak_f32)(std::size_t rounds) noexcept;
  /// y[i] = x[i] / (1 + e^-x[i]); y may be x.
  void (*silu)(const float* x, float* y, std::size_t n) noexcept;
  /// y[i] = a * x[i] + b * y[i].
  void (*axpby)(float a, const float* x, float b, float* y, std::size_t n) noexcept;
};

/// Every set in this binary, best first. The last one, scalar, runs anywhere.
std::span<const KernelSet* const> kernel_sets() noexcept;

/// Feature bits of this CPU.
std::uint32_t detect() noexcept;

/// One Feature and its name, as `geng-edge doctor` shows it.
struct NamedFeature {
  Feature bit;
  std::string_view name;
};
std::span<const NamedFeature> named_features() noexcept;

/// The best set a CPU with these features can run, or exactly `forced` when that is not empty.
///
/// @param asked_by  What named the set, for the sentence of a refusal.
/// @throws Error{invalid_argument}  `forced` is not a set in this binary, or this CPU lacks it.
const KernelSet& select(std::uint32_t have, std::string_view forced,
                        std::string_view asked_by = "isa");

/// select() for this machine and $GENG_FORCE_ISA, decided once, at first use.
///
/// @throws Error{invalid_argument}  As select().
const KernelSet& active();

}  // namespace geng::cpu
