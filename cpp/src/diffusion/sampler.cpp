#include "diffusion/sampler.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/arena_meter.h"
#include "core/philox.h"
#include "geng/error.h"

namespace geng {
namespace {

/// Everything one batch moves. x0 and eps have room for the unconditional branch behind the first.
struct Buffers {
  std::span<float> x, x0, eps, previous_x0, noise, first_noise;

  template <typename Source>
  static Buffers cut(Source& arena, std::size_t samples, std::size_t latent) {
    const std::size_t floats = samples * latent;
    Buffers b;
    b.x = arena.template take<float>(floats);
    b.x0 = arena.template take<float>(2 * floats);
    b.eps = arena.template take<float>(2 * floats);
    b.previous_x0 = arena.template take<float>(floats);
    b.noise = arena.template take<float>(floats);
    b.first_noise = arena.template take<float>(floats);
    return b;
  }
};

/// Each sample draws from its own seed, so that a batch may be split anywhere.
void draw_noise(std::uint64_t seed, NoiseStream stream, int step, std::size_t samples,
                std::span<float> noise) noexcept {
  const std::size_t latent = noise.size() / samples;
  for (std::size_t i = 0; i < samples; ++i) {
    fill_normal(seed + i, stream, static_cast<std::uint32_t>(step),
                noise.subspan(i * latent, latent));
  }
}

/// No latent in training had a larger value; what a real window has beyond stays off the bridge.
constexpr float kLargestValue = 7.0f;

/// Puts the example, under the noise of this level, in place of every value that is still held
/// (replacement, Song et al. 2021). What is held to the end has the same noise on the whole way.
void hold(const Reference& reference, int t, double alpha, double sigma,
          std::span<const float> noise, std::span<float> x) noexcept {
  for (std::size_t i = 0; i < x.size() && reference.given(); ++i) {
    const std::size_t j = i % reference.latent.size();
    if (t <= reference.release[j]) continue;
    const float value = reference.latent[j];
    const float seen = sigma > 0.0 ? std::clamp(value, -kLargestValue, kLargestValue) : value;
    x[i] = static_cast<float>(alpha * seen + sigma * noise[i]);
  }
}

void check_finite(std::span<const float> prediction, std::size_t latent, const Step& step,
                  std::size_t steps, std::uint64_t seed) {
  const auto bad = std::find_if(prediction.begin(), prediction.end(),
                                [](float value) { return !std::isfinite(value); });
  if (bad == prediction.end()) return;
  const auto row = static_cast<std::size_t>(bad - prediction.begin()) / latent;
  throw Error(Code::not_finite, std::string("network returned ") +
                                    (std::isnan(*bad) ? "NaN" : "infinity") + " at step " +
                                    std::to_string(step.index) + " of " + std::to_string(steps) +
                                    " (t = " + std::to_string(step.t) + "), seed " +
                                    std::to_string(seed + row) + "; nothing was written");
}

/// Fills the first rows of x0 and eps with the guided prediction.
void predict(Denoiser& denoiser, const Step& step, const Guidance& guidance, int train_steps,
             const Buffers& b) {
  const std::size_t floats = b.x.size();
  if (!guidance.active(step.t, train_steps)) {
    denoiser.denoise(step, b.x, b.x0.first(floats), b.eps.first(floats));
    return;
  }
  denoiser.denoise(step, b.x, b.x0, b.eps);
  guide(guidance.scale, b.x0.subspan(floats), b.x0.first(floats));
  guide(guidance.scale, b.eps.subspan(floats), b.eps.first(floats));
}

}  // namespace

std::size_t sampler_bytes(std::size_t samples, std::size_t latent) noexcept {
  ArenaMeter meter;
  Buffers::cut(meter, samples, latent);
  return meter.bytes();
}

void sample_batch(Denoiser& denoiser, const SamplerPlan& plan, std::uint64_t seed,
                  std::size_t samples, const StepObserver& observer, Arena& arena,
                  std::span<float> latents) {
  const Arena::Scope scope(arena);
  const std::size_t floats = latents.size();
  const std::size_t latent = floats / samples;
  const Buffers b = Buffers::cut(arena, samples, latent);
  const std::span<const Step> steps = plan.trajectory.steps();
  const bool noisy = plan.solver.draws_noise(plan.eta);

  draw_noise(seed, NoiseStream::initial_latent, 0, samples, b.x);
  std::copy(b.x.begin(), b.x.end(), b.first_noise.begin());
  const Step* previous = nullptr;
  for (const Step& step : steps) {
    hold(plan.reference, step.t, step.alpha, step.sigma, b.first_noise, b.x);
    predict(denoiser, step, plan.guidance, plan.trajectory.train_steps(), b);
    check_finite(b.x0.first(floats), latent, step, steps.size(), seed);
    check_finite(b.eps.first(floats), latent, step, steps.size(), seed);
    if (noisy) draw_noise(seed, NoiseStream::solver, step.index, samples, b.noise);
    const SolverInput in{b.x0.first(floats), b.eps.first(floats), b.previous_x0, b.noise, plan.eta};
    plan.solver.advance(step, previous, in, b.x);
    if (plan.solver.keeps_x0) std::copy_n(b.x0.begin(), floats, b.previous_x0.begin());
    previous = &step;
    if (observer && !observer(step)) {
      throw Error(Code::cancelled, "sampling was cancelled after step " +
                                       std::to_string(step.index + 1) + " of " +
                                       std::to_string(steps.size()) + "; nothing was written");
    }
  }
  hold(plan.reference, 0, 1.0, 0.0, b.first_noise, b.x);
  std::copy(b.x.begin(), b.x.end(), latents.begin());
}

}  // namespace geng
