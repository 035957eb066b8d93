#include "model/linear.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/arena_meter.h"

namespace geng {
namespace {

std::size_t ceil_div(std::size_t n, std::size_t by) noexcept { return (n + by - 1) / by; }

/// Rows are shared out first; columns only when there are too few rows to feed every thread.
struct Grid {
  std::size_t row_blocks, col_blocks, cols_per_block;

  Grid(std::size_t rows, std::size_t cols, std::size_t panel, std::size_t threads) noexcept
      : row_blocks(ceil_div(rows, kRowBlock)) {
    const std::size_t wanted = threads > 1 ? ceil_div(2 * threads, row_blocks) : 1;
    const std::size_t panels = ceil_div(cols, panel);
    cols_per_block = ceil_div(panels, std::min(wanted, panels)) * panel;
    col_blocks = ceil_div(cols, cols_per_block);
  }
};

}  // namespace

void LinearInput::prepare(const Linear& reader, const cpu::KernelSet& kernels, std::size_t first,
                          std::size_t last) const noexcept {
  if (!reader.is_int8()) return;
  if (const std::span<const float> smooth = reader.smooth(); !smooth.empty()) {
    for (std::size_t row = first; row < last; ++row) {
      float* x = values.data() + row * depth;
      for (std::size_t i = 0; i < depth; ++i) x[i] *= smooth[i];
    }
  }
  // Quantised rows lie one after the other, so a range of them starts where `first` rows end.
  std::byte* out = steps.data() + cpu::activation_bytes(kernels, first, depth);
  kernels.quantize_rows(
      {values.data() + first * depth, out, scales.data() + first, last - first, depth});
}

Linear::Linear(const WeightReader& weights, std::string_view name, Precision precision) {
  const TensorView& weight = weights.file.tensor(std::string(name) + ".weight");
  packed_.cols = weight.shape[0];
  packed_.depth = weight.shape[1];
  packed_.bias = weights.file.tensor(std::string(name) + ".bias").f32().data();
  if (const TensorView* smooth = weights.file.find_tensor(std::string(name) + ".smooth")) {
    smooth_ = smooth->f32();
  }
  if (precision == Precision::int8) {
    load_int8(weight, weights);
  } else {
    load_float32(weight, weights);
  }
}

void Linear::load_int8(const TensorView& weight, const WeightReader& weights) {
  const auto [cols, depth] = std::pair(packed_.cols, packed_.depth);
  const cpu::KernelSet& kernels = weights.kernels;
  const std::size_t bytes = cpu::packed_i8_bytes(kernels, cols, depth);
  if (weight.type == TensorType::i8) {
    packed_.scale = weights.file.tensor(std::string(weight.name) + ".scale").f32().data();
    packed_.weight = weights.packed.block(bytes, [&](std::byte* out) {
      cpu::pack_i8(kernels, weight.i8().data(), cols, depth, out);
    });
    return;
  }
  // Both blocks are made of one quantisation; the scales come first.
  std::vector<std::int8_t> steps;
  const std::byte* scale = weights.packed.block(cols * sizeof(float), [&](std::byte* out) {
    steps.resize(weight.elements);
    cpu::quantize_weights(weight.f32().data(), cols, depth, steps.data(),
                          reinterpret_cast<float*>(out));
  });
  packed_.scale = reinterpret_cast<const float*>(scale);
  packed_.weight = weights.packed.block(bytes, [&](std::byte* out) {
    if (steps.empty()) {  // the scales were cached and this block was not
      std::vector<float> again(cols);
      steps.resize(weight.elements);
      cpu::quantize_weights(weight.f32().data(), cols, depth, steps.data(), again.data());
    }
    cpu::pack_i8(kernels, steps.data(), cols, depth, out);
  });
}

void Linear::load_float32(const TensorView& weight, const WeightReader& weights) {
  const auto [cols, depth] = std::pair(packed_.cols, packed_.depth);
  const std::size_t bytes = cpu::packed_f32_bytes(weights.kernels, cols, depth);
  packed_.weight = weights.packed.block(bytes, [&](std::byte* out) {
    auto* to = reinterpret_cast<float*>(out);
    if (weight.type == TensorType::f32) {
      cpu::pack_f32(weights.kernels, weight.f32().data(), depth, cols, depth, to);
      return;
    }
    const std::string scale_name = std::string(weight.name) + ".scale";
    const std::span<const float> scale = weights.file.tensor(scale_name).f32();
    const std::span<const std::int8_t> steps = weight.i8();
    std::vector<float> values(weight.elements);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float factor = smooth_.empty() ? 1.0f : smooth_[i % depth];
      values[i] = static_cast<float>(steps[i]) * scale[i / depth] * factor;
    }
    cpu::pack_f32(weights.kernels, values.data(), depth, cols, depth, to);
  });
}

void Linear::apply(const Compute& compute, const LinearInput& input, std::size_t rows,
                   cpu::Epilogue epilogue, const cpu::Output& out) const {
  if (rows == 0) return;  // no memory attends: there is nothing to share out
  const cpu::KernelSet& kernels = compute.kernels;
  const auto& p = packed_;
  const cpu::MatmulI8 int8{input.steps.data(),
                           input.scales.data(),
                           p.weight,
                           p.scale,
                           p.bias,
                           p.cols,
                           p.depth,
                           epilogue,
                           out};
  const cpu::MatmulF32 float32{input.values.data(),
                               p.depth,
                               static_cast<const float*>(p.weight),
                               p.bias,
                               p.cols,
                               p.depth,
                               epilogue,
                               out};
  const std::size_t panel = is_int8() ? kernels.i8_cols : kernels.f32_cols;
  const Grid grid(rows, p.cols, panel, static_cast<std::size_t>(compute.pool.size()));
  compute.pool.parallel_for(grid.row_blocks * grid.col_blocks, [&](std::size_t i) {
    const std::size_t row = i / grid.col_blocks * kRowBlock;
    const std::size_t col = i % grid.col_blocks * grid.cols_per_block;
    const cpu::Tile tile{row, std::min(row + kRowBlock, rows), col,
                         std::min(col + grid.cols_per_block, p.cols)};
    is_int8() ? kernels.matmul_i8(int8, tile) : kernels.matmul_f32(float32, tile);
  });
}

void Linear::apply_once(const Compute& compute, std::span<const float> x, cpu::Epilogue epilogue,
                        std::span<float> y) const {
  const std::size_t rows = x.size() / inputs();
  ArenaMeter meter;
  LinearInput::cut(meter, compute.kernels, rows, inputs());
  Arena arena(meter.bytes());
  const LinearInput input = LinearInput::cut(arena, compute.kernels, rows, inputs());
  std::copy(x.begin(), x.end(), input.values.begin());
  for_row_blocks(compute.pool, rows, [&](std::size_t first, std::size_t last) {
    input.prepare(*this, compute.kernels, first, last);
  });
  apply(compute, input, rows, epilogue, into(y.data(), outputs()));
}

}  // namespace geng
