#include "model/frame.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

namespace geng {
namespace {

constexpr double kTight = 0.02;
constexpr double kLargestNumber = 1e30;
constexpr double kShortestPeriod = 2.0;
constexpr double kLongestPeriod = 4096.0;
constexpr double kLogQuietest = -7.0;

/// Roles without the numbers no series can be built on.
Roles usable(const Roles& roles) noexcept {
  Roles kept = roles;
  for (auto& role : kept.by_role) {
    if (role && !(std::isfinite(role->value) && std::fabs(role->value) <= kLargestNumber)) {
      role.reset();
    }
  }
  return kept;
}

const RoleValue* first_of(const Roles& roles, std::initializer_list<Role> order) noexcept {
  for (const Role role : order) {
    if (const auto& found = roles[role]) return &*found;
  }
  return nullptr;
}

/// How large a stated size is: "10 %" beside 230 V is a share of it, beside 50 % it is not.
double size_of(const RoleValue& size, const RoleValue* middle) noexcept {
  const bool share = size.percent && middle != nullptr && !middle->percent;
  return std::fabs(share ? middle->value * size.value / 100.0 : size.value);
}

/// Half the range as "amplitude 5" or "swings of 10" state it; 0 when neither does.
double half_range(const Roles& roles, const RoleValue* middle) noexcept {
  const auto& amplitude = roles[Role::amplitude];
  if (amplitude && amplitude->value != 0.0) return size_of(*amplitude, middle);
  const auto& span = roles[Role::span];
  return span ? size_of(*span, middle) / 2.0 : 0.0;
}

void set_range(Frame& frame, const Roles& roles) noexcept {
  const auto& low = roles[Role::low];
  const auto& high = roles[Role::high];
  if (low && high && low->value != high->value) {
    const auto [lo, hi] = std::minmax(low->value, high->value);
    frame.range = {hi - lo, kTight, true};
    frame.low = {lo, kTight, true};
    return;
  }
  const RoleValue* middle = first_of(roles, {Role::center, Role::mean});
  if (const double half = half_range(roles, middle); half > 0.0) {
    frame.range = {2.0 * half, kTight, true};
    if (middle != nullptr) frame.low = {middle->value - half, kTight, true};
    return;
  }
  // One lone level says where the series is and, roughly, how large its values are.
  using Place = std::pair<Role, std::optional<double>>;
  for (const auto& [role, share] :
       {Place{Role::center, 0.5}, {Role::mean, {}}, {Role::low, 0.0}, {Role::high, 1.0}}) {
    const auto& level = roles[role];
    if (!level) continue;
    frame.range = {std::max(std::fabs(level->value), 1.0) * 0.5, 1.0};
    frame.low = {level->value, 1.0};
    frame.anchor = {level->value, share, {}, {}};
    if (role == Role::mean) {
      if (low && low->value < level->value) frame.anchor->low = low->value;
      if (high && high->value > level->value) frame.anchor->high = high->value;
    }
    return;
  }
}

void set_mean(Frame& frame, const Roles& roles) noexcept {
  const auto& mean = roles[Role::mean];
  if (!mean || !frame.range.known || !frame.low.known) return;
  const double share = (mean->value - frame.low.centre) / frame.range.centre;
  if (0.0 < share && share < 1.0) frame.mean = {share, kTight, true};
}

void set_period(Coordinate& period, const std::optional<RoleValue>& role) noexcept {
  if (role && kShortestPeriod <= role->steps && role->steps <= kLongestPeriod) {
    period = {role->steps, kTight, true};
  }
}

void set_position(Coordinate& position, const std::optional<RoleValue>& role,
                  std::size_t length) noexcept {
  if (!role) return;
  double share = 0.0;
  if (role->percent) {
    share = role->value / 100.0;
  } else if (role->steps > 0.0 || role->value == 0.0) {
    share = role->steps / static_cast<double>(std::max<std::size_t>(length - 1, 1));
  } else {
    return;
  }
  if (0.0 <= share && share <= 1.0) position = {share, kTight, true};
}

void set_noise(Frame& frame, const std::optional<RoleValue>& role) noexcept {
  if (!role || !frame.range.known || role->value <= 0.0) return;
  const double share = role->percent ? role->value / 100.0 : role->value / frame.range.centre;
  frame.noise = {std::clamp(std::log(share), kLogQuietest, 0.0), 0.1, true};
}

double log2_periods(const Coordinate& period) noexcept {
  return period.known ? std::log2(period.centre / 64.0) / 3.0 : 0.0;
}

}  // namespace

std::array<float, kFrameFeatures> Frame::features() const noexcept {
  const auto flag = [](const Coordinate& c) { return c.known ? 1.0 : 0.0; };
  const auto centre = [](const Coordinate& c) { return c.known ? c.centre : 0.0; };
  const std::array<double, kFrameFeatures> values = {
      flag(range),
      flag(low),
      flag(mean),
      flag(period[0]),
      flag(period[1]),
      flag(position[0]),
      flag(position[1]),
      flag(noise),
      log2_periods(period[0]),
      log2_periods(period[1]),
      centre(mean),
      centre(position[0]),
      centre(position[1]),
      low.known ? std::asinh(low.centre / range.centre) / 4.0 : 0.0,
      range.known ? std::log(range.centre) / 8.0 : 0.0,
      centre(noise) / 7.0,
  };
  std::array<float, kFrameFeatures> features{};
  std::transform(values.begin(), values.end(), features.begin(),
                 [](double value) { return static_cast<float>(value); });
  return features;
}

void settle_recurrence(Roles& roles, std::size_t length) noexcept {
  auto& period = roles.by_role[static_cast<std::size_t>(Role::period)];
  if (period || !roles.recurrence) return;
  const double steps = roles.recurrence->steps;
  if (kShortestPeriod <= steps && 2.0 * steps <= static_cast<double>(length)) {
    period = roles.recurrence;
  }
}

void settle_both_ways(Roles& roles) noexcept {
  const auto level = {Role::low, Role::high, Role::mean, Role::center};
  if (!roles.both_ways || first_of(roles, level) != nullptr) return;
  const auto is_it = [&](Role role) { return roles[role] == roles.both_ways; };
  const bool sized = roles[Role::amplitude] || roles[Role::span];
  const bool spare = std::ranges::count(roles.by_role, roles.both_ways) == 0;
  if (!is_it(Role::amplitude) && !is_it(Role::span) && (sized || !spare)) return;
  const auto set = [&](Role role, std::optional<RoleValue> value) {
    roles.by_role[static_cast<std::size_t>(role)] = value;
  };
  set(Role::span, std::nullopt);
  set(Role::amplitude, roles.both_ways);
  set(Role::center, RoleValue{});
}

void settle_stays(Roles& roles) noexcept {
  if (!roles.stays || roles[Role::amplitude] || roles[Role::span]) return;
  const auto at = [&](Role role) -> auto& { return roles.by_role[static_cast<std::size_t>(role)]; };
  for (const auto role : {Role::low, Role::high, Role::mean, Role::center}) {
    if (at(role) && at(role) != roles.stays) return;
  }
  const double level = std::fabs(roles.stays->value);
  const auto& noise = roles[Role::noise];
  const double reach = noise ? 3.0 * size_of(*noise, &*roles.stays) : 0.0;
  at(Role::low) = at(Role::high) = std::nullopt;
  at(Role::center) = roles.stays;
  at(Role::amplitude) = RoleValue{reach > 0.0 ? reach : kStill * (level > 0.0 ? level : 1.0)};
}

Frame frame_of(const Roles& roles, std::size_t length) noexcept {
  const Roles known = usable(roles);
  Frame frame;
  set_range(frame, known);
  set_mean(frame, known);
  set_period(frame.period[0], known[Role::period]);
  // The same length said twice, "three meals a day give three humps a day", is one cycle.
  const auto& first = known[Role::period];
  const auto& second = known[Role::period2];
  const bool same = first && second && first->steps == second->steps;
  if (!same) set_period(frame.period[1], second);
  set_position(frame.position[0], known[Role::position], length);
  set_position(frame.position[1], known[Role::position2], length);
  set_noise(frame, known[Role::noise]);
  if (const auto& step = known[Role::resolution]; step && step->value > 0.0) {
    if (!frame.range.known || step->value <= frame.range.centre) frame.resolution = step->value;
  }
  return frame;
}

}  // namespace geng
