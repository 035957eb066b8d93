#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/latent_layout.h"

namespace geng {

/// What the encoder's network says of a window, as it puts it out.
struct Proposal {
  static constexpr std::size_t kPeriodClasses = 96;
  static constexpr std::size_t kPositionClasses = 64;
  static constexpr std::size_t kPeriodSlot = kPeriodClasses + 1;  ///< Classes, then presence.
  static constexpr std::size_t kEventSlot = kEventKinds + kPositionClasses + 2;
  static constexpr std::size_t kSize = 2 * kPeriodSlot + kEventsPerSeries * kEventSlot;

  std::span<const double> scores;  ///< [kSize]

  [[nodiscard]] std::span<const double> period(std::size_t slot) const noexcept {
    return scores.subspan(slot * kPeriodSlot, kPeriodSlot);
  }
  [[nodiscard]] std::span<const double> event(std::size_t slot) const noexcept {
    return scores.subspan(2 * kPeriodSlot + slot * kEventSlot, kEventSlot);
  }
};

/// The structure [tokens, width] that explains a window, in physical terms: period in steps,
/// position as a share, log noise. Linear parts are fitted by least squares around the proposal
/// (variable projection, Golub and Pereyra 1973). Range, low and mean are the caller's.
///
/// Cost: some 60 fits of up to 33 unknowns to the window.
///
/// @param x  The window in units of its range around its mean.
std::vector<double> explain(const LatentLayout& layout, std::span<const double> x,
                            const Proposal& proposal);

}  // namespace geng
