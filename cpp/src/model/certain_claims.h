#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace geng {

class ModelFile;

enum class TrendClaim { up, down, none };

/// What a description states beyond doubt, as far as it can be imposed on a latent.
///
/// As numbers of a text are imposed by the frame, so are these: a sampler of few steps leaves one
/// series in fifty with a slope where none was asked, or with a cycle in its residual.
struct CertainClaims {
  std::optional<TrendClaim> trend;
  bool no_cycle = false;

  [[nodiscard]] bool any() const noexcept { return trend.has_value() || no_cycle; }
};

/// Which scores of the claims reader speak of them; metadata "geng.claims.trend_up" and others.
class ClaimScores {
 public:
  /// Empty where the model does not say, as models before them do not.
  static std::optional<ClaimScores> of(const ModelFile& file);

  /// What the reader is sure of; `shares` are ClaimsReader::shares.
  [[nodiscard]] CertainClaims certain(std::span<const float> shares) const noexcept;
  /// Whether the reader rather thinks that the text denies a cycle.
  [[nodiscard]] bool denies_cycle(std::span<const float> shares) const noexcept;

 private:
  std::size_t up_, down_, none_, no_cycle_;
};

/// Changes the slope of a raw trend [1 + cosines], in place, until its best straight line does not
/// rise, or plainly does in the direction asked. Its bends stay.
void impose(TrendClaim claim, std::span<double> trend) noexcept;

/// Takes the peaks off a spectrum, in place: no cosine is much louder than those around it. The
/// slowest stay, which are no cycles.
///
/// @param cosines  Weights of the cosines 1, 2, ...
void flatten_peaks(std::span<double> cosines);

}  // namespace geng
