#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <span>

#include "model/calibration.h"
#include "model/frame.h"
#include "model/latent_layout.h"

namespace geng {

// What the tokens of a latent say, rendered in units of the range. A stretch of a series is
// rendered like the whole: step t of it is step stretch.first + t of stretch.total.

/// Part of a series.
struct Stretch {
  std::size_t first;  ///< Step of the series where it starts.
  std::size_t total;  ///< Steps of the whole series.

  /// Where step t of the stretch lies in the whole, 0 .. 1.
  [[nodiscard]] double place(std::size_t t) const noexcept {
    return static_cast<double>(first + t) / static_cast<double>(total - 1);
  }
};

/// Where the series lies, from its level token.
Level level_of(std::span<const double> row, const Frame& frame) noexcept;

/// Adds a season: harmonics of one fundamental, whose phase runs on.
void add_season(std::span<const double> row, const Coordinate& coordinate, std::size_t harmonics,
                const Stretch& stretch, std::span<double> x) noexcept;

/// Coloured noise through an envelope. What it was at the last step goes on into the next stretch.
class Noise {
 public:
  Noise(std::span<const double> row, const Coordinate& coordinate) noexcept;

  /// @param white  [x.size()] N(0, 1).
  void add(const Stretch& stretch, std::span<const float> white, std::span<double> x) noexcept;

  /// The other way round: what add() would have had to be given to leave `x` behind. Zeros where
  /// there is no noise.
  void whiten(const Stretch& stretch, std::span<const double> x, std::span<float> white) noexcept;

 private:
  [[nodiscard]] bool silent() const noexcept;
  [[nodiscard]] double scale_at(double place) const noexcept;

  std::span<const double> knots_;
  double log_std_, rho_, gain_;
  double last_ = std::numeric_limits<double>::quiet_NaN();  ///< Not a number before the first step.
};

/// An event, placed in the whole series.
struct Event {
  std::size_t kind;
  double place;  ///< step
  double width;  ///< steps, before each kind's own limits
  double size;   ///< share of the range
};

std::array<Event, kEventsPerSeries> events_of(std::span<const double> row, const Frame& frame,
                                              std::size_t total) noexcept;

/// Spikes, dips and shifts add to the series; a dropout is not a sum and comes after them.
void add_event(const Event& event, const Stretch& stretch, std::span<double> x) noexcept;

/// @param floor  Least value of the whole series before any dropout.
void drop_out(const Event& event, double floor, const Stretch& stretch,
              std::span<double> x) noexcept;

}  // namespace geng
