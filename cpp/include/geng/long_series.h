#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "geng/generator.h"

namespace geng {

/// Largest chains: 2^24 steps are half a year of seconds.
inline constexpr std::size_t kMaxChainLength = std::size_t{1} << 24;
inline constexpr std::size_t kMaxChains = 1024;

/// Series longer than a window, drawn half a window at a time.
///
/// Row i uses seed + i, whatever the other rows. A chain shorter than kMaxLength is another series
/// than sample() draws from the same seed: there one latent is read over the whole length.
///
/// For one thread at a time.
///
/// Cost: linear in the length; a latent every half window, and three renderings.
/// Memory: bounded, whatever the length.
class LongSeries {
 public:
  /// @param generator  Borrowed for this object's life.
  /// @param condition  As in Generator::sample.
  /// @param count      1 .. kMaxChains.
  /// @param length     A multiple of 8, the window .. kMaxChainLength.
  /// @throws Error  As Generator::sample.
  LongSeries(const Generator& generator, std::span<const float> condition, std::size_t count,
             std::size_t length, const SamplerConfig& config);
  ~LongSeries();
  LongSeries(LongSeries&&) noexcept;
  LongSeries& operator=(LongSeries&&) noexcept;

  [[nodiscard]] std::size_t count() const noexcept;
  /// Steps of the next block: half a window, or what is left; 0 at the end.
  [[nodiscard]] std::size_t block() const noexcept;

  /// @param series  Out: [count, block()].
  /// @throws Error{not_finite}  The network returned NaN or infinity.
  void next(std::span<float> series);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace geng
