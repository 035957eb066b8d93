#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "format/mapped_file.h"

// A GGUF v3 file, mapped and checked. Nothing past this header ever sees an unchecked byte.
namespace geng {

struct GgufHeader;  // gguf_header.h

/// Storage of a tensor; the values are GGUF's type numbers.
enum class TensorType : std::uint32_t { f32 = 0, i8 = 24 };

/// One tensor of a mapped file. Borrows from the ModelFile.
struct TensorView {
  std::string_view name;
  TensorType type = TensorType::f32;
  std::uint32_t rank = 0;              ///< 1 .. 4
  std::array<std::size_t, 4> shape{};  ///< Row-major, slowest first: a linear layer is [out, in].
  std::size_t elements = 0;
  std::span<const std::byte> bytes;  ///< 32-byte aligned in the file and in memory.

  [[nodiscard]] std::span<const std::size_t> dims() const noexcept { return {shape.data(), rank}; }
  // The values; whoever asks has looked at `type`.
  [[nodiscard]] std::span<const float> f32() const noexcept;
  [[nodiscard]] std::span<const std::int8_t> i8() const noexcept;
};

/// "float32 [256, 384]", for sentences.
std::string describe(const TensorView& tensor);

/// An array of strings or scalars as stored: read through ModelFile::strings.
struct MetadataArray {
  std::uint32_t type = 0;  ///< GGUF value type of the entries.
  std::size_t count = 0;
  std::span<const std::byte> bytes;

  [[nodiscard]] bool holds_strings() const noexcept { return type == 8; }
};

/// A metadata value. Integers are widened to 64 bits, floats to double.
using MetadataValue =
    std::variant<std::uint64_t, std::int64_t, double, bool, std::string_view, MetadataArray>;

struct MetadataField {
  std::string_view key;
  MetadataValue value;
};

/// A model file: metadata, tensors, and the promise that both are whole.
///
/// Cost of open(): one pass over the header and one SHA-256 over the tensor data.
/// Memory: the mapping, and a table of at most 4096 tensors and 1024 fields.
class ModelFile {
 public:
  /// @throws Error{model_file}  Unreadable, broken, cut, or its sum is wrong. The sentence starts
  ///                            with the path and names the key, tensor or byte.
  static ModelFile open(const std::string& path);
  /// The same but for the sum over the tensor data, which is most of the cost: for a file whose
  /// sum was found right when it had the same size and time of writing. verify() makes up for it.
  static ModelFile open_unverified(const std::string& path);
  /// @throws Error{model_file}  The sum is wrong.
  void verify() const;
  /// The same from memory (tests, fuzzing, firmware): `bytes` is borrowed and must be 32-byte
  /// aligned; `name` stands where the path stands in sentences.
  static ModelFile from_bytes(std::span<const std::byte> bytes, std::string name);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::size_t file_bytes() const noexcept { return bytes_.size(); }
  /// When the file was last written, in nanoseconds; 0 for one in memory.
  [[nodiscard]] std::int64_t modified() const noexcept { return mapping_.modified(); }
  /// SHA-256 of the tensor data as metadata geng.sha256 states it, 64 hexadecimal digits.
  [[nodiscard]] const std::string& fingerprint() const noexcept { return fingerprint_; }

  [[nodiscard]] std::span<const MetadataField> metadata() const noexcept { return fields_; }
  [[nodiscard]] bool has(std::string_view key) const noexcept;
  /// @throws Error{model_file}  The key is missing or of another type.
  [[nodiscard]] std::uint32_t u32(std::string_view key) const;
  [[nodiscard]] float f32(std::string_view key) const;
  [[nodiscard]] std::string_view string(std::string_view key) const;
  [[nodiscard]] std::vector<std::string_view> strings(std::string_view key) const;

  [[nodiscard]] std::span<const TensorView> tensors() const noexcept { return tensors_; }
  /// Null when there is none of this name.
  [[nodiscard]] const TensorView* find_tensor(std::string_view name) const noexcept;
  /// @throws Error{model_file}  There is none of this name.
  [[nodiscard]] const TensorView& tensor(std::string_view name) const;
  /// The tensor `name`, which must be float32 of exactly this shape (slowest first).
  ///
  /// @throws Error{model_file}  Missing, of another type, or of another shape.
  [[nodiscard]] std::span<const float> f32_tensor(std::string_view name,
                                                  std::span<const std::size_t> shape) const;

 private:
  ModelFile() = default;
  void read(std::span<const std::byte> bytes);
  void place_tensors(const GgufHeader& header);
  void index_names(std::vector<MetadataField> fields);

  std::string path_;
  MappedFile mapping_;
  std::span<const std::byte> bytes_;
  std::vector<MetadataField> fields_;   // sorted by key
  std::vector<TensorView> tensors_;     // in file order
  std::vector<std::uint32_t> by_name_;  // indices into tensors_, sorted by name
  std::size_t data_start_ = 0;
  std::string fingerprint_;
};

}  // namespace geng
