// E_y beside its network: least squares, and the structure found around a proposal.

#include <cmath>
#include <numbers>
#include <vector>

#include "check.h"
#include "model/least_squares.h"
#include "model/series_analysis.h"

using namespace geng;

namespace {

constexpr std::size_t kWindow = 512;

/// A proposal of one period and no event.
std::vector<double> one_period(double period) {
  std::vector<double> scores(Proposal::kSize, 0.0);
  const double classes = static_cast<double>(Proposal::kPeriodClasses - 1);
  const double place = std::log(period / 4.0) / std::log(64.0) * classes;
  scores[static_cast<std::size_t>(std::lround(place))] = 10.0;
  scores[Proposal::kPeriodClasses] = 5.0;
  scores[Proposal::kPeriodSlot + Proposal::kPeriodClasses] = -5.0;
  for (std::size_t i = 0; i < kEventsPerSeries; ++i) {
    scores[2 * Proposal::kPeriodSlot + i * Proposal::kEventSlot + kNone] = 10.0;
  }
  return scores;
}

}  // namespace

TEST(LeastSquares, FindsTheWeightsThatMadeTheAims) {
  LeastSquares fit(3);
  for (int i = 0; i < 20; ++i) {
    const double x = 0.3 * i;
    const double row[] = {1.0, x, x * x};
    fit.add(row, 2.0 - 3.0 * x + 0.5 * x * x);
  }
  const double left = fit.solve(0.0);
  CHECK(std::fabs(left) < 1e-6);
  CHECK(std::fabs(fit.weights()[0] - 2.0) < 1e-8);
  CHECK(std::fabs(fit.weights()[1] + 3.0) < 1e-8);
  CHECK(std::fabs(fit.weights()[2] - 0.5) < 1e-8);
}

TEST(SeriesAnalysis, FindsAPeriodFarFinerThanItsClass) {
  for (const double period : {9.37, 41.3, 64.0, 150.5}) {
    std::vector<double> x(kWindow);
    for (std::size_t t = 0; t < kWindow; ++t) {
      const double theta = 2.0 * std::numbers::pi * static_cast<double>(t) / period + 0.7;
      x[t] = 0.4 * std::cos(theta) + 0.1 * std::cos(2.0 * theta + 1.0);
    }
    const LatentLayout layout;
    const auto scores = one_period(period);
    const auto found = explain(layout, x, Proposal{scores});
    const double* season = found.data() + kSeason1 * layout.width;
    CHECK(std::fabs(season[kPeriod] / period - 1.0) < 2e-3);
    CHECK(std::fabs(season[kAmplitude] - std::hypot(0.4, 0.1)) < 2e-2);
    CHECK(found[kSeason2 * layout.width + kAmplitude] == 0.0);
  }
}

TEST(SeriesAnalysis, LeavesNoiseWithoutASeason) {
  std::vector<double> x(kWindow);
  unsigned state = 1;
  for (double& value : x) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<double>(state >> 8) / (1u << 24) - 0.5;
  }
  const LatentLayout layout;
  std::vector<double> scores = one_period(50.0);
  scores[Proposal::kPeriodClasses] = -5.0;
  const auto found = explain(layout, x, Proposal{scores});
  CHECK(found[kSeason1 * layout.width + kAmplitude] == 0.0);
  CHECK(std::exp(found[kNoise]) > 0.1);
}

CHECK_MAIN()
