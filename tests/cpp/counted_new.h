#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

// Counts every allocation of the program that includes this (once), so that a test can say that
// none happened. Not inlined: the compiler would pair malloc() with the caller's delete.
inline std::atomic<std::size_t> allocations{0};

[[gnu::noinline]] inline void* counted_block(std::size_t bytes, std::size_t to) noexcept {
  ++allocations;
  return std::aligned_alloc(to, (bytes + to - 1) / to * to);
}

[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t to,
                                     const std::nothrow_t& /*tag*/) noexcept {
  return counted_block(bytes, static_cast<std::size_t>(to));
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t to) {
  if (void* block = counted_block(bytes, static_cast<std::size_t>(to))) return block;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (void* block = counted_block(bytes, alignof(std::max_align_t))) return block;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  return counted_block(bytes, alignof(std::max_align_t));
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  std::free(block);
}
