// Multistep consistency sampling (Song, Dhariwal, Chen, Sutskever 2023, algorithm 1): the student
// says where its trajectory ends, and fresh noise takes it back to the next, lower level.
//
//   x_next = alpha_next x0 + sigma_next z
//
// Guidance is inside the student, so a step is one evaluation.

#include "diffusion/solver.h"

namespace geng::consistency {

static bool draws_noise(double /*eta*/) noexcept { return true; }

static void advance(const Step& step, const Step* /*previous*/, const SolverInput& in,
                    std::span<float> x) noexcept {
  for (std::size_t i = 0; i < x.size(); ++i) {
    double next = step.alpha_next * in.x0[i];
    if (step.sigma_next > 0.0) next += step.sigma_next * in.noise[i];
    x[i] = static_cast<float>(next);
  }
}

constinit const Solver solver{"consistency", false, true, draws_noise, advance};

}  // namespace geng::consistency
