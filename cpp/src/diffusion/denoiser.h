#pragma once

#include <span>

#include "diffusion/trajectory.h"

namespace geng {

/// What the sampler needs of the bridge: where the clean latent and the noise are.
///
/// The bridge is one; tests bring analytic ones, whose exact answer is known.
class Denoiser {
 public:
  virtual ~Denoiser() = default;

  /// Predicts x0 and eps (x = alpha x0 + sigma eps) of `x` [samples, latent] at `step.t`.
  ///
  /// The predictions have as many rows as `x`, or twice as many: then the second half answers
  /// for the same `x` without the condition. Each row depends on its own row of `x` only.
  virtual void denoise(const Step& step, std::span<const float> x, std::span<float> x0,
                       std::span<float> eps) = 0;
};

}  // namespace geng
