#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace geng {

/// How to walk from noise to a latent.
struct SamplerConfig {
  std::string_view solver = "dpmpp_2m";  ///< "dpmpp_2m", "ddim" or "ddpm".
  int steps = 8;                ///< Denoising steps, 1 .. train_steps. Time grows linearly with it.
  double guidance_scale = 0.0;  ///< w in (w + 1) eps_c - w eps_u (GenG, eq. 4), 0 .. 20;
                                ///< 0 = unguided, half the cost.
  double guidance_low = 0.0;    ///< Guided while low <= t / T <= high; outside it costs half.
  double guidance_high = 1.0;
  double eta = 0.0;        ///< DDIM only, 0 .. 1: 0 = deterministic, 1 = DDPM variance.
  std::uint64_t seed = 0;  ///< Of the first sample; sample i has seed + i (mod 2^64).
};

/// Called after every step with the steps done and the steps in all; false stops the request.
using Progress = std::function<bool(int done, int total)>;

}  // namespace geng
