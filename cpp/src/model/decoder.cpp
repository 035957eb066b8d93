#include "model/decoder.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "model/structure.h"

namespace geng {
namespace {

using std::numbers::pi;
using std::numbers::sqrt2;

/// As it was analysed: the mean of the level token, whatever the events add up to.
void place_around_mean(const Level& level, std::span<double> x) noexcept {
  double sum = 0.0;
  for (const double value : x) sum += value;
  const double average = sum / static_cast<double>(x.size());
  const double mean = level.low + level.share * level.range;
  for (double& value : x) value = mean + level.range * (value - average);
}

}  // namespace

CosineTable::CosineTable(std::size_t length) : values_(4 * length) {
  for (std::size_t m = 0; m < values_.size(); ++m) {
    values_[m] = std::cos(2.0 * pi * static_cast<double>(m) / static_cast<double>(values_.size()));
  }
}

void CosineTable::add(std::size_t k, double weight, std::span<double> x) const noexcept {
  if (weight == 0.0) return;
  const std::size_t turn = values_.size();  // pi k (t + 0.5) / N is 2 pi m / 4N, m = k (2t + 1)
  const std::size_t stride = 2 * k % turn;
  std::size_t m = k % turn;
  for (double& value : x) {
    value += weight * values_[m];
    m += stride;
    if (m >= turn) m -= turn;
  }
}

/// One straight line and the cosines 1 .. trend + residual_total.
void Decoder::add_smooth(std::span<const double> raw, const CosineTable& cosines,
                         std::span<double> x) const noexcept {
  const auto trend = token_of(raw, kTrend);
  const Stretch whole{0, x.size()};
  for (std::size_t t = 0; t < x.size(); ++t) x[t] += trend[0] * (whole.place(t) - 0.5);
  for (std::size_t k = 1; k <= layout_.trend; ++k) cosines.add(k, sqrt2 * trend[k], x);
  for (std::size_t j = 0; j < layout_.residual_total; ++j) {
    cosines.add(layout_.trend + 1 + j, sqrt2 * raw[residual_at(j)], x);
  }
}

void Decoder::add_trend(std::span<const double> raw, const Stretch& stretch,
                        std::span<double> x) const noexcept {
  const auto trend = token_of(raw, kTrend);
  const auto total = static_cast<double>(stretch.total);
  for (std::size_t t = 0; t < x.size(); ++t) {
    x[t] += trend[0] * (stretch.place(t) - 0.5);
    const double angle = pi * (static_cast<double>(stretch.first + t) + 0.5) / total;
    for (std::size_t k = 1; k <= layout_.trend; ++k) {
      x[t] += sqrt2 * trend[k] * std::cos(static_cast<double>(k) * angle);
    }
  }
}

void Decoder::add_seasons(std::span<const double> raw, const Frame& frame, const Stretch& stretch,
                          std::span<double> x) const noexcept {
  add_season(token_of(raw, kSeason1), frame.period[0], layout_.harmonics, stretch, x);
  add_season(token_of(raw, kSeason2), frame.period[1], layout_.harmonics, stretch, x);
}

/// Everything that adds up to the shape, in units of the range; no noise where `white` is empty.
void Decoder::add_structure(std::span<const double> raw, const Frame& frame,
                            const CosineTable& cosines, std::span<const float> white,
                            std::span<double> x) const noexcept {
  std::fill(x.begin(), x.end(), 0.0);
  add_smooth(raw, cosines, x);
  const Stretch whole{0, x.size()};
  add_seasons(raw, frame, whole, x);
  if (!white.empty()) Noise(token_of(raw, kLevel), frame.noise).add(whole, white, x);
  const auto events = events_of(token_of(raw, kEvents), frame, x.size());
  for (const Event& event : events) add_event(event, whole, x);
  const double floor = *std::min_element(x.begin(), x.end());
  for (const Event& event : events) drop_out(event, floor, whole, x);
}

void Decoder::to_raw(std::span<const float> latent, std::span<double> raw) const noexcept {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    raw[i] = double{latent[i]} * std_[i] + mean_[i];
  }
}

void Decoder::impose(const CertainClaims& claims, std::span<float> latent) const {
  std::vector<double> raw(latent.size());
  to_raw(latent, raw);
  const std::span<double> trend = std::span(raw).subspan(kTrend * layout_.width, layout_.trend + 1);
  if (claims.no_cycle) {
    std::vector<double> cosines(trend.begin() + 1, trend.end());
    for (std::size_t j = 0; j < layout_.residual_total; ++j) {
      cosines.push_back(raw[residual_at(j)]);
    }
    flatten_peaks(cosines);
    std::copy_n(cosines.begin(), layout_.trend, trend.begin() + 1);
    for (std::size_t j = 0; j < layout_.residual_total; ++j) {
      raw[residual_at(j)] = cosines[layout_.trend + j];
    }
    for (const std::size_t token : {kSeason1, kSeason2})
      raw[token * layout_.width + kAmplitude] = 0;
  }
  if (claims.trend) geng::impose(*claims.trend, trend);
  for (std::size_t i = 0; i < raw.size(); ++i) {
    latent[i] = static_cast<float>((raw[i] - mean_[i]) / std_[i]);
  }
}

void Decoder::decode(std::span<const float> latent, const Frame& frame, const CosineTable& cosines,
                     std::span<const float> white, Finish finish, std::span<double> scratch,
                     std::span<float> series) const noexcept {
  const std::span<double> raw = scratch.first(layout_.size());
  const std::span<double> x = scratch.subspan(layout_.size(), series.size());
  to_raw(latent, raw);
  add_structure(raw, frame, cosines, white, x);
  const Level level = level_of(token_of(raw, kLevel), frame);
  if (finish == Finish::calibrated) {
    calibrate(level, frame, x);
  } else {
    place_around_mean(level, x);
  }
  std::transform(x.begin(), x.end(), series.begin(), saturated);
}

void Decoder::normalise(std::span<const double> raw, std::span<float> latent) const noexcept {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    latent[i] = static_cast<float>((raw[i] - mean_[i]) / std_[i]);
  }
}

void Decoder::reconstruct(std::span<const double> raw, const CosineTable& cosines,
                          std::span<const float> white, std::span<double> scratch,
                          std::span<float> series) const noexcept {
  const Frame frame;
  const std::span<double> x = scratch.first(series.size());
  add_structure(raw, frame, cosines, white, x);
  place_around_mean(level_of(token_of(raw, kLevel), frame), x);
  std::transform(x.begin(), x.end(), series.begin(), saturated);
}

void Decoder::innovations(std::span<const double> raw, const CosineTable& cosines,
                          std::span<const float> window, std::span<double> scratch,
                          std::span<float> white) const noexcept {
  const Frame frame;
  const std::span<double> x = scratch.first(window.size());
  add_structure(raw, frame, cosines, {}, x);
  const Level level = level_of(token_of(raw, kLevel), frame);
  place_around_mean(level, x);
  for (std::size_t t = 0; t < x.size(); ++t) x[t] = (window[t] - x[t]) / level.range;
  Noise(token_of(raw, kLevel), frame.noise).whiten({0, x.size()}, x, white);
}

}  // namespace geng
