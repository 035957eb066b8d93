#include "model/number_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace geng {
namespace {

double log_sum_exp(std::span<const float> scores) noexcept {
  const double most = *std::max_element(scores.begin(), scores.end());
  double sum = 0.0;
  for (const float score : scores) sum += std::exp(score - most);
  return most + std::log(sum);
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

  Roles roles;
  std::array<double, kRoles> surest;
  surest.fill(-std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < tokens; ++i) {
    if (!(condition.number(i, NumberColumn::is_number) > 0.5f)) continue;
    const auto row = std::span<const float>(scores).subspan(i * kRoles, kRoles);
    const auto best =
        static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
    const double log_share = row[best] - log_sum_exp(row);
    if (best == static_cast<std::size_t>(Role::other) || !(log_share > surest[best])) continue;
    surest[best] = log_share;
    const bool has_steps = condition.number(i, NumberColumn::has_steps) > 0.5f;
    roles.by_role[best] = RoleValue{condition.number(i, NumberColumn::raw_value),
                                    has_steps ? condition.number(i, NumberColumn::raw_steps) : 0.0,
                                    condition.number(i, NumberColumn::is_percent) > 0.5f};
  }
  return roles;
}

}  // namespace geng
