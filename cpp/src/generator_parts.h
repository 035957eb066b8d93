#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diffusion/noise_schedule.h"
#include "diffusion/solver.h"
#include "format/gguf.h"
#include "format/packed_weights.h"
#include "geng/generator.h"
#include "geng/network.h"
#include "model/bridge.h"
#include "model/certain_claims.h"
#include "model/claims_reader.h"
#include "model/condition_view.h"
#include "model/decoder.h"
#include "model/number_reader.h"
#include "model/series_encoder.h"
#include "model/text_expert.h"
#include "model/velocity.h"

// What the methods of Generator share; private to the files that define them.
namespace geng {

/// Samples computed together: enough to share the weights, few enough to bound the memory.
inline constexpr std::size_t kChunk = 32;

/// Calls body(first, count) for every chunk of `total` samples.
template <typename Body>
void for_chunks(std::size_t total, Body&& body) {
  for (std::size_t first = 0; first < total; first += kChunk) {
    body(first, std::min(kChunk, total - first));
  }
}

/// What a network is asked: which of the two, for what, and in how many branches.
struct NetworkQuestion {
  bool distilled;
  std::optional<ConditionView> condition;  ///< Its branch comes first; none where it is not asked.
  std::size_t length;                      ///< Of the series, which numbers given in steps need.
  std::span<const float> answers;          ///< Of the claims reader.
  bool unconditional;                      ///< Whether the branch of no condition is asked too.
};

/// A network bound to a trajectory, and what it remembers of the request.
struct BoundNetwork {
  std::vector<BridgeMemory> memories;
  std::unique_ptr<VelocityDenoiser> denoiser;  ///< May point into `memories`.
};

/// Everything a loaded model consists of. The order is the order of loading.
struct Generator::Parts {
  const cpu::KernelSet& kernels;
  ModelFile file;
  Precision precision;
  mutable PackedWeights packed;
  mutable ThreadPool pool;
  NoiseSchedule schedule;
  LatentLayout layout;
  TextExpert text;
  NumberReader reader;
  std::optional<ClaimsReader> claims;
  std::optional<ClaimScores> claim_scores;
  Bridge bridge;
  std::optional<Bridge> student;
  Decoder decoder;
  std::optional<SeriesEncoder> encoder;
  Network network;  ///< A caller's, in the place of bridge and student; may be empty.

  Parts(const std::string& path, Precision chosen, int threads, std::string_view isa,
        const std::string& cache_folder, Network callers);

  [[nodiscard]] WeightReader weights() const noexcept { return {file, kernels, precision, packed}; }
  [[nodiscard]] Compute compute() const noexcept { return {kernels, pool}; }

  [[nodiscard]] ConditionView checked(std::span<const float> condition) const;
  /// The number of each role, as number reader and claims reader see it together.
  [[nodiscard]] Roles roles(const ConditionView& condition, std::size_t length) const;
  [[nodiscard]] Frame frame(const ConditionView& condition, std::size_t length) const;
  /// How sure the claims reader is of each answer; empty without one.
  [[nodiscard]] std::vector<float> answers(const ConditionView& condition) const;

  /// The student where `solver` runs on it.
  ///
  /// @throws Error{invalid_argument}  The model has none.
  [[nodiscard]] bool distilled_for(const Solver& solver) const;

  /// The caller's network where there is one, else the model's own.
  ///
  /// @param samples  Most latents in one call.
  [[nodiscard]] BoundNetwork bind(const NetworkQuestion& asked, std::span<const int> timesteps,
                                  std::size_t samples) const;

  /// Renders series.size() / length latents; `white` fills the noise of one sample.
  template <typename White>
  void render(std::span<const float> latents, const Frame& frame, std::size_t length, Finish finish,
              const White& white, std::span<float> series) const;
};

}  // namespace geng
