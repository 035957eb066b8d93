#pragma once

#include <span>

namespace geng {

/// Classifier-free guidance inside an interval of the trajectory.
struct Guidance {
  double scale = 0.0;  ///< w in (w + 1) eps_c - w eps_u (GenG, eq. 4); 0 = unguided, half the cost.
  double low = 0.0;    ///< Guided while low <= t / T <= high; outside it is unguided.
  double high = 1.0;

  /// Whether the unconditional branch is needed at timestep `t` of `train_steps`.
  bool active(int t, int train_steps) const noexcept {
    const double time = static_cast<double>(t) / train_steps;
    return scale != 0.0 && low <= time && time <= high;
  }
};

/// conditional <- (scale + 1) conditional - scale unconditional.
///
/// x0 is affine in eps at a fixed x, and the two weights sum to one, so the same line guides both.
void guide(double scale, std::span<const float> unconditional,
           std::span<float> conditional) noexcept;

}  // namespace geng
