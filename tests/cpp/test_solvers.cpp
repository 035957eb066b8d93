#include <cmath>
#include <random>

#include "check.h"
#include "diffusion/guidance.h"
#include "diffusion/solver.h"
#include "geng/error.h"
#include "random_model.h"

using geng::Code;
using geng::find_solver;
using geng::NoiseSchedule;
using geng::SolverInput;
using geng::Step;
using geng::Trajectory;

namespace {

/// Data N(mean, spread^2): its exact denoiser and the exact end of the deterministic path from x.
struct Gaussian {
  double mean = 0.7;
  double spread = 0.5;

  double variance(double alpha, double sigma) const {
    return alpha * alpha * spread * spread + sigma * sigma;
  }
  double x0(double alpha, double sigma, double x) const {
    const double gain = alpha * spread * spread / variance(alpha, sigma);
    return mean + gain * (x - alpha * mean);
  }
  double exact_end(double alpha, double sigma, double x) const {
    return mean + spread * (x - alpha * mean) / std::sqrt(variance(alpha, sigma));
  }
};

/// A schedule fine and smooth enough for orders of convergence to show.
NoiseSchedule smooth() {
  std::vector<float> alpha_bar;
  for (int t = 0; t < 4096; ++t) {
    const double angle = 0.5 + 0.8 * (t + 1) / 4096.0;
    alpha_bar.push_back(static_cast<float>(std::pow(std::cos(angle), 2)));
  }
  return NoiseSchedule(alpha_bar);
}

/// Runs a solver on the exact denoiser, without the jump to t = -1, whose error is its own.
double end_error(const char* name, int steps) {
  const Gaussian data;
  const NoiseSchedule schedule = smooth();
  const auto& solver = find_solver(name);
  const double start = 1.3;
  std::vector<float> x = {static_cast<float>(start)};
  std::vector<float> previous_x0 = {0.0f};
  Step previous{};
  for (int i = 0; i < steps; ++i) {
    const int t = 4095 - 4095 * i / steps;
    const int t_next = 4095 - 4095 * (i + 1) / steps;
    const Step step{i,
                    t,
                    t_next,
                    schedule.alpha(t),
                    schedule.sigma(t),
                    schedule.alpha(t_next),
                    schedule.sigma(t_next)};
    const double clean = data.x0(step.alpha, step.sigma, x[0]);
    const std::vector<float> x0 = {static_cast<float>(clean)};
    const std::vector<float> eps = {static_cast<float>((x[0] - step.alpha * clean) / step.sigma)};
    solver.advance(step, i == 0 ? nullptr : &previous, SolverInput{x0, eps, previous_x0, {}, 0.0},
                   x);
    previous_x0 = x0;
    previous = step;
  }
  // The deterministic path keeps the standardised value.
  const double a = schedule.alpha(4095);
  const double s = schedule.sigma(4095);
  const double z = (start - a * data.mean) / std::sqrt(data.variance(a, s));
  const double a0 = schedule.alpha(0);
  const double s0 = schedule.sigma(0);
  return std::fabs(x[0] - (a0 * data.mean + z * std::sqrt(data.variance(a0, s0))));
}

}  // namespace

TEST(Ddim, ErrorHalvesWhenStepsDouble) {
  const double ratio = end_error("ddim", 16) / end_error("ddim", 32);
  CHECK_NEAR(ratio, 2.0, 0.3);
}

TEST(Dpmpp2m, ErrorFallsFourfoldWhenStepsDouble) {
  const double ratio = end_error("dpmpp_2m", 16) / end_error("dpmpp_2m", 32);
  CHECK_NEAR(ratio, 4.0, 0.7);
}

TEST(Ddim, EqualsFirstDpmppStepWhenEtaIsZero) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::uniform_int_distribution<int> timestep(-1, 499);
  const NoiseSchedule schedule(geng::random_model::cosine_alpha_bar(500));
  for (int i = 0; i < 1000; ++i) {
    int t = timestep(random);
    int t_next = timestep(random);
    if (t == t_next) continue;
    if (t < t_next) std::swap(t, t_next);
    const Step step{0,
                    t,
                    t_next,
                    schedule.alpha(t),
                    schedule.sigma(t),
                    schedule.alpha(t_next),
                    schedule.sigma(t_next)};
    const std::vector<float> x0 = {normal(random)};
    const std::vector<float> eps = {normal(random)};
    std::vector<float> a(1);
    std::vector<float> b(1);
    find_solver("ddim").advance(step, nullptr, {x0, eps, {}, {}, 0.0}, a);
    find_solver("dpmpp_2m").advance(step, nullptr, {x0, eps, {}, {}, 0.0}, b);
    CHECK_EQ(a, b);
  }
}

TEST(Ddim, EqualsDdpmWhenEtaIsOne) {
  const NoiseSchedule schedule(geng::random_model::cosine_alpha_bar(500));
  const Trajectory trajectory(schedule, 10);
  const std::vector<float> x0 = {0.3f};
  const std::vector<float> eps = {-1.2f};
  const std::vector<float> noise = {0.8f};
  for (const Step& step : trajectory.steps()) {
    std::vector<float> a(1);
    std::vector<float> b(1);
    find_solver("ddim").advance(step, nullptr, {x0, eps, {}, noise, 1.0}, a);
    find_solver("ddpm").advance(step, nullptr, {x0, eps, {}, noise, 0.0}, b);
    CHECK_EQ(a, b);
  }
}

TEST(Solvers, EndExactlyAtTheCleanLatent) {
  const Trajectory trajectory(NoiseSchedule(geng::random_model::cosine_alpha_bar(500)), 7);
  const auto steps = trajectory.steps();
  const std::vector<float> x0 = {0.25f};
  const std::vector<float> other = {5.0f};
  for (const geng::Solver* solver : geng::solvers()) {
    std::vector<float> x = {9.0f};
    solver->advance(steps[6], &steps[5], {x0, other, other, other, 1.0}, x);
    CHECK_EQ(x, x0);
  }
}

TEST(Consistency, GoesBackToTheNextLevelWithFreshNoise) {
  const Trajectory trajectory(NoiseSchedule(geng::random_model::cosine_alpha_bar(500)), 4);
  const Step& step = trajectory.steps()[1];
  const std::vector<float> x0 = {0.5f};
  const std::vector<float> eps = {7.0f};  // is not read
  const std::vector<float> noise = {-2.0f};
  std::vector<float> x = {9.0f};
  const auto& solver = find_solver("consistency");
  CHECK(solver.distilled && solver.draws_noise(0.0));
  solver.advance(step, nullptr, {x0, eps, {}, noise, 0.0}, x);
  CHECK_NEAR(x[0], step.alpha_next * 0.5 - step.sigma_next * 2.0, 1e-6);
}

TEST(Solvers, AreListedWhenThereIsNoneOfThatName) {
  CHECK_ERROR(find_solver("euler"), Code::invalid_argument,
              "solver is 'euler'; it must be one of dpmpp_2m, ddim, ddpm, consistency");
}

TEST(Guidance, FollowsEquationFour) {
  const std::vector<float> unconditional = {1.0f, 2.0f};
  std::vector<float> conditional = {3.0f, 1.0f};
  geng::guide(2.0, unconditional, conditional);
  CHECK_EQ(conditional, (std::vector<float>{7.0f, -1.0f}));
}

TEST(Guidance, IsActiveInsideItsIntervalOnly) {
  const geng::Guidance guidance{2.0, 0.2, 0.8};
  CHECK(!guidance.active(99, 500));
  CHECK(guidance.active(100, 500));
  CHECK(guidance.active(400, 500));
  CHECK(!guidance.active(401, 500));
  CHECK(!(geng::Guidance{0.0, 0.0, 1.0}.active(250, 500)));
}

CHECK_MAIN()
