#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace geng {

/// What a network is told of a request, before its first step. Spans are borrowed for that call.
struct NetworkCondition {
  bool distilled = false;  ///< The student is asked for, whose guidance is built in; or the bridge.
  std::size_t tokens = 0;  ///< Of the condition; 0 where only the branch of none is asked.
  std::span<const float> condition = {};  ///< Z_x [tokens, condition_width]
  std::span<const float> frame = {};      ///< Features of the frame that its numbers span.
  std::span<const float> answers = {};    ///< How sure the claims reader is of each; may be empty.
};

/// One batch of noised latents at one noise level. Spans are borrowed for the call.
struct NetworkBatch {
  std::size_t tokens, width;  ///< Of a latent.
  std::span<const float> x;   ///< [samples, tokens, width]
  int t;                      ///< Timestep, 0 .. train_steps - 1.
  bool conditional;           ///< For the condition, or for none (the other branch of guidance).
};

/// Writes v, of the shape of `batch.x`; each row may depend on its own row only.
using NetworkStep = std::function<void(const NetworkBatch& batch, std::span<float> v)>;

/// A caller's network in the place of the model's own: noise, schedule, guidance and decoder stay.
/// It is called on the thread that samples; what it throws ends the request, and nothing is
/// written.
using Network = std::function<NetworkStep(const NetworkCondition& told)>;

}  // namespace geng
