#include <cmath>
#include <limits>

#include "check.h"
#include "counted_new.h"
#include "diffusion/sampler.h"
#include "geng/error.h"
#include "random_model.h"

using geng::Arena;
using geng::Code;
using geng::NoiseSchedule;
using geng::SamplerPlan;
using geng::Step;
using geng::Trajectory;

namespace {

/// The exact denoiser of data N(mean, spread^2), whatever the condition, and what it was asked.
struct GaussianDenoiser final : geng::Denoiser {
  double mean = 1.0;
  double spread = 0.5;
  int calls = 0;
  std::size_t rows = 0;
  std::size_t latent = 1;
  int poison_at = -1;

  void denoise(const Step& step, std::span<const float> x, std::span<float> x0,
               std::span<float> eps) override {
    ++calls;
    rows += x0.size() / latent;
    const double variance = step.alpha * step.alpha * spread * spread + step.sigma * step.sigma;
    const double gain = step.alpha * spread * spread / variance;
    for (std::size_t i = 0; i < x0.size(); ++i) {
      const double xi = x[i % x.size()];
      const double clean = mean + gain * (xi - step.alpha * mean);
      x0[i] = static_cast<float>(clean);
      eps[i] = static_cast<float>((xi - step.alpha * clean) / step.sigma);
    }
    if (step.index == poison_at) x0[latent] = std::numeric_limits<float>::quiet_NaN();
  }
};

const NoiseSchedule& schedule() {
  static const NoiseSchedule cosine(geng::random_model::cosine_alpha_bar(500));
  return cosine;
}

std::vector<float> draw(geng::Denoiser& denoiser, const char* solver, int steps,
                        std::size_t samples, std::size_t latent, std::uint64_t seed = 0,
                        geng::Guidance guidance = {}, double eta = 0.0) {
  const Trajectory trajectory(schedule(), steps);
  const SamplerPlan plan{trajectory, geng::find_solver(solver), guidance, eta};
  Arena arena(geng::sampler_bytes(samples, latent));
  std::vector<float> latents(samples * latent);
  geng::sample_batch(denoiser, plan, seed, samples, {}, arena, latents);
  CHECK_EQ(arena.used(), 0u);
  return latents;
}

struct Moments {
  double mean, variance;
};

Moments moments(const std::vector<float>& values) {
  double sum = 0.0;
  double squares = 0.0;
  for (const float value : values) sum += value, squares += double{value} * value;
  const double n = static_cast<double>(values.size());
  return {sum / n, squares / n - sum / n * sum / n};
}

}  // namespace

TEST(Ddpm, ReproducesTheVarianceOfGaussianData) {
  GaussianDenoiser denoiser;
  const Moments m = moments(draw(denoiser, "ddpm", 500, 1, 20000));
  CHECK_NEAR(m.mean, 1.0, 0.02);
  CHECK_NEAR(m.variance, 0.25, 0.01);
}

TEST(Sampler, ReproducesGaussianDataWithEverySolver) {
  for (const geng::Solver* solver : geng::solvers()) {
    if (solver->distilled) continue;  // a student says where the path ends, not the mean of x0
    GaussianDenoiser denoiser;
    const Moments m = moments(draw(denoiser, std::string(solver->name).c_str(), 100, 1, 20000));
    CHECK_NEAR(m.mean, 1.0, 0.02);
    CHECK_NEAR(m.variance, 0.25, 0.02);
  }
}

TEST(Guidance, WithScaleZeroCallsTheDenoiserOncePerStepPerSample) {
  GaussianDenoiser denoiser;
  draw(denoiser, "dpmpp_2m", 20, 3, 1);
  CHECK_EQ(denoiser.calls, 20);
  CHECK_EQ(denoiser.rows, 60u);
}

TEST(Guidance, CallsItOnTwiceTheRowsInsideTheInterval) {
  GaussianDenoiser denoiser;
  draw(denoiser, "dpmpp_2m", 20, 3, 1, 0, {1.5, 0.0, 0.5});
  CHECK_EQ(denoiser.calls, 20);
  CHECK_EQ(denoiser.rows, 90u);  // t = 499 .. 274 unguided (10 steps), 250 .. 25 guided
}

TEST(Guidance, ChangesNothingWhenTheBranchesAgree) {
  GaussianDenoiser denoiser;
  const auto plain = draw(denoiser, "ddim", 10, 4, 8);
  const auto guided = draw(denoiser, "ddim", 10, 4, 8, 0, {3.0, 0.0, 1.0});
  for (std::size_t i = 0; i < plain.size(); ++i) CHECK_NEAR(plain[i], guided[i], 1e-5f);
}

TEST(Sampler, GivesASampleTheSameBytesInEveryBatch) {
  for (const geng::Solver* solver : geng::solvers()) {
    const std::string name(solver->name);
    GaussianDenoiser denoiser;
    denoiser.latent = 8;
    const auto together = draw(denoiser, name.c_str(), 10, 5, 8, 100, {}, 0.5);
    for (std::size_t i = 0; i < 5; ++i) {
      const auto alone = draw(denoiser, name.c_str(), 10, 1, 8, 100 + i, {}, 0.5);
      CHECK(std::equal(alone.begin(), alone.end(),
                       together.begin() + static_cast<std::ptrdiff_t>(i * 8)));
    }
  }
}

TEST(Sampler, WrapsSeedsAround) {
  GaussianDenoiser denoiser;
  const auto wrapped = draw(denoiser, "ddim", 5, 2, 8, ~std::uint64_t{0});
  const auto zero = draw(denoiser, "ddim", 5, 1, 8, 0);
  CHECK(std::equal(zero.begin(), zero.end(), wrapped.begin() + 8));
}

TEST(Sampler, AllocatesNothingInTheLoop) {
  for (const geng::Solver* solver : geng::solvers()) {
    GaussianDenoiser denoiser;
    const Trajectory trajectory(schedule(), 50);
    const SamplerPlan plan{trajectory, *solver, {2.0, 0.0, 1.0}, 0.5};
    Arena arena(geng::sampler_bytes(4, 16));
    std::vector<float> latents(64);
    const geng::StepObserver observer = [](const Step&) { return true; };
    const std::size_t before = allocations.load();
    geng::sample_batch(denoiser, plan, 1, 4, observer, arena, latents);
    CHECK_EQ(allocations.load(), before);
  }
}

TEST(Sampler, StopsWhenTheObserverSaysSoAndLeavesTheOutputAlone) {
  GaussianDenoiser denoiser;
  const Trajectory trajectory(schedule(), 20);
  const SamplerPlan plan{trajectory, geng::find_solver("ddim"), {}, 0.0};
  Arena arena(geng::sampler_bytes(1, 4));
  std::vector<float> latents(4, 7.0f);
  CHECK_ERROR(
      geng::sample_batch(
          denoiser, plan, 0, 1, [](const Step& step) { return step.index < 4; }, arena, latents),
      Code::cancelled, "after step 5 of 20; nothing was written");
  CHECK_EQ(denoiser.calls, 5);
  CHECK_EQ(latents, std::vector<float>(4, 7.0f));
  CHECK_EQ(arena.used(), 0u);
}

TEST(Sampler, NamesStepTimestepAndSeedOfANan) {
  GaussianDenoiser denoiser;
  denoiser.latent = 4;
  denoiser.poison_at = 7;
  const Trajectory trajectory(schedule(), 20);
  const SamplerPlan plan{trajectory, geng::find_solver("dpmpp_2m"), {}, 0.0};
  Arena arena(geng::sampler_bytes(3, 4));
  std::vector<float> latents(12, 7.0f);
  CHECK_ERROR(geng::sample_batch(denoiser, plan, 40, 3, {}, arena, latents), Code::not_finite,
              "network returned NaN at step 7 of 20 (t = 324), seed 41; nothing was written");
  CHECK_EQ(latents, std::vector<float>(12, 7.0f));
}

CHECK_MAIN()
