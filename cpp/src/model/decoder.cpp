#include "model/decoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "model/calibration.h"

namespace geng {
namespace {

using std::numbers::pi;
using std::numbers::sqrt2;

/// An exponent no latent of a trained model reaches, and no double overflows at.
double bounded(double exponent) noexcept { return std::clamp(exponent, -30.0, 30.0); }

double place_in_window(std::size_t t, std::size_t length) noexcept {
  return static_cast<double>(t) / static_cast<double>(length - 1);
}

Level level_of(std::span<const double> row, const Frame& frame) noexcept {
  const double range = frame.range.centre * std::exp(bounded(frame.range.spread * row[kRange]));
  const double low = frame.low.centre + range * frame.low.spread * std::sinh(bounded(row[kLow]));
  const double share = frame.mean.centre + frame.mean.spread * row[kMean];
  return {range, low, std::clamp(share, 0.02, 0.98)};
}

/// x[t] += A sum over k with 2k < P of c_k cos(k th) + s_k sin(k th), th = 2 pi t / P + phase.
/// Harmonics above the Nyquist rate are left out: they would alias into other periods.
void add_season(std::span<const double> row, const Coordinate& coordinate, std::size_t harmonics,
                std::span<double> x) noexcept {
  const double amplitude = row[kAmplitude];
  const auto weights = row.subspan(kHarmonics, 2 * harmonics - 1);
  double energy = 0.0;
  for (const double weight : weights) energy += weight * weight;
  const double norm = std::sqrt(energy);
  if (amplitude < kAmplitudeFloor || norm < 1e-6) return;

  const double period = std::clamp(
      coordinate.centre * std::exp(bounded(coordinate.spread * row[kPeriod])), 2.0, 4096.0);
  const double phase = std::atan2(row[kSinPhase], row[kCosPhase]);
  const double gain = amplitude / norm;
  for (std::size_t t = 0; t < x.size(); ++t) {
    const double theta = 2.0 * pi * static_cast<double>(t) / period + phase;
    const double c1 = std::cos(theta);
    const double s1 = std::sin(theta);
    // (c, s) = (cos k theta, sin k theta), turned by theta from one harmonic to the next.
    double c = c1;
    double s = s1;
    double wave = 2.0 < period ? weights[0] * c : 0.0;
    for (std::size_t k = 2; k <= harmonics && 2.0 * static_cast<double>(k) < period; ++k) {
      const double turned = c * c1 - s * s1;
      s = s * c1 + c * s1;
      c = turned;
      wave += weights[2 * k - 3] * c + weights[2 * k - 2] * s;
    }
    x[t] += gain * wave;
  }
}

/// Log envelope at u in [0, 1], linear between its knots.
double envelope_at(std::span<const double> knots, double u) noexcept {
  const double place = u * static_cast<double>(kEnvelopeKnots - 1);
  const std::size_t left = std::min(static_cast<std::size_t>(place), kEnvelopeKnots - 2);
  const double share = place - static_cast<double>(left);
  return knots[left] * (1.0 - share) + knots[left + 1] * share;
}

/// x[t] += std exp(envelope) n_t with n_t = rho n_{t-1} + sqrt(1 - rho^2) g_t, of unit variance.
void add_noise(std::span<const double> row, const Coordinate& coordinate,
               std::span<const float> white, std::span<double> x) noexcept {
  const double log_std = std::min(coordinate.centre + coordinate.spread * row[kNoise], 0.0);
  if (!(log_std > std::log(kNoiseFloor))) return;
  const double rho = std::clamp(std::tanh(row[kColour]), -0.95, 0.995);
  const double gain = std::sqrt(1.0 - rho * rho);
  const auto knots = row.subspan(kEnvelope, kEnvelopeKnots);
  double n = white[0];
  for (std::size_t t = 0; t < x.size(); ++t) {
    if (t > 0) n = rho * n + gain * white[t];
    const double envelope = envelope_at(knots, place_in_window(t, x.size()));
    x[t] += std::exp(bounded(log_std + envelope)) * n;
  }
}

struct Event {
  std::size_t kind;
  double place;  ///< step
  double width;  ///< steps, before each kind's own limits
  double size;   ///< share of the range
};

Event event_of(std::span<const double> row, const Coordinate& position,
               std::size_t length) noexcept {
  const auto best = std::max_element(row.begin(), row.begin() + kEventKinds);
  const double share = std::clamp(position.centre + position.spread * row[kPosition], 0.0, 1.0);
  return {static_cast<std::size_t>(best - row.begin()),
          std::floor(share * static_cast<double>(length - 1) + 0.5),
          std::exp(bounded(row[kLogWidth])), row[kSize]};
}

/// Spikes, dips and shifts add to the series; a dropout is not a sum and comes after them.
void add_event(const Event& event, std::span<double> x) noexcept {
  if (event.kind == kNone || event.kind == kDropout) return;
  const bool shifts = event.kind == kShift;
  const double width = std::clamp(event.width, shifts ? 0.25 : 0.5, 64.0);
  const double size = shifts ? event.size : std::fabs(event.size);
  const double sign = event.kind == kDip ? -1.0 : 1.0;
  for (std::size_t t = 0; t < x.size(); ++t) {
    const double z = (static_cast<double>(t) - event.place) / width;
    x[t] += sign * size * (shifts ? 1.0 / (1.0 + std::exp(-z)) : std::exp(-0.5 * z * z));
  }
}

void drop_out(const Event& event, double floor, std::span<double> x) noexcept {
  if (event.kind != kDropout) return;
  const auto length = static_cast<double>(x.size());
  const double steps = std::floor(std::clamp(event.width, 1.0, length / 2.0) + 0.5);
  const auto first = static_cast<std::size_t>(event.place);
  const auto last = static_cast<std::size_t>(std::min(event.place + steps, length));
  for (std::size_t t = first; t < last; ++t) x[t] = floor - std::fabs(event.size);
}

void apply_events(std::span<const double> row, const Frame& frame, std::span<double> x) noexcept {
  std::array<Event, kEventsPerSeries> events{};
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i] = event_of(row.subspan(i * kEventWidth, kEventWidth), frame.position[i], x.size());
    add_event(events[i], x);
  }
  const double floor = *std::min_element(x.begin(), x.end());
  for (const Event& event : events) drop_out(event, floor, x);
}

/// Trend and residual: one straight line and the cosines 1 .. trend + residual_total.
void add_smooth(std::span<const double> raw, const LatentLayout& layout, const CosineTable& cosines,
                std::span<double> x) noexcept {
  const auto trend = raw.subspan(kTrend * layout.width, layout.width);
  for (std::size_t t = 0; t < x.size(); ++t) {
    x[t] += trend[0] * (place_in_window(t, x.size()) - 0.5);
  }
  for (std::size_t k = 1; k <= layout.trend; ++k) cosines.add(k, sqrt2 * trend[k], x);
  for (std::size_t j = 0; j < layout.residual_total; ++j) {
    const std::size_t token = kResidual + j / layout.residual_per_token;
    const double weight = raw[token * layout.width + j % layout.residual_per_token];
    cosines.add(layout.trend + 1 + j, sqrt2 * weight, x);
  }
}

/// As it was analysed: the mean of the level token, whatever the events add up to.
void place_around_mean(const Level& level, std::span<double> x) noexcept {
  double sum = 0.0;
  for (const double value : x) sum += value;
  const double average = sum / static_cast<double>(x.size());
  const double mean = level.low + level.share * level.range;
  for (double& value : x) value = mean + level.range * (value - average);
}

float saturated(double value) noexcept {
  constexpr double kLargest = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(value, -kLargest, kLargest));
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

/// Everything that adds up to the shape, in units of the range; no noise where `white` is empty.
void Decoder::add_structure(std::span<const double> raw, const Frame& frame,
                            const CosineTable& cosines, std::span<const float> white,
                            std::span<double> x) const noexcept {
  std::fill(x.begin(), x.end(), 0.0);
  add_smooth(raw, layout_, cosines, x);
  add_season(token_of(raw, kSeason1), frame.period[0], layout_.harmonics, x);
  add_season(token_of(raw, kSeason2), frame.period[1], layout_.harmonics, x);
  if (!white.empty()) add_noise(token_of(raw, kLevel), frame.noise, white, x);
  apply_events(token_of(raw, kEvents), frame, x);
}

void Decoder::decode(std::span<const float> latent, const Frame& frame, const CosineTable& cosines,
                     std::span<const float> white, Finish finish, std::span<double> scratch,
                     std::span<float> series) const noexcept {
  const std::span<double> raw = scratch.first(layout_.size());
  const std::span<double> x = scratch.subspan(layout_.size(), series.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    raw[i] = double{latent[i]} * std_[i] + mean_[i];
  }
  add_structure(raw, frame, cosines, white, x);
  const Level level = level_of(token_of(raw, kLevel), frame);
  if (finish == Finish::calibrated) {
    calibrate(level, frame, x);
  } else {
    place_around_mean(level, x);
  }
  std::transform(x.begin(), x.end(), series.begin(), saturated);
}

void Decoder::reconstruct(std::span<const double> raw, const Frame& frame,
                          const CosineTable& cosines, std::span<double> scratch,
                          std::span<float> series) const noexcept {
  const std::span<double> x = scratch.first(series.size());
  add_structure(raw, frame, cosines, {}, x);
  place_around_mean(level_of(token_of(raw, kLevel), frame), x);
  std::transform(x.begin(), x.end(), series.begin(), saturated);
}

}  // namespace geng
