#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace geng {

/// Stage two (GenG, section III): an example that says what the text leaves open. Spans are
/// borrowed.
struct Reference {
  /// [latent], normalised and in the frame of the condition, as Generator::express gives it.
  std::span<const float> latent = {};
  /// [latent] The timestep at which each value is let go: before that, while t is larger, the
  /// example's stands there under noise. -1 = held to the end; train_steps - 1 = free from the
  /// first.
  std::span<const std::int32_t> release = {};
  /// [length] What drove the example's noise, as Generator::innovations gives it; may be empty.
  std::span<const float> innovations = {};
  /// Share of the variance of what drives the noise that those have, 0 .. 1.
  double follow = 0.0;

  [[nodiscard]] bool given() const noexcept { return !latent.empty(); }
};

/// How to walk from noise to a latent.
struct SamplerConfig {
  std::string_view solver = "dpmpp_2m";  ///< "dpmpp_2m", "ddim", "ddpm" or "consistency".
  int steps = 8;                ///< Denoising steps, 1 .. train_steps. Time grows linearly with it.
  double guidance_scale = 0.0;  ///< w in (w + 1) eps_c - w eps_u (GenG, eq. 4), 0 .. 20;
                                ///< 0 = unguided, half the cost.
  double guidance_low = 0.0;    ///< Guided while low <= t / T <= high; outside it costs half.
  double guidance_high = 1.0;
  double eta = 0.0;        ///< DDIM only, 0 .. 1: 0 = deterministic, 1 = DDPM variance.
  std::uint64_t seed = 0;  ///< Of the first sample; sample i has seed + i (mod 2^64).
  Reference reference = {};
};

/// Called after every step with the steps done and the steps in all; false stops the request.
using Progress = std::function<bool(int done, int total)>;

}  // namespace geng
