#pragma once

#include <cstddef>
#include <span>

#include "core/arena.h"

namespace geng {

/// Stands in for an Arena and only adds up what would be taken: a function that cuts its scratch
/// from `auto& arena` sizes it too, so the two lists cannot drift apart.
class ArenaMeter {
 public:
  template <typename T>
  std::span<T> take(std::size_t count) noexcept {
    bytes_ += arena_bytes<T>(count);
    return {};
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

}  // namespace geng
