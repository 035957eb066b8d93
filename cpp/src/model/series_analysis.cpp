#include "model/series_analysis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>
#include <optional>

#include "model/least_squares.h"

namespace geng {
namespace {

using std::numbers::pi;
using std::numbers::sqrt2;

constexpr double kPeriodLeast = 4.0;
constexpr double kPeriodMost = 256.0;
constexpr double kLeastGain = 0.04;       // share of the variance below which a season is none
constexpr double kLeastEvent = 0.1;       // share of the range
constexpr std::size_t kSmooth = 5;        // a constant and four cosines beside every season
constexpr std::size_t kFewHarmonics = 6;  // while a period is searched

std::span<double> token_of(std::vector<double>& structure, const LatentLayout& layout,
                           std::size_t token) {
  return std::span(structure).subspan(token * layout.width, layout.width);
}

/// The mean class around the highest score: an index with a fraction.
double soft_peak(std::span<const double> scores) {
  const auto top =
      static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  const std::size_t first = top == 0 ? 0 : top - 1;
  const std::size_t last = std::min(top + 2, scores.size());
  double sum = 0.0;
  double weighted = 0.0;
  for (std::size_t i = first; i < last; ++i) {
    const double weight = std::exp(scores[i] - scores[top]);
    sum += weight;
    weighted += weight * static_cast<double>(i);
  }
  return weighted / sum;
}

double event_curve(double off, std::size_t kind, double spread) {
  const double z = off / spread;
  if (kind == kShift) return 1.0 / (1.0 + std::exp(-std::clamp(z, -60.0, 60.0)));
  return std::exp(-0.5 * z * z);
}

struct FoundEvent {
  double error, place, spread, size;
};

/// Place, width and size of the event of `kind` that fits best around the step `near`.
std::optional<FoundEvent> refine_event(std::span<const double> x, std::size_t kind, double near,
                                       double width) {
  const auto n = static_cast<double>(x.size());
  const auto start = static_cast<std::size_t>(std::max(near - 24.0, 0.0));
  const auto end = static_cast<std::size_t>(std::min(near + 25.0, n));
  const auto first = static_cast<std::size_t>(std::max(std::floor(near) - 10.0, 0.0));
  const auto last = static_cast<std::size_t>(std::min(std::floor(near) + 11.0, n));
  const auto local = x.subspan(start, end - start);
  std::optional<FoundEvent> best;
  for (const double factor : {0.5, 1.0, 2.0}) {
    const double spread = std::clamp(factor * width, kind == kShift ? 0.25 : 0.5, 16.0);
    for (std::size_t place = first; place < last; ++place) {
      LeastSquares fit(3);
      std::array<double, 3> row{};
      for (std::size_t i = 0; i < local.size(); ++i) {
        const double off = static_cast<double>(start + i) - static_cast<double>(place);
        row = {event_curve(off, kind, spread), 1.0, off};
        fit.add(row, local[i]);
      }
      const double error = fit.solve(1e-9 * static_cast<double>(local.size()));
      if (!best || error < best->error) {
        best = FoundEvent{error, static_cast<double>(place), spread, fit.weights()[0]};
      }
    }
  }
  if (!best) return best;
  const bool wrong_way =
      (kind == kSpike && best->size <= 0.0) || (kind == kDip && best->size >= 0.0);
  if (wrong_way || std::fabs(best->size) < kLeastEvent) return std::nullopt;
  return best;
}

/// Writes the proposed events and takes the additive ones out of `x`.
void take_events(std::span<double> row, const Proposal& proposal, std::span<double> x) {
  const auto steps = static_cast<double>(x.size() - 1);
  for (std::size_t i = 0; i < kEventsPerSeries; ++i) {
    const auto own = proposal.event(i);
    const auto kind = static_cast<std::size_t>(
        std::max_element(own.begin(), own.begin() + kEventKinds) - own.begin());
    if (kind != kSpike && kind != kDip && kind != kShift) continue;
    const double share = (soft_peak(own.subspan(kEventKinds, Proposal::kPositionClasses)) + 0.5) /
                         static_cast<double>(Proposal::kPositionClasses);
    const double width = std::exp(std::clamp(own[Proposal::kEventSlot - 2], -1.5, 4.0));
    const auto found = refine_event(x, kind, share * steps, width);
    if (!found) continue;
    for (std::size_t t = 0; t < x.size(); ++t) {
      x[t] -= found->size * event_curve(static_cast<double>(t) - found->place, kind, found->spread);
    }
    const auto event = row.subspan(i * kEventWidth, kEventWidth);
    std::fill(event.begin(), event.begin() + kEventKinds, 0.0);
    event[kind] = 1.0;
    event[kPosition] = found->place / steps;
    event[kLogWidth] = std::log(found->spread);
    event[kSize] = kind == kShift ? found->size : std::fabs(found->size);
  }
}

std::size_t harmonics_heard(double period, std::size_t most) {
  const auto below_nyquist = static_cast<std::size_t>(std::max(std::ceil(period / 2.0) - 1.0, 0.0));
  return std::max<std::size_t>(1, std::min(most, below_nyquist));
}

/// Cosines, sines, then the smooth functions at step t; `row` is [2 heard + kSmooth].
void season_row(std::size_t t, std::size_t length, double period, std::size_t heard,
                std::span<double> row) {
  const std::complex<double> turn = std::polar(1.0, 2.0 * pi * static_cast<double>(t) / period);
  std::complex<double> tone = turn;
  for (std::size_t k = 0; k < heard; ++k, tone *= turn) {
    row[k] = tone.real();
    row[heard + k] = tone.imag();
  }
  row[2 * heard] = 1.0;
  const double u = (static_cast<double>(t) + 0.5) / static_cast<double>(length);
  for (std::size_t k = 1; k < kSmooth; ++k) {
    row[2 * heard + k] = sqrt2 * std::cos(pi * static_cast<double>(k) * u);
  }
}

/// The best fit of a season of `period` to x; its error is what is left.
struct SeasonFit {
  double error;
  std::size_t heard;
  std::vector<double> weights;
};

SeasonFit fit_period(std::span<const double> x, double period, std::size_t harmonics) {
  const std::size_t heard = harmonics_heard(period, harmonics);
  LeastSquares fit(2 * heard + kSmooth);
  std::vector<double> row(2 * heard + kSmooth);
  for (std::size_t t = 0; t < x.size(); ++t) {
    season_row(t, x.size(), period, heard, row);
    fit.add(row, x[t]);
  }
  const double error = fit.solve(1e-6 * static_cast<double>(x.size()));
  return {error, heard, {fit.weights().begin(), fit.weights().end()}};
}

/// The period around the proposed class that explains x best.
double refine_period(std::span<const double> x, std::span<const double> classes,
                     std::size_t harmonics) {
  const double ratio =
      std::log(kPeriodMost / kPeriodLeast) / static_cast<double>(Proposal::kPeriodClasses - 1);
  const double centre = kPeriodLeast * std::exp(ratio * soft_peak(classes));
  const std::size_t few = std::min(harmonics, kFewHarmonics);
  constexpr int kGrid = 42;
  constexpr double kReach = 0.07;
  double best = centre;
  double least = 0.0;
  for (int i = 0; i <= kGrid; ++i) {
    const double period = centre * std::exp(-kReach + 2.0 * kReach * i / kGrid);
    const double error = fit_period(x, period, few).error;
    if (i == 0 || error < least) {
      least = error;
      best = period;
    }
  }
  double step = 2.0 * kReach / kGrid;
  for (int halving = 0; halving < 6; ++halving) {
    step /= 2.0;
    const double middle = best;
    for (const double period : {middle * std::exp(-step), middle * std::exp(step)}) {
      const double error = fit_period(x, period, few).error;
      if (error < least) {
        least = error;
        best = period;
      }
    }
  }
  return std::clamp(best, 2.5, 4096.0);
}

/// Writes harmonics as amplitude, fundamental's phase, and harmonics relative to it.
void put_harmonics(std::span<double> row, double period, const SeasonFit& fit) {
  const auto tone = [&](std::size_t k) {
    return std::complex<double>(fit.weights[k], -fit.weights[fit.heard + k]);
  };
  const double phase = std::arg(tone(0));
  double energy = 0.0;
  const auto weights = row.subspan(kHarmonics);
  for (std::size_t k = 0; k < fit.heard; ++k) {
    const auto turned = tone(k) * std::polar(1.0, -phase * static_cast<double>(k + 1));
    if (k == 0) {
      weights[0] = turned.real();
      energy += turned.real() * turned.real();
    } else {
      weights[2 * k - 1] = turned.real();
      weights[2 * k] = -turned.imag();
      energy += std::norm(turned);
    }
  }
  const double amplitude = std::sqrt(energy);
  for (std::size_t i = 0; i < 2 * fit.heard - 1; ++i) weights[i] /= std::max(amplitude, 1e-12);
  row[kPeriod] = period;
  row[kCosPhase] = std::cos(phase);
  row[kSinPhase] = std::sin(phase);
  row[kAmplitude] = amplitude;
}

/// Fits one season where it earns its place, writes it, and takes it out of `x`.
void take_season(std::span<double> row, std::span<const double> classes, std::size_t harmonics,
                 std::span<double> x) {
  const double period = refine_period(x, classes, harmonics);
  const SeasonFit fit = fit_period(x, period, harmonics);
  const std::size_t tones = 2 * fit.heard;
  std::vector<double> base(tones + kSmooth);
  std::vector<double> season(x.size());
  std::vector<double> rest(x.size());
  double sum = 0.0;
  for (std::size_t t = 0; t < x.size(); ++t) {
    season_row(t, x.size(), period, fit.heard, base);
    double smooth = 0.0;
    for (std::size_t i = 0; i < tones; ++i) season[t] += fit.weights[i] * base[i];
    for (std::size_t i = tones; i < base.size(); ++i) smooth += fit.weights[i] * base[i];
    rest[t] = x[t] - smooth;
    sum += rest[t];
  }
  const double mean = sum / static_cast<double>(x.size());
  double left = 0.0;
  double before = 0.0;
  for (std::size_t t = 0; t < x.size(); ++t) {
    left += (rest[t] - season[t]) * (rest[t] - season[t]);
    before += (rest[t] - mean) * (rest[t] - mean);
  }
  if (1.0 - left / std::max(before, 1e-12) < kLeastGain) return;
  put_harmonics(row, period, fit);
  for (std::size_t t = 0; t < x.size(); ++t) x[t] -= season[t];
}

/// Slope, trend, residual, and the noise that is left.
void take_smooth(std::vector<double>& structure, const LatentLayout& layout, std::span<double> x) {
  const auto n = static_cast<double>(x.size());
  const auto u = [&](std::size_t t) { return static_cast<double>(t) / (n - 1.0) - 0.5; };
  double rise = 0.0;
  double square = 0.0;
  for (std::size_t t = 0; t < x.size(); ++t) {
    rise += x[t] * u(t);
    square += u(t) * u(t);
  }
  const double slope = rise / square;
  for (std::size_t t = 0; t < x.size(); ++t) x[t] -= slope * u(t);

  std::vector<double> left(x.begin(), x.end());
  const auto trend = token_of(structure, layout, kTrend);
  trend[0] = slope;
  for (std::size_t k = 1; k <= layout.trend + layout.residual_total; ++k) {
    const auto basis = [&](std::size_t t) {
      return sqrt2 * std::cos(pi * static_cast<double>(k) * (static_cast<double>(t) + 0.5) / n);
    };
    double weight = 0.0;
    for (std::size_t t = 0; t < x.size(); ++t) weight += x[t] * basis(t);
    weight /= n;
    for (std::size_t t = 0; t < x.size(); ++t) left[t] -= weight * basis(t);
    if (k <= layout.trend) {
      trend[k] = weight;
      continue;
    }
    const std::size_t j = k - layout.trend - 1;
    const std::size_t token = kResidual + j / layout.residual_per_token;
    structure[token * layout.width + j % layout.residual_per_token] = weight;
  }
  double mean = 0.0;
  for (const double value : left) mean += value / n;
  double variance = 0.0;
  double lagged = 0.0;
  for (std::size_t t = 0; t < left.size(); ++t) {
    variance += (left[t] - mean) * (left[t] - mean) / n;
    if (t > 0) lagged += left[t] * left[t - 1] / (n - 1.0);
  }
  const auto level = token_of(structure, layout, kLevel);
  level[kNoise] = std::log(std::max(std::sqrt(variance), 0.0005));
  level[kColour] = std::atanh(std::clamp(lagged / std::max(variance, 1e-12), -0.9, 0.9));
}

}  // namespace

std::vector<double> explain(const LatentLayout& layout, std::span<const double> x,
                            const Proposal& proposal) {
  std::vector<double> structure(layout.size(), 0.0);
  const auto events = token_of(structure, layout, kEvents);
  events[kNone] = 1.0;
  events.subspan(kEventWidth)[kNone] = 1.0;
  std::vector<double> rest(x.begin(), x.end());
  take_events(events, proposal, rest);
  for (std::size_t slot = 0; slot < 2; ++slot) {
    const auto own = proposal.period(slot);
    if (own[Proposal::kPeriodClasses] <= 0.0) continue;
    take_season(token_of(structure, layout, kSeason1 + slot), own.first(Proposal::kPeriodClasses),
                layout.harmonics, rest);
  }
  take_smooth(structure, layout, rest);
  return structure;
}

}  // namespace geng
