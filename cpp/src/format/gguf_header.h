#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/gguf.h"

// What stands before the tensor data of a GGUF file, read once and checked as it is read.
namespace geng {

// The limits of every reader of ours.
inline constexpr std::size_t kMostFileBytes = std::size_t{1} << 30;
inline constexpr std::size_t kMostTensors = 4096;
inline constexpr std::size_t kMostFields = 1024;
inline constexpr std::size_t kMostStringBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMostEntries = 131072;
inline constexpr std::size_t kMostDim = std::size_t{1} << 24;
inline constexpr std::size_t kMostRank = 4;
inline constexpr std::size_t kFileAlignment = 32;

constexpr std::size_t file_aligned(std::size_t at) noexcept {
  return (at + kFileAlignment - 1) / kFileAlignment * kFileAlignment;
}

/// One tensor as declared. `bytes` and `offset` have been checked against the tensors before it,
/// not yet against the end of the file.
struct DeclaredTensor {
  TensorView view;         ///< Without `bytes`.
  std::size_t offset = 0;  ///< From the start of the data.
  std::size_t size = 0;    ///< In bytes.
};

struct GgufHeader {
  std::vector<MetadataField> fields;    ///< In file order.
  std::vector<DeclaredTensor> tensors;  ///< In file order, contiguous up to alignment.
  std::size_t data_start = 0;           ///< Aligned; may lie past the end of a file that was cut.
};

/// Reads forward through the bytes of a file; what would pass the end throws and names `what`.
class FileCursor {
 public:
  FileCursor(std::span<const std::byte> bytes, const std::string& path)
      : bytes_(bytes), path_(path) {}

  [[nodiscard]] std::size_t at() const noexcept { return at_; }
  template <typename T>
  T number(std::string_view what);
  /// Length-prefixed UTF-8 of at most kMostStringBytes.
  std::string_view string(std::string_view what);
  std::span<const std::byte> take(std::uint64_t count, std::string_view what);
  /// Throws Error{model_file}: path, then `sentence`.
  [[noreturn]] void refuse(const std::string& sentence) const;

 private:
  std::span<const std::byte> bytes_;
  const std::string& path_;
  std::size_t at_ = 0;
};

/// Reads the header. Memory grows with what was read, never with what was declared.
///
/// @throws Error{model_file}
GgufHeader read_gguf_header(std::span<const std::byte> bytes, const std::string& path);

/// Entry by entry, the strings of an array that read_gguf_header has checked.
std::vector<std::string_view> string_entries(const MetadataArray& array);

}  // namespace geng
