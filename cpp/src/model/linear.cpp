#include "model/linear.h"

#include <algorithm>
#include <vector>

#include "core/arena_meter.h"

namespace geng {
namespace {

std::size_t ceil_div(std::size_t n, std::size_t by) noexcept { return (n + by - 1) / by; }

float* floats(const AlignedBuffer& buffer) noexcept {
  return reinterpret_cast<float*>(buffer.data());
}

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
  // Quantised rows lie one after the other, so a range of them starts where `first` rows end.
  std::byte* out = steps.data() + cpu::activation_bytes(kernels, first, depth);
  kernels.quantize_rows(
      {values.data() + first * depth, out, scales.data() + first, last - first, depth});
}

Linear::Linear(const ModelFile& file, std::string_view name, Precision precision,
               const cpu::KernelSet& kernels) {
  const TensorView& weight = file.tensor(std::string(name) + ".weight");
  packed_.cols = weight.shape[0];
  packed_.depth = weight.shape[1];
  packed_.bias = file.tensor(std::string(name) + ".bias").f32().data();
  if (precision == Precision::int8) {
    load_int8(weight, file, kernels);
  } else {
    load_float32(weight, file, kernels);
  }
}

void Linear::load_int8(const TensorView& weight, const ModelFile& file,
                       const cpu::KernelSet& kernels) {
  weight_ = AlignedBuffer(cpu::packed_i8_bytes(kernels, packed_.cols, packed_.depth));
  packed_.weight = weight_.data();
  if (weight.type == TensorType::i8) {
    packed_.scale = file.tensor(std::string(weight.name) + ".scale").f32().data();
    cpu::pack_i8(kernels, weight.i8().data(), packed_.cols, packed_.depth, weight_.data());
    return;
  }
  scale_ = AlignedBuffer(packed_.cols * sizeof(float));
  packed_.scale = floats(scale_);
  std::vector<std::int8_t> steps(weight.elements);
  cpu::quantize_weights(weight.f32().data(), packed_.cols, packed_.depth, steps.data(),
                        floats(scale_));
  cpu::pack_i8(kernels, steps.data(), packed_.cols, packed_.depth, weight_.data());
}

void Linear::load_float32(const TensorView& weight, const ModelFile& file,
                          const cpu::KernelSet& kernels) {
  weight_ = AlignedBuffer(cpu::packed_f32_bytes(kernels, packed_.cols, packed_.depth));
  packed_.weight = weight_.data();
  if (weight.type == TensorType::f32) {
    cpu::pack_f32(kernels, weight.f32().data(), packed_.depth, packed_.cols, packed_.depth,
                  floats(weight_));
    return;
  }
  const std::span<const float> scale = file.tensor(std::string(weight.name) + ".scale").f32();
  const std::span<const std::int8_t> steps = weight.i8();
  std::vector<float> values(weight.elements);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(steps[i]) * scale[i / packed_.depth];
  }
  cpu::pack_f32(kernels, values.data(), packed_.depth, packed_.cols, packed_.depth,
                floats(weight_));
}

void Linear::apply(const Compute& compute, const LinearInput& input, std::size_t rows,
                   cpu::Epilogue epilogue, const cpu::Output& out) const {
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
