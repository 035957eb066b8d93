#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace geng {

/// What a number of a description can stand for. The order is the model file's.
enum class Role : std::size_t {
  other,
  low,
  high,
  mean,
  center,
  amplitude,
  span,
  period,
  period2,
  position,
  position2,
  noise,
  resolution,
};

inline constexpr std::size_t kRoles = 13;
inline constexpr std::array<std::string_view, kRoles> kRoleNames = {
    "other",  "low",     "high",     "mean",      "center", "amplitude", "span",
    "period", "period2", "position", "position2", "noise",  "resolution"};

/// The number that plays a role.
struct RoleValue {
  double value = 0.0;
  double steps = 0.0;    ///< The value in steps of the series; 0 when it cannot be expressed so.
  bool percent = false;  ///< It was written as a percentage.

  bool operator==(const RoleValue&) const = default;
};

/// The number of each role, where the description has one.
struct Roles {
  std::array<std::optional<RoleValue>, kRoles> by_role;
  /// The first that says how often something comes back and was given no role.
  std::optional<RoleValue> recurrence;
  /// The first that says how far something goes both below and above.
  std::optional<RoleValue> both_ways;
  /// The first at which the series is said to stay.
  std::optional<RoleValue> stays;

  [[nodiscard]] const std::optional<RoleValue>& operator[](Role role) const noexcept {
    return by_role[static_cast<std::size_t>(role)];
  }
};

/// A coordinate of the latent: where its zero lies and how far one unit reaches.
struct Coordinate {
  double centre;
  double spread;
  bool known = false;  ///< Pinned by a number of the description.
};

/// A level that the text states without a range: the series lies so that low = value - share range.
struct Anchor {
  double value = 0.0;
  std::optional<double> share;  ///< 0 = the least value, 1 = the greatest; none = the shape's mean.
  std::optional<double> low;    ///< A limit beside the mean, which with it says the range.
  std::optional<double> high;
};

/// What of a range's logarithm is drawn beside an anchor: series differ more in training than
/// anybody expects of "around 20 degC".
inline constexpr double kCalm = 0.2;

/// How far a series goes below and above the level at which it stays, as a share of that.
inline constexpr double kStill = 0.005;

inline constexpr std::size_t kFrameFeatures = 16;

/// The coordinate system in which level, scale, periods and positions of a latent are expressed.
///
/// Word pieces carry magnitudes badly, but the numbers of the description are in the condition as
/// they are: so the latent says how far the series is from them, and a range of -5 to 5 comes out
/// as asked instead of off by some per cent. Coordinates without a number have a wide default.
///
///   range  = range.centre exp(range.spread r)        low  = low.centre + range low.spread sinh(r)
///   mean   = mean.centre + mean.spread r (a share of the range)
///   noise  = noise.centre + noise.spread r (log of a share of the range)
///   period = period.centre exp(period.spread r)      position = position.centre + position.spread
///   r
///
/// A range and a low that the text states are their centres, whatever r.
struct Frame {
  Coordinate range{10.0, 2.5};
  Coordinate low{0.0, 1.0};
  Coordinate mean{0.5, 0.15};
  Coordinate noise{-3.5, 1.5};
  std::array<Coordinate, 2> period{{{64.0, 1.2}, {64.0, 1.2}}};
  std::array<Coordinate, 2> position{{{0.5, 0.3}, {0.5, 0.3}}};
  double resolution = 0.0;  ///< Step of the values; 0 = continuous.
  std::optional<Anchor> anchor;

  /// How far a unit of the range's coordinate reaches where the range is not stated.
  [[nodiscard]] double range_reach() const noexcept {
    return anchor ? kCalm * range.spread : range.spread;
  }

  /// What the bridge is told of the frame, bounded.
  [[nodiscard]] std::array<float, kFrameFeatures> features() const noexcept;
};

/// A recurrence that no role was given to becomes the period where there is none and a series of
/// `length` steps shows it twice: "repeats weekly" is one whatever else the text counts.
void settle_recurrence(Roles& roles, std::size_t length) noexcept;

/// What is as far below as above is so about zero where no level is said: "±2 g" is -2 to 2.
void settle_both_ways(Roles& roles) noexcept;

/// A series that stays at the one level that is said reaches three standard deviations of the noise
/// that is said to either side, or kStill of the level: "constant 5 V" is 4.975 to 5.025.
void settle_stays(Roles& roles) noexcept;

/// The frame that the numbers of a description span for a series of `length` steps.
Frame frame_of(const Roles& roles, std::size_t length) noexcept;

}  // namespace geng
