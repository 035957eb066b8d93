#include "model/velocity.h"

namespace geng {

void VelocityDenoiser::denoise(const Step& step, std::span<const float> x, std::span<float> x0,
                               std::span<float> eps) {
  const std::span<float> v = std::span(v_).first(x0.size());
  predict_v(static_cast<std::size_t>(step.index), x, x0.size() / x.size(), v);
  for (std::size_t first = 0; first < x0.size(); first += x.size()) {  // one branch after the other
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double xi = x[i];
      const double vi = v[first + i];
      x0[first + i] = static_cast<float>(step.alpha * xi - step.sigma * vi);
      eps[first + i] = static_cast<float>(step.sigma * xi + step.alpha * vi);
    }
  }
}

}  // namespace geng
