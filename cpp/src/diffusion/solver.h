#pragma once

#include <span>
#include <string>
#include <string_view>

#include "diffusion/trajectory.h"

namespace geng {

/// What a solver reads at one step. All spans have the same length.
struct SolverInput {
  std::span<const float> x0;           ///< predicted clean latent at step.t
  std::span<const float> eps;          ///< predicted noise at step.t
  std::span<const float> previous_x0;  ///< x0 of the step before; empty on the first step
  std::span<const float> noise;        ///< fresh N(0, 1); empty unless the solver draws noise
  double eta;                          ///< share of the ancestral variance (DDIM only)
};

/// A way to advance x by one step. A new solver is one file and one line in solvers.cpp.
///
/// It has no state and no knowledge of the bridge, and it cannot compute a wrong "previous
/// timestep" because it is handed one.
struct Solver {
  std::string_view name;  ///< as written in requests and profiles
  bool keeps_x0;          ///< reads previous_x0
  bool distilled;         ///< runs on the distilled student, whose guidance is built in
  /// Whether it reads `noise` when run with `eta`.
  bool (*draws_noise)(double eta) noexcept;
  /// Writes x at step.t_next. `previous` is null on the first step.
  void (*advance)(const Step& step, const Step* previous, const SolverInput& in,
                  std::span<float> x) noexcept;
};

/// The solver called `name`.
///
/// @throws Error{invalid_argument}  There is none; the sentence lists those there are.
const Solver& find_solver(std::string_view name);

/// Every solver, in the order they are listed to a user.
std::span<const Solver* const> solvers() noexcept;

/// "ddpm, ddim, dpmpp_2m": for sentences.
std::string solver_names();

namespace ddpm {
extern const Solver solver;
}
namespace ddim {
extern const Solver solver;
}
namespace consistency {
extern const Solver solver;
}
namespace dpmpp_2m {
extern const Solver solver;
}

}  // namespace geng
