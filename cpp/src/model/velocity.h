#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "diffusion/denoiser.h"

namespace geng {

/// A network that predicts v (Salimans and Ho 2022), bound to one trajectory: ours, or a caller's.
class VelocityDenoiser : public Denoiser {
 public:
  /// v at timesteps[step] of `x`, for the first `branches`: [branches, samples, latent].
  virtual void predict_v(std::size_t step, std::span<const float> x, std::size_t branches,
                         std::span<float> v) const = 0;

  /// Here alone v becomes what solvers read:
  ///   x0 = alpha x - sigma v          eps = sigma x + alpha v
  void denoise(const Step& step, std::span<const float> x, std::span<float> x0,
               std::span<float> eps) final;

 protected:
  /// @param floats  Most values of v in one call; nothing is allocated afterwards.
  explicit VelocityDenoiser(std::size_t floats) : v_(floats) {}

 private:
  std::vector<float> v_;
};

}  // namespace geng
