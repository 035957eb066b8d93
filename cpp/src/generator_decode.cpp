// What a latent becomes: series, alone or in a chain.

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "core/philox.h"
#include "generator_parts.h"
#include "model/chain.h"
#include "request_checks.h"

namespace geng {
namespace {

/// What drives the noise: partly what drove the example's.
void follow(const Reference& reference, std::span<float> white) noexcept {
  if (reference.innovations.empty() || reference.follow == 0.0) return;
  const double own = std::sqrt(1.0 - reference.follow);
  const double example = std::sqrt(reference.follow);
  for (std::size_t t = 0; t < white.size(); ++t) {
    white[t] = static_cast<float>(own * white[t] + example * reference.innovations[t]);
  }
}

}  // namespace

template <typename White>
void Generator::Parts::render(std::span<const float> latents, const Frame& frame,
                              std::size_t length, Finish finish, const White& white,
                              std::span<float> series) const {
  const CosineTable cosines(length);
  const std::size_t count = series.size() / length;
  const std::size_t each = decoder.scratch_doubles(length);
  const std::size_t latent = layout.size();
  std::vector<double> scratch(std::min(kChunk, count) * each);
  std::vector<float> noise(std::min(kChunk, count) * length);
  for_chunks(count, [&](std::size_t first, std::size_t samples) {
    pool.parallel_for(samples, [&](std::size_t i) {
      const std::size_t at = first + i;
      const std::span<float> g = std::span(noise).subspan(i * length, length);
      white(at, g);
      decoder.decode(latents.subspan(at * latent, latent), frame, cosines, g, finish,
                     std::span(scratch).subspan(i * each, each),
                     series.subspan(at * length, length));
    });
  });
}

void Generator::decode(std::span<const float> latents, std::span<const float> condition,
                       std::size_t length, std::uint64_t seed, std::span<float> series) const {
  check_length(length);
  const std::size_t count = check_rows("latents", latents, parts_->layout.size());
  check_count(count, parts_->layout.size());
  check_size("series", series.size(), count * length);
  render(latents, condition, length, seed, {}, series);
}

void Generator::render(std::span<const float> latents, std::span<const float> condition,
                       std::size_t length, std::uint64_t seed, const Reference& reference,
                       std::span<float> series) const {
  const Frame frame = parts_->frame(parts_->checked(condition), length);
  const auto white = [&](std::size_t i, std::span<float> g) {
    fill_normal(seed + i, NoiseStream::decoder, 0, g);
    follow(reference, g);
  };
  parts_->render(latents, frame, length, Finish::calibrated, white, series);
}

Chain Generator::chain(std::span<const float> condition, std::span<const float> latents,
                       const CosineTable& window, std::size_t length, std::uint64_t seed) const {
  check_rows("latents", latents, parts_->layout.size());
  const Frame frame = parts_->frame(parts_->checked(condition), length);
  return {parts_->decoder, frame, window, latents, length, seed};
}

void Generator::decode_with_noise(std::span<const float> latents, std::span<const float> condition,
                                  std::span<const float> noise, bool calibrate,
                                  std::span<float> series) const {
  const std::size_t count = check_rows("latents", latents, parts_->layout.size());
  const std::size_t length = noise.size() / count;
  check_length(length);
  check_count(count, parts_->layout.size());
  check_size("noise", noise.size(), count * length);
  check_rows("noise", noise, length);
  check_size("series", series.size(), count * length);
  const Frame frame = parts_->frame(parts_->checked(condition), length);
  const auto white = [noise, length](std::size_t i, std::span<float> g) {
    std::copy_n(noise.begin() + static_cast<std::ptrdiff_t>(i * length), length, g.begin());
  };
  parts_->render(latents, frame, length, calibrate ? Finish::calibrated : Finish::reconstructed,
                 white, series);
}

}  // namespace geng
