#pragma once

#include <functional>
#include <string>
#include <vector>

#include "options.h"

namespace geng::bench {

/// One combination, measured. Times in milliseconds.
struct Row {
  std::string model, isa, precision;
  int threads = 0, steps = 0, batch = 0;
  double guidance = 0.0;
  double load = 0.0, first_step = 0.0;
  std::vector<double> step, sample;  ///< Raw: every step but the first, every whole sample.
  double peak_share = 0.0;           ///< Of the multiply-adds that a thread could do, in per cent.
  double peak_rss_mb = 0.0;          ///< Of this process so far.
  std::string temperature, throttled;
};

/// Measures every combination, telling each row as it is there.
///
/// @throws Error  As Generator; before anything is measured where it can be known.
void measure(const Options& options, const std::function<void(const Row&)>& tell);

/// Middle value, and the quartiles.
struct Spread {
  double low, median, high;
};
Spread spread_of(std::vector<double> values);

}  // namespace geng::bench
