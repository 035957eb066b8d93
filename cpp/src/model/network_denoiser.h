#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "geng/network.h"
#include "model/latent_layout.h"
#include "model/velocity.h"

namespace geng {

/// A caller's network bound to one trajectory.
class NetworkDenoiser final : public VelocityDenoiser {
 public:
  /// @param timesteps  Step i of the trajectory is timesteps[i].
  /// @param branches   Whether each branch has the condition: {true}, {true, false} or {false}.
  /// @param samples    Most latents in one call.
  NetworkDenoiser(NetworkStep step, std::span<const int> timesteps, std::vector<bool> branches,
                  const LatentLayout& layout, std::size_t samples);

  void predict_v(std::size_t step, std::span<const float> x, std::size_t branches,
                 std::span<float> v) const override;

 private:
  NetworkStep step_;
  std::size_t tokens_, width_;
  std::vector<int> timesteps_;
  std::vector<bool> branches_;
};

}  // namespace geng
