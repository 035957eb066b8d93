#include "model/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace geng {
namespace {

constexpr int kBisections = 40;
constexpr double kFlat = 1e-9;
/// Of a mean beside one limit: a shape that hugs it would have a range without end.
constexpr double kLeastShare = 0.02;

/// Mean of s^exponent; `logs` holds ln s, with ln 0 = -infinity giving 0.
double mean_of_power(std::span<const double> logs, std::span<const double> weights,
                     double exponent) noexcept {
  double sum = 0.0;
  double all = 0.0;
  for (std::size_t i = 0; i < logs.size(); ++i) {
    const double weight = weights.empty() ? 1.0 : weights[i];
    sum += weight * std::exp(exponent * logs[i]);
    all += weight;
  }
  return sum / all;
}

double unit_of(const Calibration& c, double value) noexcept {
  return c.height < kFlat ? c.level.share : std::clamp((value - c.bottom) / c.height, 0.0, 1.0);
}

/// Halves to even, inside the multiples of the step that the range holds, if it holds any.
void quantise(const Level& level, double step, std::span<double> y) noexcept {
  const double bottom = std::ceil(level.low / step - 1e-6);
  const double top = std::floor((level.low + level.range) / step + 1e-6);
  for (double& value : y) {
    const double k = std::nearbyint(value / step);
    value = step * (bottom <= top ? std::clamp(k, bottom, top) : k);
  }
}

/// From 0 .. 1 into the range, and onto the steps of the resolution.
void place(const Calibration& c, std::span<double> s) noexcept {
  for (double& value : s) value = c.level.low + c.level.range * value;
  if (c.resolution > 0.0) quantise(c.level, c.resolution, s);
}

}  // namespace

float saturated(double value) noexcept {
  constexpr double kLargest = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(value, -kLargest, kLargest));
}

/// The mean of s^g falls as g grows, so ln g is bisected inside [-ln 8, ln 8].
double bend_exponent(double share, std::span<const double> logs,
                     std::span<const double> weights) noexcept {
  double lower = -std::log(8.0);
  double upper = std::log(8.0);
  for (int i = 0; i < kBisections; ++i) {
    const double middle = (lower + upper) / 2.0;
    (mean_of_power(logs, weights, std::exp(middle)) > share ? lower : upper) = middle;
  }
  return std::exp((lower + upper) / 2.0);
}

void Calibration::apply(std::span<double> shape) const noexcept {
  for (double& value : shape) value = unit_of(*this, value);
  if (exponent > 0.0) {
    for (double& value : shape) value = std::exp(exponent * std::log(value));
  }
  place(*this, shape);
}

Level settled(Level level, const Frame& frame, double share) noexcept {
  if (!frame.anchor || frame.anchor->share) return level;
  const Anchor& mean = *frame.anchor;
  const double own = std::clamp(share, kLeastShare, 1.0 - kLeastShare);
  if (mean.low) {
    level.range = (mean.value - *mean.low) / own;
    level.low = *mean.low;
  } else if (mean.high) {
    level.range = (*mean.high - mean.value) / (1.0 - own);
    level.low = *mean.high - level.range;
  } else {
    level.low = mean.value - share * level.range;
  }
  return level;
}

void calibrate(const Level& level, const Frame& frame, std::span<double> shape) noexcept {
  const auto [least, most] = std::minmax_element(shape.begin(), shape.end());
  Calibration fitted{level, *least, *most - *least, 0.0, frame.resolution};
  for (double& value : shape) value = unit_of(fitted, value);
  const double sum = std::accumulate(shape.begin(), shape.end(), 0.0);
  fitted.level = settled(level, frame, sum / static_cast<double>(shape.size()));
  if (frame.mean.known) {
    for (double& value : shape) value = std::log(value);
    const double exponent = bend_exponent(level.share, shape);
    for (double& value : shape) value = std::exp(exponent * value);
  }
  place(fitted, shape);
}

}  // namespace geng
