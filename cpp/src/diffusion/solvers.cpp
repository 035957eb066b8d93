#include "diffusion/solver.h"
#include "geng/error.h"

namespace geng {
namespace {

constexpr const Solver* kSolvers[] = {&dpmpp_2m::solver, &ddim::solver, &ddpm::solver,
                                      &consistency::solver};

}  // namespace

std::span<const Solver* const> solvers() noexcept { return kSolvers; }

std::string solver_names() {
  std::string names;
  for (const Solver* solver : kSolvers) {
    if (!names.empty()) names += ", ";
    names += solver->name;
  }
  return names;
}

const Solver& find_solver(std::string_view name) {
  for (const Solver* solver : kSolvers) {
    if (solver->name == name) return *solver;
  }
  throw Error(Code::invalid_argument, "solver is '" + std::string(name.substr(0, 64)) +
                                          "'; it must be one of " + solver_names());
}

}  // namespace geng
