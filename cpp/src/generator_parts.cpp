#include "generator_parts.h"

#include <array>
#include <utility>

#include "format/model_layout.h"
#include "geng/error.h"
#include "model/bridge_denoiser.h"
#include "model/network_denoiser.h"
#include "request_checks.h"

namespace geng {
namespace {

PackedKey key_of(const ModelFile& file, const cpu::KernelSet& kernels, Precision precision) {
  constexpr std::size_t kAnyDepth = 1024;
  const std::size_t header =
      kernels.i8_header_bytes != nullptr ? kernels.i8_header_bytes(kAnyDepth) : 0;
  std::string layout;
  for (const std::size_t size :
       {std::size_t{kernels.i8_cols}, std::size_t{kernels.i8_depth},
        std::size_t{kernels.i8_shifted}, header, std::size_t{kernels.f32_cols}}) {
    layout += (layout.empty() ? "" : " ") + std::to_string(size);
  }
  return {file.fingerprint(),
          file.file_bytes(),
          file.modified(),
          kernels.name,
          layout,
          static_cast<std::uint32_t>(precision)};
}

/// Packed weights of an earlier start, or else a place for new ones; the file is checked either
/// way, its sum only when no earlier start found it right.
PackedWeights packed_of(const ModelFile& file, const std::string& cache_folder,
                        const PackedKey& key) {
  PackedWeights packed(cache_folder, key);
  if (!packed.is_cached()) file.verify();
  check_layout(file);
  return packed;
}

}  // namespace

Generator::Parts::Parts(const std::string& path, Precision chosen, int threads,
                        std::string_view isa, const std::string& cache_folder, Network callers)
    : kernels(isa.empty() ? cpu::active() : cpu::select(cpu::detect(), isa)),
      file(ModelFile::open_unverified(path)),
      precision(chosen),
      packed(packed_of(file, cache_folder, key_of(file, kernels, precision))),
      pool(threads),
      schedule(file.tensor("schedule.alpha_bar").f32()),
      layout(LatentLayout::of(file)),
      text(weights()),
      reader(weights()),
      bridge(weights()),
      decoder(layout, file.tensor("latent.mean").f32(), file.tensor("latent.std").f32()),
      network(std::move(callers)) {
  if (file.has("geng.student.guidance")) student.emplace(weights(), "student");
  if (ClaimsReader::is_in(file)) {
    claims.emplace(weights());
    claim_scores = ClaimScores::of(file);
  }
  if (SeriesEncoder::is_in(file)) encoder.emplace(weights(), layout);
  packed.save();
}

ConditionView Generator::Parts::checked(std::span<const float> condition) const {
  const ConditionView view{condition, text.hidden()};
  check_condition(condition, view.width(), text.max_tokens());
  return view;
}

Roles Generator::Parts::roles(const ConditionView& condition, std::size_t length) const {
  Roles read = reader.read(compute(), condition);
  if (read.recurrence && claim_scores && !claim_scores->denies_cycle(answers(condition))) {
    settle_recurrence(read, length);
  }
  settle_both_ways(read);
  settle_stays(read);
  return read;
}

Frame Generator::Parts::frame(const ConditionView& condition, std::size_t length) const {
  return frame_of(roles(condition, length), length);
}

std::vector<float> Generator::Parts::answers(const ConditionView& condition) const {
  return claims ? claims->shares(compute(), condition) : std::vector<float>{};
}

bool Generator::Parts::distilled_for(const Solver& solver) const {
  if (!solver.distilled || student) return solver.distilled;
  throw Error(Code::invalid_argument, "solver is '" + std::string(solver.name) +
                                          "'; it must be another one: this model has no "
                                          "distilled student");
}

BoundNetwork Generator::Parts::bind(const NetworkQuestion& asked, std::span<const int> timesteps,
                                    std::size_t samples) const {
  std::array<float, kFrameFeatures> features{};
  if (asked.condition) features = frame(*asked.condition, asked.length).features();
  BoundNetwork bound;
  if (network) {
    NetworkCondition told{asked.distilled};
    std::vector<bool> branches;
    if (asked.condition) {
      told = {asked.distilled, asked.condition->tokens(), asked.condition->values, features,
              asked.answers};
      branches.push_back(true);
    }
    if (asked.unconditional) branches.push_back(false);
    bound.denoiser = std::make_unique<NetworkDenoiser>(network(told), timesteps,
                                                       std::move(branches), layout, samples);
    return bound;
  }
  const Bridge& own = asked.distilled && student ? *student : bridge;
  if (asked.condition) {
    bound.memories.push_back(own.remember(compute(), *asked.condition, features, asked.answers));
  }
  if (asked.unconditional) bound.memories.push_back(own.remember_nothing(compute()));
  std::vector<const BridgeMemory*> memories;
  memories.reserve(bound.memories.size());
  for (const BridgeMemory& memory : bound.memories) memories.push_back(&memory);
  bound.denoiser =
      std::make_unique<BridgeDenoiser>(own, compute(), timesteps, std::move(memories), samples);
  return bound;
}

}  // namespace geng
