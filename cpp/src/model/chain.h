#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/calibration.h"
#include "model/decoder.h"
#include "model/structure.h"

namespace geng {

/// Renders a series of any length from the latents of many windows, half a window at a time.
///
/// The first window's structure is read over the whole length: level, both seasons with a phase
/// that runs on, noise that goes on from its last value, events at their share of the whole, and a
/// trend that leads somewhere. What happens inside a window, wander and residual, comes from a new
/// latent every half window; windows overlap by half and fade by sine and cosine, whose squares add
/// up to one, so that the variance is the same at every step and no seam is left.
///
/// Range and mean hold for the whole series. They are fitted on a rehearsal that repeats the
/// details of the first windows, so that memory does not grow with the length; a value beyond what
/// the rehearsal saw stays at the end of the range.
class Chain {
 public:
  /// Windows whose details the rehearsal knows.
  static constexpr std::size_t kRehearsed = 16;

  /// Windows that a series of `length` steps takes: one more than its blocks.
  [[nodiscard]] static std::size_t windows(std::size_t window, std::size_t length) noexcept {
    const std::size_t hop = window / 2;
    return (length + hop - 1) / hop + 1;
  }

  /// @param latents  Of the first windows, normalised: [min(windows, kRehearsed), tokens, width].
  /// @param length   Steps of the whole series, at least 2.
  /// @param seed     Of its noise.
  ///
  /// Cost: two passes over the series, that is, as much again as rendering it twice.
  Chain(const Decoder& decoder, const Frame& frame, const CosineTable& window,
        std::span<const float> latents, std::size_t length, std::uint64_t seed);

  /// Renders the next block.
  ///
  /// @param latent  Of the window that begins with it; the very first window is known already.
  /// @param series  Out: half a window, or what is left of the series, in the unit of the frame.
  void next(std::span<const float> latent, std::span<float> series);

 private:
  /// What one pass over the series carries from block to block.
  struct Pass {
    Noise noise;
    std::size_t block = 0;
    std::vector<double> fading;  ///< Of the window before, its second half.
  };

  [[nodiscard]] std::size_t hop() const noexcept { return window_.length() / 2; }
  [[nodiscard]] Pass begin() const;
  [[nodiscard]] std::vector<double> details(std::span<const float> latent) const;
  /// One block of the shape, without dropouts.
  void render(Pass& pass, std::span<const double> details, std::span<double> x) const;
  void drop_out(std::size_t block, std::span<double> x) const;
  /// Calls seen(block) for every block of the shape, dropouts and all, details repeated.
  void rehearse(bool dropouts, const std::function<void(std::span<const double>)>& seen) const;
  void calibrate();

  const Decoder& decoder_;
  Frame frame_;
  const CosineTable& window_;
  std::size_t length_;
  std::uint64_t seed_;
  std::vector<double> raw_;                     ///< Of the first window.
  std::vector<std::vector<double>> rehearsed_;  ///< Details of the first windows.
  std::array<Event, kEventsPerSeries> events_;
  bool leads_;          ///< The trend goes on over the whole series, not window by window.
  double floor_ = 0.0;  ///< Least value before any dropout.
  Calibration calibration_;
  Pass pass_;
};

}  // namespace geng
