#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "geng/sampler.h"

// The edge of the core: everything a caller can get wrong is refused here, and trusted below.
// Each throws Error{invalid_argument} with the value and the rule.
namespace geng {

void check_length(std::size_t length);
/// Of what latents stand for: a series or a chain.
void check_chain_steps(std::size_t length);
/// Of a series that is chained, `count` of them.
void check_chain(std::size_t count, std::size_t length, std::size_t window);
/// Of series or of latents of `latent` values each. The largest request is 1 GiB of either.
void check_count(std::size_t count, std::size_t latent);
void check_config(const SamplerConfig& config, int train_steps);
/// An example, if one is given: for latents of `latent` values and series of `length` steps.
void check_reference(const Reference& reference, std::size_t latent, std::size_t length);
void check_timestep(int t, int train_steps);
/// [1 .. max_tokens, width], finite.
void check_condition(std::span<const float> condition, std::size_t width, std::size_t max_tokens);
void check_ids(std::span<const std::int32_t> ids, std::size_t vocabulary, std::size_t max_tokens);
/// A whole number of rows of `width`, at least one, finite. Returns the rows.
std::size_t check_rows(std::string_view name, std::span<const float> values, std::size_t width);
/// An output or a companion of known size.
void check_size(std::string_view name, std::size_t size, std::size_t wanted);

}  // namespace geng
