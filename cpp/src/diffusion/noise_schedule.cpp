#include "diffusion/noise_schedule.h"

#include <cmath>
#include <string>

#include "geng/error.h"

namespace geng {

NoiseSchedule::NoiseSchedule(std::span<const float> alpha_bar) {
  if (alpha_bar.empty())
    throw Error(Code::model_file, "schedule.alpha_bar is empty; it must have one value a timestep");
  alpha_.reserve(alpha_bar.size());
  sigma_.reserve(alpha_bar.size());
  double previous = 1.0;
  for (std::size_t t = 0; t < alpha_bar.size(); ++t) {
    const double value = alpha_bar[t];
    if (!(value > 0.0 && value < previous)) {
      throw Error(Code::model_file, "schedule.alpha_bar is " + std::to_string(value) +
                                        " at t = " + std::to_string(t) +
                                        "; it must fall strictly inside (0, 1)");
    }
    alpha_.push_back(std::sqrt(value));
    sigma_.push_back(std::sqrt(1.0 - value));
    previous = value;
  }
}

}  // namespace geng
