#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace geng::random_model {

/// Sizes of a whole model. The text expert's are small: what is measured is the bridge.
struct Sizes {
  std::uint32_t hidden = 32, text_heads = 2, ffn = 64, layers = 2, max_tokens = 128, vocab = 64;
  std::uint32_t tokens = 7, width = 32, dim = 32, depth = 2, heads = 2, train_steps = 500;
  bool int8 = false;
  bool student = false;   ///< With a distilled student beside the bridge.
  bool claims = false;    ///< With a claims reader whose answers the bridge is told.
  float out_bias = 0.0f;  ///< Of bridge.out: large enough, and the latent leaves float32.
  std::uint64_t seed = 1;
};

/// The schedule of Nichol and Dhariwal (2021): alpha_bar of every timestep.
std::vector<float> cosine_alpha_bar(std::size_t steps);

/// The bytes of a GGUF model of these sizes with random weights: to measure where there is no
/// trained one, and to test with.
std::string bytes(const Sizes& sizes);

/// Writes bytes(sizes) to `path`: to a temporary file beside it, then renamed.
///
/// @throws Error{invalid_argument}  The sizes are none that a model may have, or the file cannot be
///                                  written.
void write(const Sizes& sizes, const std::string& path);

}  // namespace geng::random_model
