#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include "core/aligned_buffer.h"

namespace geng {

/// Bytes that `Arena::take<T>(count)` uses; add these up to size an arena.
template <typename T>
constexpr std::size_t arena_bytes(std::size_t count) noexcept {
  return aligned_size(count * sizeof(T));
}

/// Hands out pieces of one block, in order, and takes them all back at once.
///
/// Cost: an addition per piece; the block is allocated once, by the constructor.
/// Threads: not safe; one arena belongs to one request (or one model's weights).
class Arena {
 public:
  /// @throws Error{out_of_memory}
  explicit Arena(std::size_t bytes) : block_(aligned_size(bytes)) {}

  /// The next `count` values, 64-byte aligned. Zero when the arena is fresh, else whatever was
  /// there.
  ///
  /// @throws Error{out_of_memory}  Fewer bytes are left; nothing was taken.
  template <typename T>
  std::span<T> take(std::size_t count) {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    return {reinterpret_cast<T*>(take_bytes(count, sizeof(T))), count};
  }

  [[nodiscard]] std::size_t used() const noexcept { return used_; }
  [[nodiscard]] std::size_t size() const noexcept { return block_.size(); }
  void reset() noexcept { used_ = 0; }

  /// Gives back, at the end of a C++ scope, all that was taken inside it.
  class Scope {
   public:
    explicit Scope(Arena& arena) noexcept : arena_(arena), mark_(arena.used_) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { arena_.used_ = mark_; }

   private:
    Arena& arena_;
    std::size_t mark_;
  };

 private:
  std::byte* take_bytes(std::size_t count, std::size_t item);

  AlignedBuffer block_;
  std::size_t used_ = 0;
};

}  // namespace geng
