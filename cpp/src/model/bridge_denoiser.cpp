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

/// Arena bytes of the scratch and of v for as many sequences.
std::size_t bytes_for(const cpu::KernelSet& kernels, const BridgeShape& shape,
                      std::size_t sequences, std::size_t memory_tokens) noexcept {
  ArenaMeter meter;
  BridgeScratch::cut(meter, kernels, shape, sequences, memory_tokens);
  meter.take<float>(sequences * shape.tokens * shape.width);
  return meter.bytes();
}

}  // namespace

BridgeDenoiser::BridgeDenoiser(const Bridge& bridge, const Compute& compute,
                               std::span<const int> timesteps,
                               std::vector<const BridgeMemory*> memories, std::size_t samples)
    : bridge_(bridge),
      compute_(compute),
      memories_(std::move(memories)),
      times_(bridge.modulate(compute, timesteps)),
      arena_(bytes_for(compute.kernels, bridge.shape(), samples * memories_.size(),
                       most_tokens(memories_))),
      scratch_(BridgeScratch::cut(arena_, compute.kernels, bridge.shape(),
                                  samples * memories_.size(), most_tokens(memories_))),
      v_(arena_.take<float>(samples * memories_.size() * bridge.shape().tokens *
                            bridge.shape().width)) {}

void BridgeDenoiser::predict_v(std::size_t step, std::span<const float> x, std::size_t memories,
                               std::span<float> v) const {
  bridge_.predict_v(compute_, {x, step, times_, std::span(memories_).first(memories)}, scratch_, v);
}

void BridgeDenoiser::denoise(const Step& step, std::span<const float> x, std::span<float> x0,
                             std::span<float> eps) {
  predict_v(static_cast<std::size_t>(step.index), x, x0.size() / x.size(), v_);
  for (std::size_t first = 0; first < x0.size(); first += x.size()) {  // one memory after the other
    const float* v = v_.data() + first;
    float* clean = x0.data() + first;
    float* noise = eps.data() + first;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double xi = x[i];
      clean[i] = static_cast<float>(step.alpha * xi - step.sigma * v[i]);
      noise[i] = static_cast<float>(step.sigma * xi + step.alpha * v[i]);
    }
  }
}

}  // namespace geng
