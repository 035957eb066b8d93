#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace geng {

/// A file mapped read-only for as long as this object lives. Moves, never copies.
class MappedFile {
 public:
  MappedFile() noexcept = default;
  /// @throws Error{model_file}  Not a readable regular file, empty, or larger than `limit` bytes.
  MappedFile(const std::string& path, std::size_t limit);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
  /// When the file was last written, in nanoseconds.
  [[nodiscard]] std::int64_t modified() const noexcept { return modified_; }

 private:
  std::span<const std::byte> bytes_;
  std::int64_t modified_ = 0;
};

}  // namespace geng
