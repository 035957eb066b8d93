#pragma once

#include <cstddef>

namespace geng {

/// Alignment of everything a kernel touches: one cache line, one AVX-512 register.
inline constexpr std::size_t kAlignment = 64;

/// `bytes` rounded up to a whole number of cache lines.
constexpr std::size_t aligned_size(std::size_t bytes) noexcept {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// A block of zeroed, 64-byte aligned memory that is released with its owner. Moves, never copies.
class AlignedBuffer {
 public:
  AlignedBuffer() noexcept = default;
  /// @throws Error{out_of_memory}  The block could not be had; names its size.
  explicit AlignedBuffer(std::size_t bytes);
  AlignedBuffer(AlignedBuffer&& other) noexcept;
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer();

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace geng
