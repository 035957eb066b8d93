#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "core/arena.h"
#include "diffusion/denoiser.h"
#include "diffusion/guidance.h"
#include "diffusion/solver.h"
#include "diffusion/trajectory.h"
#include "geng/sampler.h"

namespace geng {

/// A checked plan of how to sample; shared by every batch of a request.
struct SamplerPlan {
  const Trajectory& trajectory;
  const Solver& solver;
  Guidance guidance;
  double eta = 0.0;
  Reference reference = {};
};

/// Called after every step with its index; false stops the batch.
using StepObserver = std::function<bool(const Step& step)>;

/// Arena bytes that `sample_batch` takes for `samples` latents of `latent` floats each.
std::size_t sampler_bytes(std::size_t samples, std::size_t latent) noexcept;

/// Draws one batch of latents by running `denoiser` backwards from Gaussian noise.
///
/// Cost: one denoiser call a step, on twice the rows where guidance is active.
/// Memory: sampler_bytes() of `arena`, given back at the end; nothing else is allocated.
///
/// @param seed     Of the batch's first sample; sample i draws all its noise from seed + i.
/// @param latents  Out: [samples, latent], normalised (what Decoder takes).
///
/// @throws Error{not_finite}  The denoiser returned NaN or infinity; names step, t and seed.
/// @throws Error{cancelled}   `observer` returned false. In both cases `latents` is untouched.
void sample_batch(Denoiser& denoiser, const SamplerPlan& plan, std::uint64_t seed,
                  std::size_t samples, const StepObserver& observer, Arena& arena,
                  std::span<float> latents);

}  // namespace geng
