#include "model/certain_claims.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "format/gguf.h"

namespace geng {
namespace {

/// Certainty from which a reading is imposed.
constexpr float kSure = 0.9f;
/// A change over the window, as a share of the range, that nobody overlooks.
constexpr double kPlain = 0.3;
/// Cosines that make less than two and a half cycles in the window.
constexpr std::size_t kSlowest = 4;
/// A cosine's neighbours lie within this ratio of its frequency, and it within this of their
/// median.
constexpr double kNeighbours = 1.6;
constexpr double kLoudest = 1.5;

/// Change over the window of the straight line that fits the trend best: the slope's own, and what
/// each cosine adds, 24 sqrt(2) / (pi k)^2 downwards for odd k.
double fitted_change(std::span<const double> trend) noexcept {
  double change = trend[0];
  for (std::size_t k = 1; k < trend.size(); k += 2) {
    const double turn = std::numbers::pi * static_cast<double>(k);
    change -= 24.0 * std::numbers::sqrt2 / (turn * turn) * trend[k];
  }
  return change;
}

}  // namespace

std::optional<ClaimScores> ClaimScores::of(const ModelFile& file) {
  // The indices are of shares, which a reader makes only where it knows the fields.
  if (!file.has("geng.claims.trend_up") || !file.has("geng.claims.fields")) return std::nullopt;
  ClaimScores scores;
  scores.up_ = file.u32("geng.claims.trend_up");
  scores.down_ = file.u32("geng.claims.trend_down");
  scores.none_ = file.u32("geng.claims.trend_none");
  scores.no_cycle_ = file.u32("geng.claims.no_cycle");
  return scores;
}

CertainClaims ClaimScores::certain(std::span<const float> shares) const noexcept {
  CertainClaims claims;
  if (shares[up_] > kSure) claims.trend = TrendClaim::up;
  if (shares[down_] > kSure) claims.trend = TrendClaim::down;
  if (shares[none_] > kSure) claims.trend = TrendClaim::none;
  claims.no_cycle = shares[no_cycle_] > kSure;
  return claims;
}

bool ClaimScores::denies_cycle(std::span<const float> shares) const noexcept {
  return shares[no_cycle_] > 0.5f;
}

void impose(TrendClaim claim, std::span<double> trend) noexcept {
  const double change = fitted_change(trend);
  double wanted = 0.0;
  if (claim == TrendClaim::up) wanted = std::max(change, kPlain);
  if (claim == TrendClaim::down) wanted = std::min(change, -kPlain);
  trend[0] += wanted - change;
}

void flatten_peaks(std::span<double> cosines) {
  std::vector<double> loudness(cosines.size());
  std::transform(cosines.begin(), cosines.end(), loudness.begin(),
                 [](double weight) { return std::fabs(weight); });
  std::vector<double> around;
  for (std::size_t i = kSlowest; i < cosines.size(); ++i) {
    const auto k = static_cast<double>(i + 1);
    const auto first = static_cast<std::size_t>(std::ceil(k / kNeighbours)) - 1;
    const auto last = std::min(static_cast<std::size_t>(k * kNeighbours), cosines.size());
    around.assign(loudness.begin() + static_cast<std::ptrdiff_t>(first),
                  loudness.begin() + static_cast<std::ptrdiff_t>(last));
    const auto middle = around.begin() + static_cast<std::ptrdiff_t>(around.size() / 2);
    std::nth_element(around.begin(), middle, around.end());
    cosines[i] = std::clamp(cosines[i], -kLoudest * *middle, kLoudest * *middle);
  }
}

}  // namespace geng
