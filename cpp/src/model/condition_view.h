#pragma once

#include <cstddef>
#include <span>

namespace geng {

/// Columns of a number's channels that the core reads; the rest is for the bridge alone.
enum class NumberColumn : std::size_t {
  is_number = 0,
  is_percent = 5,
  has_steps = 6,
  /// 1: as far below as above, -1: the series stays there. This and the next are read by the
  /// number reader, never fed to a network.
  sway = 28,
  recurs = 29,
  raw_value = 30,
  raw_steps = 31,
};

inline constexpr std::size_t kNumberWidth = 32;

/// A checked condition Z_x, borrowed: float32 [tokens, text_width + kNumberWidth], row-major.
struct ConditionView {
  std::span<const float> values;
  std::size_t text_width;

  [[nodiscard]] std::size_t width() const noexcept { return text_width + kNumberWidth; }
  [[nodiscard]] std::size_t tokens() const noexcept { return values.size() / width(); }
  [[nodiscard]] std::span<const float> row(std::size_t token) const noexcept {
    return values.subspan(token * width(), width());
  }
  [[nodiscard]] float number(std::size_t token, NumberColumn column) const noexcept {
    return row(token)[text_width + static_cast<std::size_t>(column)];
  }
  /// Rows as a network may see them: what is for the number reader alone reads zero.
  /// `out` is [tokens, width()].
  void copy_bounded(std::span<float> out) const noexcept;
};

}  // namespace geng
