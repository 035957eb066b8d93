// DDPM: ancestral sampling (Ho, Jain, Abbeel 2020), with the posterior variance beta_tilde taken
// between t and t_next instead of t and t - 1, so that it also holds when timesteps are skipped.
//
//   beta_tilde = (sigma_next / sigma)^2 (1 - (alpha / alpha_next)^2)                (eq. 7)
//
// which is s^2 of ddim_update.h at eta = 1: the two papers' updates are then the same one.

#include "diffusion/ddim_update.h"

namespace geng::ddpm {

static bool draws_noise(double /*eta*/) noexcept { return true; }

static void advance(const Step& step, const Step* /*previous*/, const SolverInput& in,
                    std::span<float> x) noexcept {
  ddim_update(step, in, 1.0, x);
}

constinit const Solver solver{"ddpm", false, false, draws_noise, advance};

}  // namespace geng::ddpm
