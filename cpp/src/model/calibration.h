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

/// What lays a shape into its range: fitted to a whole series, applied to any part of it.
struct Calibration {
  Level level;
  double bottom;      ///< Least value of the shape.
  double height;      ///< Its greatest less its least value.
  double exponent;    ///< Values between the ends are bent, s^exponent; 0 = they are not.
  double resolution;  ///< Step of the values; 0 = continuous.

  /// Ends arrive exactly, and what lies beyond them at the end.
  void apply(std::span<double> shape) const noexcept;
};

/// The nearest float32 there is.
float saturated(double value) noexcept;

/// The exponent that gives s^exponent the asked mean, or the nearest that a shape can bend to.
///
/// @param logs     ln s, s in [0, 1]; ln 0 = -infinity.
/// @param weights  How often each occurs; empty = once.
double bend_exponent(double share, std::span<const double> logs,
                     std::span<const double> weights = {}) noexcept;

/// Puts a level about a mean that the text states alone, or with one limit; `share` is the shape's
/// own mean.
Level settled(Level level, const Frame& frame, double share) noexcept;

/// Lays `shape` into its range, in place: ends arrive exactly; where the text states a mean, the
/// values between are bent (s^g) until they have it; where it states a resolution they are rounded.
void calibrate(const Level& level, const Frame& frame, std::span<double> shape) noexcept;

}  // namespace geng
