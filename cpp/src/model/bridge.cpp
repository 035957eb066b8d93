#include "model/bridge.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>

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
  std::size_t dim, tokens, samples;
  std::size_t rows;       ///< Of all sequences.
  std::size_t attending;  ///< Sequences whose memory attends: the first ones.

  Pass(const Bridge& owner, const Compute& with, const BridgeBatch& in,
       const BridgeScratch& scratch)
      : bridge(owner),
        compute(with),
        batch(in),
        s(scratch),
        dim(owner.shape_.dim),
        tokens(owner.shape_.tokens),
        samples(in.x.size() / (tokens * owner.shape_.width)),
        rows(samples * in.memories.size() * tokens),
        attending(samples * static_cast<std::size_t>(std::count_if(
                                in.memories.begin(), in.memories.end(),
                                [](const BridgeMemory* memory) { return memory->attends(); }))) {}

  /// h = W_in x + b + position, for one memory: all start from the same rows.
  void embed() const {
    const std::size_t x_rows = samples * tokens;
    std::copy(batch.x.begin(), batch.x.end(), s.latent.values.begin());
    bridge.input_.apply(compute, s.latent, x_rows, Epilogue::none, into(s.h.data(), dim));
    const std::span<const float> position = bridge.position_;
    for (std::size_t i = 0; i < x_rows * dim; i += position.size()) {
      compute.kernels.axpby(1.0f, position.data(), 1.0f, s.h.data() + i, position.size());
    }
  }

  /// Gives every other memory a copy of the first one's rows, before they part ways.
  void spread() const {
    const std::size_t floats = samples * tokens * dim;
    for (std::size_t m = 1; m < batch.memories.size(); ++m) {
      std::copy_n(s.h.begin(), floats, s.h.data() + m * floats);
    }
  }

  /// narrow = LN(h) (1 + scale) + shift of the first `count` rows, ready for `reader`.
  void normalise(std::size_t count, const float* shift, const float* scale,
                 const Linear& reader) const {
    for_row_blocks(compute.pool, count, [&](std::size_t first, std::size_t last) {
      compute.kernels.layernorm({s.h.data() + first * dim, s.narrow.values.data() + first * dim,
                                 scale, shift, 1.0f, kNormEps, last - first, dim});
      s.narrow.prepare(reader, compute.kernels, first, last);
    });
  }

  /// Calls attend(sequence, its heads, its scratch) for the first `count` sequences, whose queries
  /// lie `q_stride` apart in `projected`; the answers go to narrow, ready for `reader`.
  template <typename Attend>
  void for_sequences(std::size_t count, std::size_t q_stride, const Linear& reader,
                     const Attend& attend) const {
    const std::size_t scratch = s.scores.size() / s.sequences;
    compute.pool.parallel_for(count, [&](std::size_t i) {
      const MultiHead heads{s.projected.data() + i * tokens * q_stride,
                            s.narrow.values.data() + i * tokens * dim,
                            q_stride,
                            dim,
                            tokens,
                            tokens,
                            dim,
                            bridge.shape_.heads};
      attend(i, heads, s.scores.subspan(i * scratch, scratch));
      s.narrow.prepare(reader, compute.kernels, i * tokens, (i + 1) * tokens);
    });
  }

  void self_attend(std::size_t count, const Linear& reader) const {
    const std::size_t each = s.packed.size() / s.sequences;
    for_sequences(count / tokens, 3 * dim, reader,
                  [&](std::size_t i, const MultiHead& heads, std::span<float> scores) {
                    attend_once(compute.kernels, heads, {heads.q + dim, heads.q + 2 * dim, 3 * dim},
                                s.packed.subspan(i * each, each), scores);
                  });
  }

  void cross_attend(std::size_t block, const Linear& reader) const {
    for_sequences(attending, dim, reader,
                  [&](std::size_t i, MultiHead heads, std::span<float> scores) {
                    const BridgeMemory& memory = *batch.memories[i / samples];
                    heads.keys = memory.tokens;
                    for (std::size_t head = 0; head < heads.heads; ++head) {
                      attend_head(compute.kernels, heads, head, memory.head(block, head), scores);
                    }
                  });
  }

  /// h += what the memories that do not attend add in `block`.
  void add_updates(std::size_t block) const {
    for (std::size_t row = attending * tokens; row < rows; ++row) {
      const BridgeMemory& memory = *batch.memories[row / (samples * tokens)];
      compute.kernels.axpby(1.0f, memory.update.data() + block * dim, 1.0f, s.h.data() + row * dim,
                            dim);
    }
  }

  void block(std::size_t index) const {
    const Block& b = bridge.blocks_[index];
    const float* m = s.modulation.data() + index * 6 * dim;  // sh1 sc1 g1 sh2 sc2 g2
    float* h = s.h.data();
    // Up to the first cross-attention the memories have made no difference yet.
    const std::size_t distinct = index == 0 ? samples * tokens : rows;
    normalise(distinct, m, m + dim, b.qkv);
    b.qkv.apply(compute, s.narrow, distinct, Epilogue::none, into(s.projected.data(), 3 * dim));
    self_attend(distinct, b.o);
    b.o.apply(compute, s.narrow, distinct, Epilogue::none, added_to(h, dim, m + 2 * dim));
    if (index == 0) spread();

    const std::size_t crossing = attending * tokens;
    normalise(crossing, nullptr, nullptr, b.cq);
    b.cq.apply(compute, s.narrow, crossing, Epilogue::none, into(s.projected.data(), dim));
    cross_attend(index, b.co);
    b.co.apply(compute, s.narrow, crossing, Epilogue::none, added_to(h, dim, nullptr));
    add_updates(index);

    normalise(rows, m + 3 * dim, m + 4 * dim, b.up);
    b.up.apply(compute, s.narrow, rows, Epilogue::gelu_tanh, into(s.wide.values.data(), 4 * dim));
    for_row_blocks(compute.pool, rows, [&](std::size_t first, std::size_t last) {
      s.wide.prepare(b.down, compute.kernels, first, last);
    });
    b.down.apply(compute, s.wide, rows, Epilogue::none, added_to(h, dim, m + 5 * dim));
  }
};

BridgeShape Bridge::shape_of(const ModelFile& file) {
  return {file.u32("geng.bridge.tokens"), file.u32("geng.bridge.width"),
          file.u32("geng.bridge.dim"),    file.u32("geng.bridge.depth"),
          file.u32("geng.bridge.heads"),  file.u32("geng.bridge.train_steps")};
}

Bridge::Block Bridge::block_of(const WeightReader& weights, const std::string& name,
                               std::size_t index) {
  const std::string at = name + "." + std::to_string(index) + ".";
  return {weights.linear(at + "qkv"),  weights.linear(at + "o"),    weights.linear(at + "cq"),
          weights.exact(at + "ckv"),   weights.linear(at + "co"),   weights.linear(at + "up"),
          weights.linear(at + "down"), weights.values(at + "table")};
}

Bridge::Bridge(const WeightReader& weights, const std::string& name)
    : shape_(shape_of(weights.file)),
      condition_(weights.exact(name + ".condition")),  // number channels span decades
      frame_(weights.exact(name + ".frame")),
      input_(weights.exact(name + ".in")),
      time1_(weights.exact(name + ".time1")),
      time2_(weights.exact(name + ".time2")),
      modulation_(weights.exact(name + ".mod")),
      final_(weights.exact(name + ".fin")),
      output_(weights.exact(name + ".out")),
      null_(weights.values(name + ".null")),
      position_(weights.values(name + ".position")) {
  blocks_.reserve(shape_.depth);
  for (std::size_t i = 0; i < shape_.depth; ++i) blocks_.push_back(block_of(weights, name, i));
  if (weights.file.find_tensor(name + ".claims.weight") != nullptr) {
    claims_ = weights.exact(name + ".claims");
  }
}

BridgeMemory Bridge::memory_of(const Compute& compute, std::vector<float> rows) const {
  const std::size_t dim = shape_.dim;
  BridgeMemory memory;
  memory.tokens = rows.size() / dim;
  memory.heads = shape_.heads;
  compute.kernels.layernorm(
      {rows.data(), rows.data(), nullptr, nullptr, 1.0f, kNormEps, memory.tokens, dim});
  if (memory.tokens == 1) {
    remember_update(compute, rows, memory);
  } else {
    remember_keys(compute, rows, memory);
  }
  return memory;
}

void Bridge::remember_keys(const Compute& compute, std::span<const float> rows,
                           BridgeMemory& memory) const {
  const std::size_t dim = shape_.dim;
  const std::size_t head_width = dim / shape_.heads;
  memory.head_floats = packed_head_floats(compute.kernels, memory.tokens, head_width);
  memory.keys_values =
      AlignedBuffer(shape_.depth * shape_.heads * memory.head_floats * sizeof(float));
  std::vector<float> projected(memory.tokens * 2 * dim);
  const KeysValues keys_values{projected.data(), projected.data() + dim, 2 * dim};
  for (std::size_t i = 0; i < shape_.depth; ++i) {
    blocks_[i].ckv.apply_once(compute, rows, Epilogue::none, projected);
    for (std::size_t head = 0; head < shape_.heads; ++head) {
      pack_head(compute.kernels, keys_values, memory.tokens, head_width, head,
                memory.head(i, head));
    }
  }
}

void Bridge::remember_update(const Compute& compute, std::span<const float> row,
                             BridgeMemory& memory) const {
  const std::size_t dim = shape_.dim;
  memory.update.resize(shape_.depth * dim);
  std::vector<float> projected(2 * dim);
  for (std::size_t i = 0; i < shape_.depth; ++i) {
    blocks_[i].ckv.apply_once(compute, row, Epilogue::none, projected);
    blocks_[i].co.apply_once(compute, std::span(projected).last(dim), Epilogue::none,
                             std::span(memory.update).subspan(i * dim, dim));
  }
}

BridgeMemory Bridge::remember(const Compute& compute, const ConditionView& condition,
                              const std::array<float, kFrameFeatures>& frame,
                              std::span<const float> answers) const {
  const std::size_t words = condition.tokens();
  const std::size_t dim = shape_.dim;
  std::vector<float> bounded(condition.values.size());
  condition.copy_bounded(bounded);
  std::vector<float> rows((words + (claims_ ? 2 : 1)) * dim);
  const std::span<float> all(rows);
  condition_.apply_once(compute, bounded, Epilogue::none, all.first(words * dim));
  frame_.apply_once(compute, frame, Epilogue::none, all.subspan(words * dim, dim));
  if (claims_) claims_->apply_once(compute, answers, Epilogue::none, all.last(dim));
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
  for (std::size_t i = 0; i < shape_.depth; ++i) pass.block(i);
  const float* fin = batch.times.output.data() + batch.step * 2 * dim;
  pass.normalise(pass.rows, fin, fin + dim, output_);
  output_.apply(compute, scratch.narrow, pass.rows, Epilogue::none, into(v.data(), shape_.width));
}

}  // namespace geng
