#pragma once

#include <span>

#include "model/frame.h"

namespace geng {

/// Where one series lies, in its unit: read from the level token in its frame.
struct Level {
  double range;
  double low;
  double share;  ///< Mean as a share of the range.
};

/// Lays `shape` into its range, in place: ends arrive exactly; where the text states a mean, the
/// values between are bent (s^g) until they have it; where it states a resolution they are rounded.
void calibrate(const Level& level, const Frame& frame, std::span<double> shape) noexcept;

}  // namespace geng
