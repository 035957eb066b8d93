#include "cpu/peak.h"

#include <algorithm>
#include <chrono>

namespace geng::cpu {

double measure_peak(const KernelSet& set, Precision precision) noexcept {
  using Clock = std::chrono::steady_clock;
  constexpr double kLongEnough = 0.01;  // seconds: beyond the clock's grain, within one time slice
  constexpr int kTries = 8;
  const auto loop = precision == Precision::int8 ? set.peak_i8 : set.peak_f32;
  double best = 0.0;
  int tries = 0;
  std::size_t rounds = 1024;
  while (tries < kTries) {
    const auto began = Clock::now();
    const std::uint64_t done = loop(rounds);
    const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
    if (seconds < kLongEnough) {
      rounds *= 2;
      continue;
    }
    // The best of several: whatever else the machine does can only make one slower.
    best = std::max(best, static_cast<double>(done) / seconds);
    ++tries;
  }
  return best;
}

}  // namespace geng::cpu
