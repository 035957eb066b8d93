#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace geng {

/// Who may have written a file.
enum class Writer { anyone, only_us };

/// A file mapped read-only for as long as this object lives. Moves, never copies.
class MappedFile {
 public:
  MappedFile() noexcept = default;
  /// @throws Error{model_file}  Not a readable regular file, empty, larger than `limit` bytes; or,
  ///                            where only we may have written it, a link, another user's, or one
  ///                            that others may write.
  MappedFile(const std::string& path, std::size_t limit, Writer writer = Writer::anyone);
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
