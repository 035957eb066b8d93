#include "model/calibration.h"

#include <algorithm>
#include <cmath>

namespace geng {
namespace {

constexpr int kBisections = 40;
constexpr double kFlat = 1e-9;

/// Mean of s^exponent; `logs` holds ln s, with ln 0 = -infinity giving 0.
double mean_of_power(std::span<const double> logs, double exponent) noexcept {
  double sum = 0.0;
  for (const double value : logs) sum += std::exp(exponent * value);
  return sum / static_cast<double>(logs.size());
}

/// The mean of s^g falls as g grows, so bisecting ln g inside [-ln 8, ln 8] finds the mean asked
/// for, or the nearest a shape can bend to. Zero and one stay where they are.
void bend(double share, std::span<double> s) noexcept {
  for (double& value : s) value = std::log(value);
  double lower = -std::log(8.0);
  double upper = std::log(8.0);
  for (int i = 0; i < kBisections; ++i) {
    const double middle = (lower + upper) / 2.0;
    (mean_of_power(s, std::exp(middle)) > share ? lower : upper) = middle;
  }
  const double exponent = std::exp((lower + upper) / 2.0);
  for (double& value : s) value = std::exp(exponent * value);
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

}  // namespace

void calibrate(const Level& level, const Frame& frame, std::span<double> shape) noexcept {
  const auto [least, most] = std::minmax_element(shape.begin(), shape.end());
  const double bottom = *least;
  const double height = *most - bottom;
  for (double& value : shape) value = height < kFlat ? level.share : (value - bottom) / height;
  if (frame.mean.known) bend(level.share, shape);
  for (double& value : shape) value = level.low + level.range * value;
  if (frame.resolution > 0.0) quantise(level, frame.resolution, shape);
}

}  // namespace geng
