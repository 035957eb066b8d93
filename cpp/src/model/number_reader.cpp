#include "model/number_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <tuple>
#include <vector>

namespace geng {
namespace {

/// A second-best role counts only when the network gives it at least this share.
constexpr double kLeastShare = 0.05;

double log_sum_exp(std::span<const float> scores) noexcept {
  const double most = *std::max_element(scores.begin(), scores.end());
  double sum = 0.0;
  for (const float score : scores) sum += std::exp(score - most);
  return most + std::log(sum);
}

/// One number of the text: its value, and the log share of every role, averaged over its pieces.
struct ReadNumber {
  RoleValue value;
  bool recurs = false, both_ways = false, stays = false;
  std::array<double, kRoles> log_share{};
};

RoleValue value_at(const ConditionView& condition, std::size_t token) {
  const bool has_steps = condition.number(token, NumberColumn::has_steps) > 0.5f;
  return RoleValue{condition.number(token, NumberColumn::raw_value),
                   has_steps ? condition.number(token, NumberColumn::raw_steps) : 0.0,
                   condition.number(token, NumberColumn::is_percent) > 0.5f};
}

/// Neighbouring pieces with the same value are one number.
std::vector<ReadNumber> numbers_of(const ConditionView& condition, std::span<const float> scores) {
  std::vector<ReadNumber> numbers;
  const std::size_t tokens = condition.tokens();
  for (std::size_t i = 0; i < tokens;) {
    if (!(condition.number(i, NumberColumn::is_number) > 0.5f)) {
      ++i;
      continue;
    }
    ReadNumber number{value_at(condition, i),
                      condition.number(i, NumberColumn::recurs) > 0.5f,
                      condition.number(i, NumberColumn::sway) > 0.5f,
                      condition.number(i, NumberColumn::sway) < -0.5f,
                      {}};
    const std::size_t first = i;
    for (; i < tokens && condition.number(i, NumberColumn::is_number) > 0.5f &&
           value_at(condition, i) == number.value;
         ++i) {
      const auto row = scores.subspan(i * kRoles, kRoles);
      const double total = log_sum_exp(row);
      for (std::size_t r = 0; r < kRoles; ++r) number.log_share[r] += row[r] - total;
    }
    for (double& share : number.log_share) share /= static_cast<double>(i - first);
    numbers.push_back(number);
  }
  return numbers;
}

/// Word pieces on each side that a role is read from.
constexpr std::size_t kReach = 8;

/// Rows [tokens, (2 kReach + 1) width]: each token between its neighbours; zeros beyond the text.
std::vector<float> with_neighbours(std::span<const float> rows, std::size_t tokens,
                                   std::size_t width) {
  std::vector<float> wide(tokens * (2 * kReach + 1) * width, 0.0f);
  for (std::size_t i = 0; i < tokens; ++i) {
    const std::size_t first = i < kReach ? 0 : i - kReach;
    const std::size_t last = std::min(i + kReach + 1, tokens);
    float* const row = wide.data() + (i * (2 * kReach + 1) + (first + kReach - i)) * width;
    std::copy(rows.begin() + static_cast<std::ptrdiff_t>(first * width),
              rows.begin() + static_cast<std::ptrdiff_t>(last * width), row);
  }
  return wide;
}

/// Surest first, each number takes one role and each role one number; any number of them takes
/// "other". Two numbers that both look like the lower limit are then told apart by the surer one.
Roles assigned(const std::vector<ReadNumber>& numbers) {
  struct Choice {
    double log_share;
    std::size_t number, role;
  };
  std::vector<Choice> choices;
  for (std::size_t n = 0; n < numbers.size(); ++n) {
    for (std::size_t r = 0; r < kRoles; ++r) {
      if (numbers[n].log_share[r] >= std::log(kLeastShare)) {
        choices.push_back({numbers[n].log_share[r], n, r});
      }
    }
  }
  std::ranges::sort(choices, {}, [](const Choice& choice) {
    return std::tuple{-choice.log_share, choice.number, choice.role};
  });
  Roles roles;
  std::vector<bool> taken(numbers.size(), false);
  for (const Choice& choice : choices) {
    auto& role = roles.by_role[choice.role];
    if (taken[choice.number] || role) continue;
    taken[choice.number] = true;
    if (choice.role != static_cast<std::size_t>(Role::other)) role = numbers[choice.number].value;
  }
  const auto left = std::ranges::find_if(numbers, [&](const ReadNumber& number) {
    return number.recurs && std::ranges::count(roles.by_role, std::optional{number.value}) == 0;
  });
  if (left != numbers.end()) roles.recurrence = left->value;
  const auto both_ways = std::ranges::find_if(numbers, &ReadNumber::both_ways);
  if (both_ways != numbers.end()) roles.both_ways = both_ways->value;
  const auto stays = std::ranges::find_if(numbers, &ReadNumber::stays);
  if (stays != numbers.end()) roles.stays = stays->value;
  return roles;
}

}  // namespace

NumberReader::NumberReader(const WeightReader& weights)
    : up_(weights.exact("reader.up")),
      mix_(weights.exact("reader.mix")),
      down_(weights.exact("reader.down")) {}

Roles NumberReader::read(const Compute& compute, const ConditionView& condition) const {
  const std::size_t tokens = condition.tokens();
  std::vector<float> bounded(condition.values.size());
  condition.copy_bounded(bounded);
  std::vector<float> projected(tokens * up_.outputs());
  std::vector<float> mixed(tokens * mix_.outputs());
  std::vector<float> scores(tokens * kRoles);
  up_.apply_once(compute, bounded, cpu::Epilogue::gelu_tanh, projected);
  mix_.apply_once(compute, with_neighbours(projected, tokens, up_.outputs()),
                  cpu::Epilogue::gelu_tanh, mixed);
  down_.apply_once(compute, mixed, cpu::Epilogue::none, scores);

  return assigned(numbers_of(condition, scores));
}

}  // namespace geng
