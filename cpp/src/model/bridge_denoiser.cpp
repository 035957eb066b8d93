#include "model/bridge_denoiser.h"

#include <algorithm>
#include <utility>

#include "core/arena_meter.h"

namespace geng {
namespace {

std::size_t most_tokens(std::span<const BridgeMemory* const> memories) noexcept {
  std::size_t most = 0;
  for (const BridgeMemory* memory : memories) most = std::max(most, memory->tokens);
  return most;
}

/// Arena bytes of the scratch for as many sequences.
std::size_t bytes_for(const cpu::KernelSet& kernels, const BridgeShape& shape,
                      std::size_t sequences, std::size_t memory_tokens) noexcept {
  ArenaMeter meter;
  BridgeScratch::cut(meter, kernels, shape, sequences, memory_tokens);
  return meter.bytes();
}

}  // namespace

BridgeDenoiser::BridgeDenoiser(const Bridge& bridge, const Compute& compute,
                               std::span<const int> timesteps,
                               std::vector<const BridgeMemory*> memories, std::size_t samples)
    : VelocityDenoiser(samples * memories.size() * bridge.shape().tokens * bridge.shape().width),
      bridge_(bridge),
      compute_(compute),
      memories_(std::move(memories)),
      times_(bridge.modulate(compute, timesteps)),
      arena_(bytes_for(compute.kernels, bridge.shape(), samples * memories_.size(),
                       most_tokens(memories_))),
      scratch_(BridgeScratch::cut(arena_, compute.kernels, bridge.shape(),
                                  samples * memories_.size(), most_tokens(memories_))) {}

void BridgeDenoiser::predict_v(std::size_t step, std::span<const float> x, std::size_t memories,
                               std::span<float> v) const {
  bridge_.predict_v(compute_, {x, step, times_, std::span(memories_).first(memories)}, scratch_, v);
}

}  // namespace geng
