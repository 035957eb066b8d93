#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/arena.h"
#include "core/thread_pool.h"
#include "cpu/kernel_set.h"
#include "cpu/pack.h"
#include "format/gguf.h"
#include "format/packed_weights.h"
#include "geng/precision.h"

namespace geng {

/// What a model computes with.
struct Compute {
  const cpu::KernelSet& kernels;
  ThreadPool& pool;
};

/// Rows that a thread takes at a time: enough to reuse a panel of weights, few enough for a cache.
inline constexpr std::size_t kRowBlock = 48;

/// Calls body(first_row, last_row) for every block of `rows`, on the pool.
template <typename Body>
void for_row_blocks(ThreadPool& pool, std::size_t rows, Body&& body) {
  pool.parallel_for((rows + kRowBlock - 1) / kRowBlock, [&](std::size_t block) {
    const std::size_t first = block * kRowBlock;
    body(first, first + kRowBlock < rows ? first + kRowBlock : rows);
  });
}

/// y = result, rows `stride` floats apart.
inline cpu::Output into(float* y, std::size_t stride) noexcept {
  return {y, stride, false, nullptr};
}

/// y += gate * result; gate null means 1. What closes a residual.
inline cpu::Output added_to(float* y, std::size_t stride, const float* gate) noexcept {
  return {y, stride, true, gate};
}

class Linear;
struct WeightReader;

/// Rows on their way into a linear layer: float32, and int8 where the layer reads that.
struct LinearInput {
  std::span<float> values;     ///< [rows, depth]
  std::span<std::byte> steps;  ///< The same rows quantised, in the kernel set's layout.
  std::span<float> scales;     ///< [rows], of `steps`
  std::size_t depth = 0;

  template <typename Source>
  static LinearInput cut(Source& arena, const cpu::KernelSet& kernels, std::size_t rows,
                         std::size_t depth) {
    LinearInput input;
    input.values = arena.template take<float>(rows * depth);
    input.steps = arena.template take<std::byte>(cpu::activation_bytes(kernels, rows, depth));
    input.scales = arena.template take<float>(rows);
    input.depth = depth;
    return input;
  }

  /// Makes rows [first, last) of `values` ready for `reader`, for whom they may be scaled in place.
  /// Ranges may be prepared in parallel.
  void prepare(const Linear& reader, const cpu::KernelSet& kernels, std::size_t first,
               std::size_t last) const noexcept;
};

/// y = W x + b, with the weights packed for one kernel set.
class Linear {
 public:
  /// Takes `<name>.weight`, `<name>.bias` and, for int8, `<name>.weight.scale` of a checked file,
  /// and `<name>.smooth` where it is there: what evens out the columns of the input before they are
  /// quantised, the stored weights divided by it (SmoothQuant, Xiao et al. 2023).
  /// Bias and stored scales are borrowed from the mapping, packed weights from `weights.packed`.
  Linear(const WeightReader& weights, std::string_view name, Precision precision);

  [[nodiscard]] std::size_t inputs() const noexcept { return packed_.depth; }
  [[nodiscard]] std::size_t outputs() const noexcept { return packed_.cols; }
  [[nodiscard]] bool is_int8() const noexcept { return packed_.is_int8(); }
  /// [inputs()] factors of the input's columns; empty for none.
  [[nodiscard]] std::span<const float> smooth() const noexcept { return smooth_; }

  /// epilogue(W x[r] + b) of the first `rows` rows of a prepared input, to `out`.
  void apply(const Compute& compute, const LinearInput& input, std::size_t rows,
             cpu::Epilogue epilogue, const cpu::Output& out) const;

  /// The same for rows that are in no LinearInput yet; allocates. Not for the step loop.
  void apply_once(const Compute& compute, std::span<const float> x, cpu::Epilogue epilogue,
                  std::span<float> y) const;

 private:
  void load_int8(const TensorView& weight, const WeightReader& weights);
  void load_float32(const TensorView& weight, const WeightReader& weights);

  cpu::PackedLinear packed_;
  std::span<const float> smooth_;
};

/// Reads a model's weights under one precision.
struct WeightReader {
  const ModelFile& file;
  const cpu::KernelSet& kernels;
  Precision precision;
  PackedWeights& packed;  ///< Owns the packed weights: must outlive the models.

  /// A layer that follows the precision.
  [[nodiscard]] Linear linear(std::string_view name) const { return {*this, name, precision}; }
  /// A layer that is float32 whatever the precision: small, and what it makes is unbounded.
  [[nodiscard]] Linear exact(std::string_view name) const {
    return {*this, name, Precision::float32};
  }
  /// A float32 tensor, borrowed from the mapping.
  [[nodiscard]] std::span<const float> values(std::string_view name) const {
    return file.tensor(name).f32();
  }
};

}  // namespace geng
