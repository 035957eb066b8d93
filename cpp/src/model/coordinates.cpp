#include "model/coordinates.h"

#include <algorithm>
#include <cmath>

#include "model/structure.h"

namespace geng {
namespace {

constexpr double kLargestCoordinate = 16.0;
constexpr double kLargestExponent = 30.0;

/// Calls season(i, row) and event(i, row) for both of each, where they are present.
template <typename Season, typename Event>
void for_present(const LatentLayout& layout, std::span<double> values, const Season& season,
                 const Event& event) {
  const auto token = [&](std::size_t index) {
    return values.subspan(index * layout.width, layout.width);
  };
  for (std::size_t i = 0; i < 2; ++i) {
    const auto row = token(kSeason1 + i);
    if (row[kAmplitude] >= kAmplitudeFloor) season(i, row);
  }
  for (std::size_t i = 0; i < kEventsPerSeries; ++i) {
    const auto row = token(kEvents).subspan(i * kEventWidth, kEventWidth);
    if (row[kNone] < 0.5) event(i, row);
  }
}

double to_unit(const Coordinate& c, double value) noexcept { return (value - c.centre) / c.spread; }
double from_unit(const Coordinate& c, double unit) noexcept { return c.centre + c.spread * unit; }

double bounded(double exponent) noexcept {
  return std::clamp(exponent, -kLargestExponent, kLargestExponent);
}

}  // namespace

void to_coordinates(const LatentLayout& layout, const Frame& frame,
                    std::span<double> structure) noexcept {
  const double range = std::max(structure[kRange], 1e-12);
  structure[kLow] = std::asinh((structure[kLow] - frame.low.centre) / (range * frame.low.spread));
  structure[kRange] = std::log(range / frame.range.centre) / frame.range_reach();
  structure[kMean] = to_unit(frame.mean, structure[kMean]);
  structure[kNoise] = to_unit(frame.noise, structure[kNoise]);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto season = structure.subspan((kSeason1 + i) * layout.width, layout.width);
    const bool present = season[kAmplitude] >= kAmplitudeFloor;
    season[kPeriod] =
        present ? std::log(season[kPeriod] / frame.period[i].centre) / frame.period[i].spread : 0.0;
  }
  for (std::size_t i = 0; i < kEventsPerSeries; ++i) {
    const auto event = structure.subspan(kEvents * layout.width + i * kEventWidth, kEventWidth);
    event[kPosition] = event[kNone] < 0.5 ? to_unit(frame.position[i], event[kPosition]) : 0.0;
  }
  for (double& value : structure)
    value = std::clamp(value, -kLargestCoordinate, kLargestCoordinate);
}

void to_structure(const LatentLayout& layout, const Frame& frame, std::span<double> raw) noexcept {
  const Level level = level_of(raw.first(layout.width), frame);
  raw[kLow] = level.low;
  raw[kRange] = level.range;
  raw[kMean] = from_unit(frame.mean, raw[kMean]);
  raw[kNoise] = from_unit(frame.noise, raw[kNoise]);
  for_present(
      layout, raw,
      [&](std::size_t i, std::span<double> season) {
        const Coordinate& c = frame.period[i];
        season[kPeriod] = c.centre * std::exp(bounded(c.spread * season[kPeriod]));
      },
      [&](std::size_t i, std::span<double> event) {
        event[kPosition] = from_unit(frame.position[i], event[kPosition]);
      });
}

void obey(const LatentLayout& layout, const Frame& frame, std::span<double> structure) noexcept {
  const auto pin = [](const Coordinate& c, double& value) {
    if (c.known) value = c.centre;
  };
  pin(frame.range, structure[kRange]);
  pin(frame.low, structure[kLow]);
  pin(frame.mean, structure[kMean]);
  pin(frame.noise, structure[kNoise]);
  for_present(
      layout, structure,
      [&](std::size_t i, std::span<double> season) { pin(frame.period[i], season[kPeriod]); },
      [&](std::size_t i, std::span<double> event) { pin(frame.position[i], event[kPosition]); });
}

}  // namespace geng
