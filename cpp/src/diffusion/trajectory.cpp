#include "diffusion/trajectory.h"

#include <string>

#include "geng/error.h"

namespace geng {
namespace {

/// round((T - 1)(1 - i / steps)), halves up, in integers so that no platform rounds otherwise.
/// With steps = T the spacing is below one and rounding would repeat a timestep: count down.
int timestep(int train_steps, int steps, int i) noexcept {
  if (steps == train_steps) return train_steps - 1 - i;
  const long long twice = 2LL * (train_steps - 1) * (steps - i);
  return static_cast<int>((twice + steps) / (2LL * steps));
}

}  // namespace

Trajectory::Trajectory(const NoiseSchedule& schedule, int steps)
    : train_steps_(schedule.train_steps()) {
  const int train_steps = train_steps_;
  if (steps < 1 || steps > train_steps) {
    throw Error(Code::invalid_argument, "steps is " + std::to_string(steps) + "; it must be 1 to " +
                                            std::to_string(train_steps));
  }
  steps_.reserve(static_cast<std::size_t>(steps));
  for (int i = 0; i < steps; ++i) {
    const int t = timestep(train_steps, steps, i);
    const int t_next = i + 1 < steps ? timestep(train_steps, steps, i + 1) : -1;
    steps_.push_back({i, t, t_next, schedule.alpha(t), schedule.sigma(t), schedule.alpha(t_next),
                      schedule.sigma(t_next)});
  }
}

}  // namespace geng
