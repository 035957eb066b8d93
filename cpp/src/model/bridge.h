#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "core/aligned_buffer.h"
#include "model/attention.h"
#include "model/condition_view.h"
#include "model/frame.h"
#include "model/linear.h"

namespace geng {

/// Sizes of a bridge. A latent is [tokens, width].
struct BridgeShape {
  std::size_t tokens, width, dim, depth, heads, train_steps;
};

/// What cross-attention reads of one condition, in every block. Made once a request.
///
/// A memory of one token needs no attention: the softmax of one score is 1, so what the layer adds
/// is the same row for every query, whatever the query is. That row is kept instead.
struct BridgeMemory {
  std::size_t tokens = 0, heads = 0;
  std::size_t head_floats = 0;  ///< Of one head's keys and values.
  AlignedBuffer keys_values;    ///< [depth, heads, head_floats], packed; empty for one token.
  std::vector<float> update;    ///< [depth, dim], for one token.

  [[nodiscard]] bool attends() const noexcept { return update.empty(); }
  [[nodiscard]] std::span<float> head(std::size_t block, std::size_t head) const noexcept {
    auto* all = reinterpret_cast<float*>(keys_values.data());
    return {all + (block * heads + head) * head_floats, head_floats};
  }
};

/// What the blocks read of the timesteps of a trajectory. Made once a request.
struct BridgeTimes {
  std::vector<float> blocks;  ///< [steps, 6 dim], shared by the blocks
  std::vector<float> output;  ///< [steps, 2 dim]: shift, scale
};

/// Everything one forward pass writes; cut from an arena before the first step.
struct BridgeScratch {
  std::span<float> h;                ///< [rows, dim], the residual stream
  std::span<float> projected;        ///< [rows, 3 dim], q k v
  std::span<float> modulation;       ///< [depth, 6 dim]
  std::span<float> packed;           ///< [sequences, keys and values of a head]
  std::span<float> scores;           ///< [sequences, scratch of attention]
  LinearInput narrow, latent, wide;  ///< [rows, dim], [rows, width], [rows, 4 dim]
  std::size_t sequences = 0;

  template <typename Source>
  static BridgeScratch cut(Source& arena, const cpu::KernelSet& kernels, const BridgeShape& shape,
                           std::size_t sequences, std::size_t memory_tokens);
};

/// One batch of sequences at one timestep.
struct BridgeBatch {
  std::span<const float> x;  ///< [samples, tokens, width]
  std::size_t step;          ///< Row of `times`.
  const BridgeTimes& times;
  /// One answer a sample for each of these; the answers to memories[1] follow those to [0].
  /// Those that attend come first.
  std::span<const BridgeMemory* const> memories;
};

/// g's denoiser: a diffusion transformer from a noised latent to v, guided by the condition.
///
/// Blocks are conditioned on the timestep by adaLN (Peebles and Xie 2023) with one shared
/// modulation and a small table a block (PixArt-alpha, Chen et al. 2023), on the text by
/// cross-attention. Immutable after loading: share it between threads.
class Bridge {
 public:
  /// @param name  What its tensors begin with: "bridge", or "student" for the distilled one.
  explicit Bridge(const WeightReader& weights, const std::string& name = "bridge");

  [[nodiscard]] const BridgeShape& shape() const noexcept { return shape_; }

  /// The memory of a condition and what its readers made of it: one token a word piece, then the
  /// frame's and, where the model has one, the claims'.
  ///
  /// @param answers  From ClaimsReader::shares; empty for a model that has no token for them.
  [[nodiscard]] BridgeMemory remember(const Compute& compute, const ConditionView& condition,
                                      const std::array<float, kFrameFeatures>& frame,
                                      std::span<const float> answers = {}) const;
  /// The memory of no condition: one learned token.
  [[nodiscard]] BridgeMemory remember_nothing(const Compute& compute) const;

  [[nodiscard]] BridgeTimes modulate(const Compute& compute, std::span<const int> timesteps) const;

  /// v [memories, samples, tokens, width] of a batch. Allocates nothing; each row of the result
  /// depends on its own sample only.
  void predict_v(const Compute& compute, const BridgeBatch& batch, const BridgeScratch& scratch,
                 std::span<float> v) const;

 private:
  struct Block {
    Linear qkv, o, cq, ckv, co, up, down;
    std::span<const float> table;  ///< [6 dim]
  };
  struct Pass;

  static BridgeShape shape_of(const ModelFile& file);
  static Block block_of(const WeightReader& weights, const std::string& name, std::size_t index);
  BridgeMemory memory_of(const Compute& compute, std::vector<float> rows) const;
  void remember_keys(const Compute& compute, std::span<const float> rows,
                     BridgeMemory& memory) const;
  void remember_update(const Compute& compute, std::span<const float> row,
                       BridgeMemory& memory) const;

  BridgeShape shape_;
  std::optional<Linear> claims_;
  Linear condition_, frame_, input_, time1_, time2_, modulation_, final_, output_;
  std::span<const float> null_, position_;
  std::vector<Block> blocks_;
};

template <typename Source>
BridgeScratch BridgeScratch::cut(Source& arena, const cpu::KernelSet& kernels,
                                 const BridgeShape& shape, std::size_t sequences,
                                 std::size_t memory_tokens) {
  const std::size_t rows = sequences * shape.tokens;
  const std::size_t keys = memory_tokens > shape.tokens ? memory_tokens : shape.tokens;
  BridgeScratch s;
  s.sequences = sequences;
  s.h = arena.template take<float>(rows * shape.dim);
  s.projected = arena.template take<float>(rows * 3 * shape.dim);
  s.modulation = arena.template take<float>(shape.depth * 6 * shape.dim);
  s.packed = arena.template take<float>(
      sequences * packed_head_floats(kernels, shape.tokens, shape.dim / shape.heads));
  s.scores = arena.template take<float>(sequences * score_floats(kernels, shape.tokens, keys));
  s.narrow = LinearInput::cut(arena, kernels, rows, shape.dim);
  s.latent = LinearInput::cut(arena, kernels, rows, shape.width);
  s.wide = LinearInput::cut(arena, kernels, rows, 4 * shape.dim);
  return s;
}

}  // namespace geng
