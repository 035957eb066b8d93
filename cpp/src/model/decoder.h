#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/certain_claims.h"
#include "model/frame.h"
#include "model/latent_layout.h"
#include "model/structure.h"

namespace geng {

/// cos(2 pi m / 4N), m = 0 .. 4N - 1: every cosine of a series of N steps, made once a request.
class CosineTable {
 public:
  explicit CosineTable(std::size_t length);

  [[nodiscard]] std::size_t length() const noexcept { return values_.size() / 4; }
  /// x[t] += weight cos(pi k (t + 0.5) / N).
  void add(std::size_t k, double weight, std::span<double> x) const noexcept;

 private:
  std::vector<double> values_;
};

/// How a decoded shape becomes values.
enum class Finish {
  calibrated,     ///< Laid into its range, bent to its mean where the text states one, quantised.
  reconstructed,  ///< As it was analysed: its mean, and range * shape around it.
};

/// D_y: reads a latent as the structure of a series and renders it, at any length.
///
/// As harmonic-plus-noise decoders do for sound (Serra and Smith 1990): trend, two seasons whose
/// phase runs on, noise through an envelope, events, and a residual of cosines for everything
/// else. A period is exact and coherent over the window by construction.
class Decoder {
 public:
  /// @param mean, std  Of the raw latent, [tokens, width]; borrowed for the decoder's life.
  Decoder(const LatentLayout& layout, std::span<const float> mean, std::span<const float> std)
      : layout_(layout), mean_(mean), std_(std) {}

  /// Doubles of scratch that decoding one series takes.
  [[nodiscard]] std::size_t scratch_doubles(std::size_t length) const noexcept {
    return layout_.size() + length;
  }

  /// Renders one series.
  ///
  /// @param latent  [tokens, width], normalised, as the sampler leaves it.
  /// @param white   [length] N(0, 1), coloured and scaled as the latent says.
  /// @param scratch >= scratch_doubles(length).
  /// @param series  Out: [length], in the unit of the frame. Values beyond float32 saturate.
  void decode(std::span<const float> latent, const Frame& frame, const CosineTable& cosines,
              std::span<const float> white, Finish finish, std::span<double> scratch,
              std::span<float> series) const noexcept;

  /// Raw -> normalised, as the sampler takes it; both [tokens, width].
  void normalise(std::span<const double> raw, std::span<float> latent) const noexcept;

  /// Gives an analysed window back: a raw latent of E_y, in the default frame.
  ///
  /// @param raw     [tokens, width].
  /// @param white   [series.size()] What drives the noise; empty = none.
  /// @param scratch >= series.size().
  void reconstruct(std::span<const double> raw, const CosineTable& cosines,
                   std::span<const float> white, std::span<double> scratch,
                   std::span<float> series) const noexcept;

  /// What reconstruct() needs as `white` to give `window` back.
  void innovations(std::span<const double> raw, const CosineTable& cosines,
                   std::span<const float> window, std::span<double> scratch,
                   std::span<float> white) const noexcept;

  /// Makes a normalised latent do what is certain to be asked of it; [tokens, width], in place.
  void impose(const CertainClaims& claims, std::span<float> latent) const;

  [[nodiscard]] const LatentLayout& layout() const noexcept { return layout_; }

  /// Normalised -> raw; both [tokens, width].
  void to_raw(std::span<const float> latent, std::span<double> raw) const noexcept;

  [[nodiscard]] std::span<const double> token_of(std::span<const double> raw,
                                                 std::size_t token) const noexcept {
    return raw.subspan(token * layout_.width, layout_.width);
  }

  /// Adds trend and residual of a whole window.
  void add_smooth(std::span<const double> raw, const CosineTable& cosines,
                  std::span<double> x) const noexcept;
  /// Adds the trend alone, read over the whole series of which `x` is a stretch.
  void add_trend(std::span<const double> raw, const Stretch& stretch,
                 std::span<double> x) const noexcept;
  /// Adds both seasons.
  void add_seasons(std::span<const double> raw, const Frame& frame, const Stretch& stretch,
                   std::span<double> x) const noexcept;

 private:
  /// Where the j-th residual cosine's weight lies in a latent.
  [[nodiscard]] std::size_t residual_at(std::size_t j) const noexcept {
    const std::size_t token = kResidual + j / layout_.residual_per_token;
    return token * layout_.width + j % layout_.residual_per_token;
  }
  void add_structure(std::span<const double> raw, const Frame& frame, const CosineTable& cosines,
                     std::span<const float> white, std::span<double> x) const noexcept;

  LatentLayout layout_;
  std::span<const float> mean_, std_;
};

}  // namespace geng
