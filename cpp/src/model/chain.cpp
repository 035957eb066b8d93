#include "model/chain.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "core/philox.h"

namespace geng {
namespace {

using std::numbers::pi;
using std::numbers::sqrt2;

/// A change over the window, as a share of the range, from which a trend leads somewhere.
constexpr double kLeads = 0.1;
constexpr std::size_t kBins = 4096;

std::vector<double> raw_of(const Decoder& decoder, std::span<const float> latent) {
  std::vector<double> raw(latent.size());
  decoder.to_raw(latent, raw);
  return raw;
}

/// The first window's structure as a chain reads it: its noise neither swells nor fades, for what a
/// noise did within one window says nothing of a hundred.
std::vector<double> structure_of(const Decoder& decoder, std::span<const float> latent) {
  std::vector<double> raw = raw_of(decoder, latent);
  const auto knots = std::span(raw).subspan(kEnvelope, kEnvelopeKnots);
  const double sum = std::accumulate(knots.begin(), knots.end(), 0.0);
  std::fill(knots.begin(), knots.end(), sum / static_cast<double>(kEnvelopeKnots));
  return raw;
}

/// Change from one end of the window to the other that a trend token makes.
double change_of(std::span<const double> trend, std::size_t cosines) noexcept {
  double change = trend[0];
  for (std::size_t k = 1; k <= cosines; k += 2) change -= 2.0 * sqrt2 * trend[k];
  return change;
}

/// Fades a window in over its first half and out over its second.
double fade(std::size_t t, std::size_t window) noexcept {
  return std::sin(pi * (static_cast<double>(t) + 0.5) / static_cast<double>(window));
}

}  // namespace

Chain::Chain(const Decoder& decoder, const Frame& frame, const CosineTable& window,
             std::span<const float> latents, std::size_t length, std::uint64_t seed)
    : decoder_(decoder),
      frame_(frame),
      window_(window),
      length_(length),
      seed_(seed),
      raw_(structure_of(decoder, latents.first(decoder.layout().size()))),
      events_(events_of(decoder.token_of(raw_, kEvents), frame, length)),
      leads_(std::fabs(change_of(decoder.token_of(raw_, kTrend), decoder.layout().trend)) >=
             kLeads),
      calibration_{level_of(decoder.token_of(raw_, kLevel), frame), 0.0, 0.0, 0.0,
                   frame.resolution},
      pass_(begin()) {
  const std::size_t latent = decoder.layout().size();
  for (std::size_t at = 0; at < latents.size(); at += latent) {
    rehearsed_.push_back(details(latents.subspan(at, latent)));
  }
  pass_ = begin();
  calibrate();
}

Chain::Pass Chain::begin() const {
  Pass pass{Noise(decoder_.token_of(raw_, kLevel), frame_.noise), 0, {}};
  if (!rehearsed_.empty()) {
    const auto half = static_cast<std::ptrdiff_t>(hop());
    pass.fading.assign(rehearsed_.front().begin() + half, rehearsed_.front().end());
  }
  return pass;
}

/// Wander and residual of one window, faded at both ends.
std::vector<double> Chain::details(std::span<const float> latent) const {
  std::vector<double> raw = raw_of(decoder_, latent);
  const std::span<double> trend =
      std::span(raw).subspan(kTrend * decoder_.layout().width, decoder_.layout().width);
  trend[0] = 0.0;
  if (leads_) std::fill(trend.begin(), trend.end(), 0.0);
  std::vector<double> x(window_.length(), 0.0);
  decoder_.add_smooth(raw, window_, x);
  for (std::size_t t = 0; t < x.size(); ++t) x[t] *= fade(t, x.size());
  return x;
}

void Chain::render(Pass& pass, std::span<const double> details, std::span<double> x) const {
  const Stretch stretch{pass.block * hop(), length_};
  for (std::size_t t = 0; t < x.size(); ++t) x[t] = pass.fading[t] + details[t];
  const auto half = static_cast<std::ptrdiff_t>(hop());
  pass.fading.assign(details.begin() + half, details.end());

  if (leads_) decoder_.add_trend(raw_, stretch, x);
  decoder_.add_seasons(raw_, frame_, stretch, x);
  std::vector<float> white(x.size());
  fill_normal(seed_, NoiseStream::decoder, static_cast<std::uint32_t>(pass.block), white);
  pass.noise.add(stretch, white, x);
  for (const Event& event : events_) add_event(event, stretch, x);
  ++pass.block;
}

void Chain::drop_out(std::size_t block, std::span<double> x) const {
  for (const Event& event : events_) {
    geng::drop_out(event, floor_, Stretch{block * hop(), length_}, x);
  }
}

void Chain::rehearse(bool dropouts,
                     const std::function<void(std::span<const double>)>& seen) const {
  Pass pass = begin();
  std::vector<double> x;
  for (std::size_t first = 0; first < length_; first += hop()) {
    x.assign(std::min(hop(), length_ - first), 0.0);
    render(pass, rehearsed_[(pass.block + 1) % rehearsed_.size()], x);
    if (dropouts) drop_out(pass.block - 1, x);
    seen(x);
  }
}

void Chain::calibrate() {
  floor_ = std::numeric_limits<double>::infinity();
  double top = -floor_;
  rehearse(false, [&](std::span<const double> x) {
    for (const double value : x) floor_ = std::min(floor_, value), top = std::max(top, value);
  });
  double bottom = floor_;
  for (const Event& event : events_) {
    if (event.kind == kDropout) bottom = std::min(bottom, floor_ - std::fabs(event.size));
  }
  calibration_.bottom = bottom;
  calibration_.height = top - bottom;
  const bool settles = frame_.anchor && !frame_.anchor->share;
  if (!(frame_.mean.known || settles) || !(calibration_.height > 0.0)) return;

  std::vector<double> counts(kBins, 0.0);
  rehearse(true, [&](std::span<const double> x) {
    for (const double value : x) {
      const double share = std::clamp((value - bottom) / calibration_.height, 0.0, 1.0);
      const auto bin = std::lround(share * static_cast<double>(kBins - 1));
      counts[static_cast<std::size_t>(bin)] += 1.0;
    }
  });
  if (settles) {
    double sum = 0.0;
    for (std::size_t i = 0; i < kBins; ++i) sum += counts[i] * static_cast<double>(i);
    const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
    const double share = sum / (all * static_cast<double>(kBins - 1));
    calibration_.level = settled(calibration_.level, frame_, share);
    return;
  }
  std::vector<double> logs(kBins);
  for (std::size_t i = 0; i < kBins; ++i) {
    logs[i] = std::log(static_cast<double>(i) / static_cast<double>(kBins - 1));
  }
  calibration_.exponent = bend_exponent(calibration_.level.share, logs, counts);
}

void Chain::next(std::span<const float> latent, std::span<float> series) {
  std::vector<double> x(series.size());
  const std::size_t block = pass_.block;
  render(pass_, details(latent), x);
  drop_out(block, x);
  calibration_.apply(x);
  std::transform(x.begin(), x.end(), series.begin(), saturated);
}

}  // namespace geng
