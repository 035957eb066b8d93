#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/aligned_buffer.h"
#include "format/mapped_file.h"

namespace geng {

/// What packed weights were made of and for: any other value of any field means others.
struct PackedKey {
  std::string_view fingerprint;  ///< Of the model: its SHA-256, 64 hexadecimal digits.
  std::uint64_t model_bytes;
  std::int64_t model_modified;  ///< Nanoseconds.
  std::string_view isa;
  std::string layout;  ///< Of the kernel set: what the same name may pack otherwise one day.
  std::uint32_t precision;
};

/// Where packed weights live: in memory, packed just now, or in a file that an earlier start wrote.
///
/// Such a file is a cache, never a model: it is read only when this user owns it, nobody else may
/// write it, its key is ours and its checksum holds; otherwise the weights are packed again. That
/// the file may not be written costs time and nothing else.
class PackedWeights {
 public:
  /// Packs everything, keeps it in memory.
  PackedWeights() = default;
  /// Takes the file of `key` in `folder`, where there is a good one.
  ///
  /// Cost: one pass over the file. Memory: the mapping.
  PackedWeights(std::string folder, const PackedKey& key);

  /// Whether an earlier start's file is in use.
  [[nodiscard]] bool is_cached() const noexcept { return cached_; }

  /// The next `bytes` packed bytes, 64-byte aligned; what pack(std::byte*) writes, or wrote in an
  /// earlier start. Blocks are asked for in the same order in every start.
  ///
  /// @throws Error{out_of_memory}
  template <typename Pack>
  const std::byte* block(std::size_t bytes, Pack&& pack) {
    if (const std::byte* known = next_cached(bytes); known != nullptr) return known;
    std::byte* fresh = blocks_.emplace_back(aligned_size(bytes)).data();
    pack(fresh);
    return fresh;
  }

  /// Writes what was packed for the next start: to a temporary file, then renamed. Does nothing
  /// when there is no folder or the weights came from one; a failure leaves no file.
  void save() const noexcept;

 private:
  const std::byte* next_cached(std::size_t bytes) noexcept;

  std::string folder_, name_, header_;
  MappedFile mapping_;
  std::size_t next_ = 0;
  bool cached_ = false;
  std::vector<AlignedBuffer> blocks_;
};

}  // namespace geng
