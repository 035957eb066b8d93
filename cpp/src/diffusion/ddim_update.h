#pragma once

#include "diffusion/solver.h"

namespace geng {

/// The step that DDPM, DDIM and the first order of DPM-Solver++ share (Song et al. 2021, eq. 12):
///
///   x_next = alpha_next x0 + sqrt(sigma_next^2 - s^2) eps + s z
///   s      = eta (sigma_next / sigma) sqrt(1 - (alpha / alpha_next)^2)          (eq. 16)
///
///   symbol        here                  paper
///   alpha^2       step.alpha squared    alpha_t (what DDPM calls alpha_bar_t)
///   x0            in.x0                 f_theta(x_t)
///   eps           in.eps                epsilon_theta(x_t)
///   z             in.noise              epsilon_t
///
/// With eta = 0 the noise is not read; on the last step sigma_next = 0 and x becomes x0.
void ddim_update(const Step& step, const SolverInput& in, double eta, std::span<float> x) noexcept;

}  // namespace geng
