#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/linear.h"

namespace geng {

/// f: the first layers of a BERT (post-LN, erf GELU), from word-piece ids to hidden states.
///
/// Immutable after loading: share it between threads.
class TextExpert {
 public:
  explicit TextExpert(const WeightReader& weights);

  [[nodiscard]] std::size_t hidden() const noexcept { return hidden_; }
  [[nodiscard]] std::size_t vocabulary_size() const noexcept { return vocabulary_size_; }
  [[nodiscard]] std::size_t max_tokens() const noexcept { return max_tokens_; }

  /// Hidden states of one text, [CLS] and [SEP] included.
  ///
  /// @param ids     [tokens], checked by the caller: 0 .. vocabulary_size() - 1.
  /// @param states  Out: row i starts at states + i * stride.
  void encode(const Compute& compute, std::span<const std::int32_t> ids, float* states,
              std::size_t stride) const;

 private:
  struct Norm {
    std::span<const float> weight, bias;
  };
  struct Layer {
    Linear q, k, v, o, up, down;
    Norm norm1, norm2;
  };
  struct Scratch;

  static Norm norm_of(const WeightReader& weights, const std::string& name);
  static Layer layer_of(const WeightReader& weights, std::size_t index);
  void embed(std::int32_t id, std::size_t place, float* out) const noexcept;
  void normalise(const Compute& compute, const Norm& norm, float* x,
                 std::size_t rows) const noexcept;
  void run_layer(const Compute& compute, const Layer& layer, const Scratch& s) const;

  std::size_t hidden_, heads_, ffn_, max_tokens_, vocabulary_size_;
  const TensorView& words_;             ///< [vocabulary, hidden], float32 or int8 by row
  std::span<const float> word_scales_;  ///< [vocabulary] for int8
  std::span<const float> positions_;    ///< [max_tokens, hidden], token type 0 folded in
  Norm norm_;
  std::vector<Layer> layers_;
};

}  // namespace geng
