#pragma once

#include <span>
#include <vector>

namespace geng {

/// How much of a clean latent is left at each timestep: x_t = alpha x_0 + sigma eps.
///
/// alpha_bar comes from the model file, so training and sampling cannot disagree about it.
class NoiseSchedule {
 public:
  /// @param alpha_bar  One value a training timestep, strictly falling inside (0, 1).
  /// @throws Error{model_file}  It is empty, leaves (0, 1), or does not fall.
  explicit NoiseSchedule(std::span<const float> alpha_bar);

  /// Timesteps the model was trained on (T).
  int train_steps() const noexcept { return static_cast<int>(alpha_.size()); }

  /// sqrt(alpha_bar) and sqrt(1 - alpha_bar) at `t`; t = -1 is the clean end: 1 and 0.
  double alpha(int t) const noexcept { return t < 0 ? 1.0 : alpha_[static_cast<std::size_t>(t)]; }
  double sigma(int t) const noexcept { return t < 0 ? 0.0 : sigma_[static_cast<std::size_t>(t)]; }

 private:
  std::vector<double> alpha_;
  std::vector<double> sigma_;
};

}  // namespace geng
