// DDIM: denoising diffusion implicit models (Song, Meng, Ermon 2021). Deterministic at eta = 0,
// ancestral at eta = 1. The update is derived in ddim_update.h.

#include <cmath>

#include "diffusion/ddim_update.h"

namespace geng {

void ddim_update(const Step& step, const SolverInput& in, double eta, std::span<float> x) noexcept {
  const double ratio = step.alpha / step.alpha_next;
  const double spread = eta * (step.sigma_next / step.sigma) * std::sqrt(1.0 - ratio * ratio);
  // Rounding may push spread a hair above sigma_next at eta = 1.
  const double direction =
      std::sqrt(std::fmax(step.sigma_next * step.sigma_next - spread * spread, 0.0));
  for (std::size_t i = 0; i < x.size(); ++i) {
    double next = step.alpha_next * in.x0[i] + direction * in.eps[i];
    if (spread > 0.0) next += spread * in.noise[i];
    x[i] = static_cast<float>(next);
  }
}

namespace ddim {

static bool draws_noise(double eta) noexcept { return eta > 0.0; }

static void advance(const Step& step, const Step* /*previous*/, const SolverInput& in,
                    std::span<float> x) noexcept {
  ddim_update(step, in, in.eta, x);
}

constinit const Solver solver{"ddim", false, false, draws_noise, advance};

}  // namespace ddim
}  // namespace geng
