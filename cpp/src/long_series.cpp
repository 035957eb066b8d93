#include "geng/long_series.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "geng/error.h"
#include "model/chain.h"
#include "request_checks.h"

namespace geng {

struct LongSeries::State {
  const Generator& generator;
  std::vector<float> condition;
  std::size_t count, length;
  std::string solver;
  SamplerConfig config;
  CosineTable window;
  std::size_t latent;                             ///< Floats of one.
  std::vector<std::vector<float>> first_windows;  ///< Of every row, window by window.
  std::vector<Chain> chains;
  std::size_t done = 0;  ///< Steps.

  State(const Generator& from, std::span<const float> z, std::size_t n, std::size_t steps,
        const SamplerConfig& chosen)
      : generator(from),
        condition(z.begin(), z.end()),
        count(n),
        length(steps),
        solver(chosen.solver),
        config(chosen),
        window(from.window()),
        latent(from.latent_tokens() * from.latent_width()) {
    config.solver = solver;  // the caller's name need not live as long as this
    const std::size_t known = std::min(Chain::windows(from.window(), length), Chain::kRehearsed);
    for (std::size_t w = 0; w < known; ++w) first_windows.push_back(drawn(w));
    chains.reserve(count);
    std::vector<float> own;
    for (std::size_t i = 0; i < count; ++i) {
      own.clear();
      for (const auto& rows : first_windows) {
        const auto at = rows.begin() + static_cast<std::ptrdiff_t>(i * latent);
        own.insert(own.end(), at, at + static_cast<std::ptrdiff_t>(latent));
      }
      chains.push_back(generator.chain(condition, own, window, length, config.seed + i));
    }
  }

  /// Latents of one window of every row. Rows take seeds one by one, windows 2^32 further each.
  [[nodiscard]] std::vector<float> drawn(std::size_t index) const {
    std::vector<float> latents(count * latent);
    SamplerConfig own = config;
    own.seed = config.seed + (static_cast<std::uint64_t>(index) << 32);
    generator.sample_latents(condition, count, length, own, {}, latents);
    return latents;
  }

  [[nodiscard]] std::size_t hop() const noexcept { return window.length() / 2; }
};

LongSeries::LongSeries(const Generator& generator, std::span<const float> condition,
                       std::size_t count, std::size_t length, const SamplerConfig& config) {
  check_chain(count, length, generator.window());
  state_ = std::make_unique<State>(generator, condition, count, length, config);
}
LongSeries::~LongSeries() = default;
LongSeries::LongSeries(LongSeries&&) noexcept = default;
LongSeries& LongSeries::operator=(LongSeries&&) noexcept = default;

std::size_t LongSeries::count() const noexcept { return state_->count; }

std::size_t LongSeries::block() const noexcept {
  const State& s = *state_;
  return s.done < s.length ? std::min(s.hop(), s.length - s.done) : 0;
}

void LongSeries::next(std::span<float> series) {
  State& s = *state_;
  const std::size_t steps = block();
  check_size("series", series.size(), s.count * steps);
  const std::size_t window = s.done / s.hop() + 1;
  const bool known = window < s.first_windows.size();
  const std::vector<float> fresh = known ? std::vector<float>{} : s.drawn(window);
  const std::span<const float> latents = known ? s.first_windows[window] : fresh;
  for (std::size_t i = 0; i < s.count; ++i) {
    s.chains[i].next(latents.subspan(i * s.latent, s.latent), series.subspan(i * steps, steps));
  }
  s.done += steps;
}

}  // namespace geng
