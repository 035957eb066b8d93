#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/latent_layout.h"
#include "model/linear.h"

namespace geng {

/// E_y: a window -> the raw latent that the decoder gives it back from, in the default frame.
///
/// A small transformer over patches of the window and of its spectrum proposes periods and events;
/// explain() (series_analysis.h) refines them and fits the rest.
class SeriesEncoder {
 public:
  /// Whether a model file carries one.
  [[nodiscard]] static bool is_in(const ModelFile& file);

  SeriesEncoder(const WeightReader& weights, const LatentLayout& layout);

  /// Encodes one window; allocates.
  ///
  /// @param x    [window], finite; a constant one gives a latent of no structure.
  /// @param raw  Out: [tokens, width].
  void encode(const Compute& compute, std::span<const float> x, std::span<float> raw) const;

 private:
  struct Block {
    Linear qkv, o, up, down;
  };

  [[nodiscard]] std::vector<double> propose(const Compute& compute,
                                            std::span<const double> x) const;
  void run_block(const Compute& compute, const Block& block, std::span<float> h) const;
  [[nodiscard]] std::vector<float> spectrum_of(std::span<const double> x) const;

  LatentLayout layout_;
  std::size_t window_, dim_, heads_, tokens_;
  Linear patch_, band_, output_;
  std::span<const float> position_;
  std::vector<Block> blocks_;
};

}  // namespace geng
