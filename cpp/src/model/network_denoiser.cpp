#include "model/network_denoiser.h"

#include <utility>

#include "geng/error.h"

namespace geng {

NetworkDenoiser::NetworkDenoiser(NetworkStep step, std::span<const int> timesteps,
                                 std::vector<bool> branches, const LatentLayout& layout,
                                 std::size_t samples)
    : VelocityDenoiser(samples * layout.size() * branches.size()),
      step_(std::move(step)),
      tokens_(layout.tokens),
      width_(layout.width),
      timesteps_(timesteps.begin(), timesteps.end()),
      branches_(std::move(branches)) {
  if (!step_) {
    throw Error(Code::invalid_argument, "the network gave no step; it must give a function");
  }
}

void NetworkDenoiser::predict_v(std::size_t step, std::span<const float> x, std::size_t branches,
                                std::span<float> v) const {
  for (std::size_t i = 0; i < branches; ++i) {
    step_({tokens_, width_, x, timesteps_[step], branches_[i]}, v.subspan(i * x.size(), x.size()));
  }
}

}  // namespace geng
