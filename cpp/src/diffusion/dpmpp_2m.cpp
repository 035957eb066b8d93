// DPM-Solver++(2M): second-order multistep solver in x0 (Lu et al. 2022, algorithm 2).
//
//   symbol   here                            meaning
//   lambda   log(alpha / sigma)              half the log signal-to-noise ratio
//   h        lambda_next - lambda            size of this step
//   r        (lambda - lambda_prev) / h      size of the step before, relative to this one
//
//   x_next = (sigma_next / sigma) x - alpha_next (e^-h - 1) D
//   D      = x0 + (x0 - x0_prev) / (2 r)
//
// With x = alpha x0 + sigma eps and e^-h = alpha sigma_next / (sigma alpha_next), the x0 part is
// alpha_next x0 + sigma_next eps, the DDIM step, so
//
//   x_next = DDIM(x0, eps) + alpha_next (1 - e^-h) / (2 r) (x0 - x0_prev)
//
// The first step has no x0_prev and is plain DDIM. On the last step h is infinite and r = 0
// would blow up the extrapolation: it is first order too, and x becomes x0.

#include <cmath>

#include "diffusion/ddim_update.h"

namespace geng::dpmpp_2m {

static bool draws_noise(double /*eta*/) noexcept { return false; }

static double log_snr(double alpha, double sigma) noexcept { return std::log(alpha / sigma); }

static void advance(const Step& step, const Step* previous, const SolverInput& in,
                    std::span<float> x) noexcept {
  ddim_update(step, in, 0.0, x);
  if (previous == nullptr || step.t_next < 0) return;
  const double lambda = log_snr(step.alpha, step.sigma);
  const double h = log_snr(step.alpha_next, step.sigma_next) - lambda;
  const double r = (lambda - log_snr(previous->alpha, previous->sigma)) / h;
  const double weight = step.alpha_next * -std::expm1(-h) / (2.0 * r);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>(x[i] + weight * (double{in.x0[i]} - in.previous_x0[i]));
  }
}

constinit const Solver solver{"dpmpp_2m", true, false, draws_noise, advance};

}  // namespace geng::dpmpp_2m
