// What is read of recorded series: E_y, frames, and what drove their noise.

#include <algorithm>
#include <span>
#include <vector>

#include "generator_parts.h"
#include "geng/error.h"
#include "model/coordinates.h"
#include "request_checks.h"

namespace geng {

void Generator::encode_series(std::span<const float> windows, std::span<float> raw) const {
  if (!parts_->encoder) {
    throw Error(Code::invalid_argument,
                "this model has no series encoder; it must be exported with one");
  }
  const std::size_t count = check_rows("x", windows, window());
  const std::size_t latent = parts_->layout.size();
  check_size("raw", raw.size(), count * latent);
  for (std::size_t i = 0; i < count; ++i) {
    parts_->encoder->encode(parts_->compute(), windows.subspan(i * window(), window()),
                            raw.subspan(i * latent, latent));
  }
}

void Generator::express(std::span<const float> raw, std::span<const float> condition,
                        std::size_t length, std::span<float> latents) const {
  check_length(length);
  const std::size_t latent = parts_->layout.size();
  const std::size_t count = check_rows("raw", raw, latent);
  check_count(count, parts_->layout.size());
  check_size("latents", latents.size(), raw.size());
  const Frame frame = parts_->frame(parts_->checked(condition), length);
  std::vector<double> row(latent);
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(raw.data() + i * latent, latent, row.begin());
    to_structure(parts_->layout, Frame{}, row);
    obey(parts_->layout, frame, row);
    to_coordinates(parts_->layout, frame, row);
    parts_->decoder.normalise(row, latents.subspan(i * latent, latent));
  }
}

void Generator::restate(std::span<const float> latents, std::span<const float> condition,
                        std::size_t length, std::span<float> raw) const {
  check_length(length);
  const std::size_t latent = parts_->layout.size();
  const std::size_t count = check_rows("latents", latents, latent);
  check_count(count, parts_->layout.size());
  check_size("raw", raw.size(), latents.size());
  const Frame frame = parts_->frame(parts_->checked(condition), length);
  std::vector<double> row(latent);
  for (std::size_t i = 0; i < count; ++i) {
    parts_->decoder.to_raw(latents.subspan(i * latent, latent), row);
    to_structure(parts_->layout, frame, row);
    to_coordinates(parts_->layout, Frame{}, row);
    std::transform(row.begin(), row.end(), raw.subspan(i * latent, latent).begin(), saturated);
  }
}

void Generator::innovations(std::span<const float> raw, std::span<const float> windows,
                            std::span<float> white) const {
  const std::size_t latent = parts_->layout.size();
  const std::size_t count = check_rows("raw", raw, latent);
  check_count(count, parts_->layout.size());
  check_size("x", windows.size(), count * window());
  check_rows("x", windows, window());
  check_size("innovations", white.size(), windows.size());
  const CosineTable cosines(window());
  std::vector<double> scratch(window());
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = raw.subspan(i * latent, latent);
    const std::vector<double> exact(row.begin(), row.end());
    parts_->decoder.innovations(exact, cosines, windows.subspan(i * window(), window()), scratch,
                                white.subspan(i * window(), window()));
  }
}

void Generator::reconstruct(std::span<const float> raw, std::size_t length,
                            std::span<const float> white, std::span<float> series) const {
  check_length(length);
  const std::size_t latent = parts_->layout.size();
  const std::size_t count = check_rows("raw", raw, latent);
  check_count(count, parts_->layout.size());
  check_size("series", series.size(), count * length);
  if (!white.empty()) {
    check_size("innovations", white.size(), series.size());
    check_rows("innovations", white, length);
  }
  const CosineTable cosines(length);
  std::vector<double> scratch(length);
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = raw.subspan(i * latent, latent);
    const std::vector<double> exact(row.begin(), row.end());
    const auto noise = white.empty() ? white : white.subspan(i * length, length);
    parts_->decoder.reconstruct(exact, cosines, noise, scratch, series.subspan(i * length, length));
  }
}

}  // namespace geng
