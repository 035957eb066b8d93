#pragma once

#include <span>
#include <vector>

#include "diffusion/noise_schedule.h"

namespace geng {

/// One step t -> t_next of a trajectory. Everything a solver reads of time, computed once.
struct Step {
  int index;            ///< 0 .. steps - 1
  int t, t_next;        ///< Timesteps; t_next is -1 on the last step.
  double alpha, sigma;  ///< x_t = alpha x0 + sigma eps
  double alpha_next, sigma_next;
};

/// The table of (t, t_next) from noise to a clean latent; nothing else decides what comes next.
class Trajectory {
 public:
  /// Spaces `steps` timesteps evenly from T - 1 downwards; `steps` = T visits every one.
  ///
  /// @throws Error{invalid_argument}  steps is not 1 .. schedule.train_steps().
  Trajectory(const NoiseSchedule& schedule, int steps);

  std::span<const Step> steps() const noexcept { return steps_; }
  /// Timesteps the model was trained on (T).
  int train_steps() const noexcept { return train_steps_; }

 private:
  int train_steps_;
  std::vector<Step> steps_;
};

}  // namespace geng
