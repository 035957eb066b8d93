#include "model/structure.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace geng {
namespace {

using std::numbers::pi;

/// An exponent no latent of a trained model reaches, and no double overflows at.
double bounded(double exponent) noexcept { return std::clamp(exponent, -30.0, 30.0); }

/// Log envelope at u in [0, 1], linear between its knots.
double envelope_at(std::span<const double> knots, double u) noexcept {
  const double place = u * static_cast<double>(kEnvelopeKnots - 1);
  const std::size_t left = std::min(static_cast<std::size_t>(place), kEnvelopeKnots - 2);
  const double share = place - static_cast<double>(left);
  return knots[left] * (1.0 - share) + knots[left + 1] * share;
}

/// What is brief in a window stays brief in a shorter one.
double width_in(std::size_t length, double width, std::size_t kind) noexcept {
  if (length >= kEventWindow) return width;
  const double least = kind == kDropout ? std::min(width, kShortestDropout) : 0.0;
  return std::max(width * static_cast<double>(length) / static_cast<double>(kEventWindow), least);
}

Event event_of(std::span<const double> row, const Coordinate& position,
               std::size_t length) noexcept {
  const auto best = std::max_element(row.begin(), row.begin() + kEventKinds);
  const double share = std::clamp(position.centre + position.spread * row[kPosition], 0.0, 1.0);
  const auto kind = static_cast<std::size_t>(best - row.begin());
  return {kind, std::floor(share * static_cast<double>(length - 1) + 0.5),
          width_in(length, std::exp(bounded(row[kLogWidth])), kind), row[kSize]};
}

}  // namespace

/// Descriptions round their numbers, so the bridge draws a little beside them; what is asked for is
/// the numbers, and a limit passed by that little may be impossible (a humidity below 0 %).
Level level_of(std::span<const double> row, const Frame& frame) noexcept {
  const double range_reach = frame.range.known ? 0.0 : frame.range_reach();
  const double low_reach = frame.low.known ? 0.0 : frame.low.spread;
  const double range = frame.range.centre * std::exp(bounded(range_reach * row[kRange]));
  const double drawn = frame.mean.centre + frame.mean.spread * row[kMean];
  const double share = std::clamp(drawn, 0.02, 0.98);
  const double low = frame.anchor
                         ? frame.anchor->value - frame.anchor->share.value_or(share) * range
                         : frame.low.centre + range * low_reach * std::sinh(bounded(row[kLow]));
  return {range, low, share};
}

/// x[t] += A sum over k with 2k < P of c_k cos(k th) + s_k sin(k th), th = 2 pi t / P + phase.
/// Harmonics above the Nyquist rate are left out: they would alias into other periods.
void add_season(std::span<const double> row, const Coordinate& coordinate, std::size_t harmonics,
                const Stretch& stretch, std::span<double> x) noexcept {
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
    const double theta = 2.0 * pi * static_cast<double>(stretch.first + t) / period + phase;
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

Noise::Noise(std::span<const double> row, const Coordinate& coordinate) noexcept
    : knots_(row.subspan(kEnvelope, kEnvelopeKnots)),
      log_std_(std::min(coordinate.centre + coordinate.spread * row[kNoise], 0.0)),
      rho_(std::clamp(std::tanh(row[kColour]), -0.95, 0.995)),
      gain_(std::sqrt(1.0 - rho_ * rho_)) {}

bool Noise::silent() const noexcept { return !(log_std_ > std::log(kNoiseFloor)); }

double Noise::scale_at(double place) const noexcept {
  return std::exp(bounded(log_std_ + envelope_at(knots_, place)));
}

/// x[t] += std exp(envelope) n_t with n_t = rho n_{t-1} + sqrt(1 - rho^2) g_t, of unit variance.
void Noise::add(const Stretch& stretch, std::span<const float> white,
                std::span<double> x) noexcept {
  if (silent()) return;
  for (std::size_t t = 0; t < x.size(); ++t) {
    last_ = std::isnan(last_) ? double{white[t]} : rho_ * last_ + gain_ * white[t];
    x[t] += scale_at(stretch.place(t)) * last_;
  }
}

void Noise::whiten(const Stretch& stretch, std::span<const double> x,
                   std::span<float> white) noexcept {
  std::fill(white.begin(), white.end(), 0.0F);
  if (silent()) return;
  for (std::size_t t = 0; t < x.size(); ++t) {
    const double n = x[t] / scale_at(stretch.place(t));
    const double g = std::isnan(last_) ? n : (n - rho_ * last_) / gain_;
    white[t] = saturated(g);
    last_ = n;
  }
}

void add_event(const Event& event, const Stretch& stretch, std::span<double> x) noexcept {
  if (event.kind == kNone || event.kind == kDropout) return;
  const bool shifts = event.kind == kShift;
  const double width = std::clamp(event.width, shifts ? 0.25 : 0.5, 64.0);
  const double size = shifts ? event.size : std::fabs(event.size);
  const double sign = event.kind == kDip ? -1.0 : 1.0;
  for (std::size_t t = 0; t < x.size(); ++t) {
    const double z = (static_cast<double>(stretch.first + t) - event.place) / width;
    x[t] += sign * size * (shifts ? 1.0 / (1.0 + std::exp(-z)) : std::exp(-0.5 * z * z));
  }
}

void drop_out(const Event& event, double floor, const Stretch& stretch,
              std::span<double> x) noexcept {
  if (event.kind != kDropout) return;
  const auto total = static_cast<double>(stretch.total);
  const double steps = std::floor(std::clamp(event.width, 1.0, total / 2.0) + 0.5);
  const auto first = static_cast<std::size_t>(event.place);
  const auto last = static_cast<std::size_t>(std::min(event.place + steps, total));
  const std::size_t end = stretch.first + x.size();
  for (std::size_t t = std::max(first, stretch.first); t < std::min(last, end); ++t) {
    x[t - stretch.first] = floor - std::fabs(event.size);
  }
}

std::array<Event, kEventsPerSeries> events_of(std::span<const double> row, const Frame& frame,
                                              std::size_t total) noexcept {
  std::array<Event, kEventsPerSeries> events{};
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i] = event_of(row.subspan(i * kEventWidth, kEventWidth), frame.position[i], total);
  }
  return events;
}

}  // namespace geng
