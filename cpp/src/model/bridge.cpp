#include "model/bridge.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>

#include "model/attention.h"

namespace geng {
namespace {

using cpu::Epilogue;

constexpr float kNormEps = 1e-6f;
constexpr std::size_t kTimeWidth = 256;

/// Adds up what the blocks share of a timestep and each block's own table: [depth, 6 dim].
void sum_modulation(std::span<const float> shared, std::span<const float> table,
                    std::span<float> out) noexcept {
  std::transform(shared.begin(), shared.end(), table.begin(), out.begin(), std::plus<>());
}

}  // namespace

/// One forward pass: what its stages share. Each stage is one round of the thread pool.
struct Bridge::Pass {
  const Bridge& bridge;
  const Compute& compute;
  const BridgeBatch& batch;
  const BridgeScratch& s;
  std::size_t dim, samples, sequences, rows;

  Pass(const Bridge& owner, const Compute& with, const BridgeBatch& in,
       const BridgeScratch& scratch)
      : bridge(owner),
        compute(with),
        batch(in),
        s(scratch),
        dim(owner.shape_.dim),
        samples(in.x.size() / (owner.shape_.tokens * owner.shape_.width)),
        sequences(samples * in.memories.size()),
        rows(sequences * owner.shape_.tokens) {}

  /// h = W_in x + b + position; every memory starts from the same rows.
  void embed() const {
    const std::size_t x_rows = samples * bridge.shape_.tokens;
    std::copy(batch.x.begin(), batch.x.end(), s.latent.values.begin());
    bridge.input_.apply(compute, s.latent, x_rows, Epilogue::none, s.h.data(), dim);
    const std::span<const float> position = bridge.position_;
    for (std::size_t i = 0; i < x_rows * dim; i += position.size()) {
      compute.kernels.axpby(1.0f, position.data(), 1.0f, s.h.data() + i, position.size());
    }
    for (std::size_t m = 1; m < batch.memories.size(); ++m) {
      std::copy_n(s.h.begin(), x_rows * dim, s.h.data() + m * x_rows * dim);
    }
  }

  /// h += gate * update, where one is pending.
  struct Residual {
    bool pending;
    const float* gate;  ///< [dim]; null means 1.
  };

  /// Closes the residual of the stage before, then narrow = LN(h) (1 + scale) + shift for `reader`.
  void normalise(Residual residual, const float* shift, const float* scale,
                 const Linear& reader) const {
    for_row_blocks(compute.pool, rows, [&](std::size_t first, std::size_t last) {
      float* h = s.h.data() + first * dim;
      const std::size_t count = last - first;
      if (residual.pending) {
        compute.kernels.add_gated(s.update.data() + first * dim, residual.gate, h, count, dim);
      }
      compute.kernels.layernorm(
          {h, s.narrow.values.data() + first * dim, scale, shift, 1.0f, kNormEps, count, dim});
      s.narrow.prepare(reader, compute.kernels, first, last);
    });
  }

  /// Attention of every sequence to keys of its own (`memory` null) or of its memory in `block`;
  /// the queries lie in `projected`, the answer goes to narrow, ready for `reader`.
  void attend(const std::size_t* block, const Linear& reader) const {
    const std::size_t tokens = bridge.shape_.tokens;
    compute.pool.parallel_for(sequences, [&](std::size_t i) {
      const std::size_t stride = block == nullptr ? 3 * dim : dim;
      const float* q = s.projected.data() + i * tokens * stride;
      MultiHead heads{q,
                      q + dim,
                      q + 2 * dim,
                      s.narrow.values.data() + i * tokens * dim,
                      s.scores.data() + i * s.keys,
                      stride,
                      stride,
                      dim,
                      tokens,
                      tokens,
                      dim,
                      bridge.shape_.heads};
      if (block != nullptr) {
        const BridgeMemory& memory = *batch.memories[i / samples];
        heads.k = memory.keys_values.data() + *block * memory.tokens * 2 * dim;
        heads.v = heads.k + dim;
        heads.kv_stride = 2 * dim;
        heads.keys = memory.tokens;
      }
      attend_all_heads(compute.kernels, heads);
      s.narrow.prepare(reader, compute.kernels, i * tokens, (i + 1) * tokens);
    });
  }

  /// Block `index`; returns the residual it leaves for the next stage to close.
  Residual block(std::size_t index, Residual residual) const {
    const Block& b = bridge.blocks_[index];
    const float* m = s.modulation.data() + index * 6 * dim;  // sh1 sc1 g1 sh2 sc2 g2
    normalise(residual, m, m + dim, b.qkv);
    b.qkv.apply(compute, s.narrow, rows, Epilogue::none, s.projected.data(), 3 * dim);
    attend(nullptr, b.o);
    b.o.apply(compute, s.narrow, rows, Epilogue::none, s.update.data(), dim);

    normalise({true, m + 2 * dim}, nullptr, nullptr, b.cq);
    b.cq.apply(compute, s.narrow, rows, Epilogue::none, s.projected.data(), dim);
    attend(&index, b.co);
    b.co.apply(compute, s.narrow, rows, Epilogue::none, s.update.data(), dim);

    normalise({true, nullptr}, m + 3 * dim, m + 4 * dim, b.up);
    b.up.apply(compute, s.narrow, rows, Epilogue::gelu_tanh, s.wide.values.data(), 4 * dim);
    for_row_blocks(compute.pool, rows, [&](std::size_t first, std::size_t last) {
      s.wide.prepare(b.down, compute.kernels, first, last);
    });
    b.down.apply(compute, s.wide, rows, Epilogue::none, s.update.data(), dim);
    return {true, m + 5 * dim};
  }
};

BridgeShape Bridge::shape_of(const ModelFile& file) {
  return {file.u32("geng.bridge.tokens"), file.u32("geng.bridge.width"),
          file.u32("geng.bridge.dim"),    file.u32("geng.bridge.depth"),
          file.u32("geng.bridge.heads"),  file.u32("geng.bridge.train_steps")};
}

Bridge::Block Bridge::block_of(const WeightReader& weights, std::size_t index) {
  const std::string at = "bridge." + std::to_string(index) + ".";
  return {weights.linear(at + "qkv"),  weights.linear(at + "o"),    weights.linear(at + "cq"),
          weights.linear(at + "ckv"),  weights.linear(at + "co"),   weights.linear(at + "up"),
          weights.linear(at + "down"), weights.values(at + "table")};
}

Bridge::Bridge(const WeightReader& weights)
    : shape_(shape_of(weights.file)),
      condition_(weights.exact("bridge.condition")),  // number channels span decades
      frame_(weights.exact("bridge.frame")),
      input_(weights.exact("bridge.in")),
      time1_(weights.exact("bridge.time1")),
      time2_(weights.exact("bridge.time2")),
      modulation_(weights.exact("bridge.mod")),
      final_(weights.exact("bridge.fin")),
      output_(weights.exact("bridge.out")),
      null_(weights.values("bridge.null")),
      position_(weights.values("bridge.position")) {
  blocks_.reserve(shape_.depth);
  for (std::size_t i = 0; i < shape_.depth; ++i) blocks_.push_back(block_of(weights, i));
}

BridgeMemory Bridge::memory_of(const Compute& compute, std::vector<float> rows) const {
  const std::size_t dim = shape_.dim;
  const std::size_t tokens = rows.size() / dim;
  compute.kernels.layernorm(
      {rows.data(), rows.data(), nullptr, nullptr, 1.0f, kNormEps, tokens, dim});
  BridgeMemory memory{std::vector<float>(shape_.depth * tokens * 2 * dim), tokens};
  for (std::size_t i = 0; i < shape_.depth; ++i) {
    const std::span<float> out(memory.keys_values);
    const std::size_t size = tokens * 2 * dim;
    blocks_[i].ckv.apply_once(compute, rows, Epilogue::none, out.subspan(i * size, size));
  }
  return memory;
}

BridgeMemory Bridge::remember(const Compute& compute, const ConditionView& condition,
                              const std::array<float, kFrameFeatures>& frame) const {
  std::vector<float> bounded(condition.values.size());
  condition.copy_bounded(bounded);
  std::vector<float> rows((condition.tokens() + 1) * shape_.dim);
  const std::span<float> words = std::span(rows).first(condition.tokens() * shape_.dim);
  condition_.apply_once(compute, bounded, Epilogue::none, words);
  frame_.apply_once(compute, frame, Epilogue::none, std::span(rows).last(shape_.dim));
  return memory_of(compute, std::move(rows));
}

BridgeMemory Bridge::remember_nothing(const Compute& compute) const {
  return memory_of(compute, std::vector<float>(null_.begin(), null_.end()));
}

BridgeTimes Bridge::modulate(const Compute& compute, std::span<const int> timesteps) const {
  const std::size_t steps = timesteps.size();
  std::vector<float> waves(steps * kTimeWidth);
  constexpr std::size_t kHalf = kTimeWidth / 2;
  for (std::size_t j = 0; j < kHalf; ++j) {
    const double rate = std::exp(-std::log(10000.0) * static_cast<double>(j) / kHalf);
    for (std::size_t i = 0; i < steps; ++i) {
      // The angle is rounded to float32 as it was when the bridge was trained.
      const float angle = static_cast<float>(timesteps[i]) * static_cast<float>(rate);
      waves[i * kTimeWidth + j] = std::cos(angle);
      waves[i * kTimeWidth + kHalf + j] = std::sin(angle);
    }
  }
  std::vector<float> a(steps * shape_.dim);
  std::vector<float> c(steps * shape_.dim);
  time1_.apply_once(compute, waves, Epilogue::none, a);
  compute.kernels.silu(a.data(), a.data(), a.size());
  time2_.apply_once(compute, a, Epilogue::none, c);
  compute.kernels.silu(c.data(), c.data(), c.size());
  BridgeTimes times{std::vector<float>(steps * 6 * shape_.dim),
                    std::vector<float>(steps * 2 * shape_.dim)};
  modulation_.apply_once(compute, c, Epilogue::none, times.blocks);
  final_.apply_once(compute, c, Epilogue::none, times.output);
  return times;
}

void Bridge::predict_v(const Compute& compute, const BridgeBatch& batch,
                       const BridgeScratch& scratch, std::span<float> v) const {
  const Pass pass(*this, compute, batch, scratch);
  const std::size_t dim = shape_.dim;
  const auto shared = std::span(batch.times.blocks).subspan(batch.step * 6 * dim, 6 * dim);
  for (std::size_t i = 0; i < shape_.depth; ++i) {
    sum_modulation(shared, blocks_[i].table, scratch.modulation.subspan(i * 6 * dim, 6 * dim));
  }
  pass.embed();
  Pass::Residual residual{false, nullptr};
  for (std::size_t i = 0; i < shape_.depth; ++i) residual = pass.block(i, residual);
  const float* fin = batch.times.output.data() + batch.step * 2 * dim;
  pass.normalise(residual, fin, fin + dim, output_);
  output_.apply(compute, scratch.narrow, pass.rows, Epilogue::none, v.data(), shape_.width);
}

}  // namespace geng
