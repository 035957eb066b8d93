#include "format/gguf_header.h"

#include <bit>
#include <cstring>

#include "format/utf8.h"
#include "geng/error.h"

namespace geng {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF numbers are read as they lie");

/// Value types, numbered by the GGUF specification.
// clang-format off
enum ValueType : std::uint32_t {
  kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64, kValueTypes
};
// clang-format on

/// Bytes of one scalar of a type; 0 for strings and arrays, which have no fixed size.
constexpr std::size_t kScalarBytes[kValueTypes] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

std::string quoted(const char* kind, std::string_view name) {
  return std::string(kind) + " '" + shortened(name) + "'";
}

std::string between(std::uint64_t value, std::size_t low, std::size_t high) {
  return std::to_string(value) + "; it must be " + std::to_string(low) + " to " +
         std::to_string(high);
}

std::size_t within(const FileCursor& cursor, const std::string& what, std::uint64_t value,
                   std::size_t low, std::size_t high) {
  if (value < low || value > high) cursor.refuse(what + " is " + between(value, low, high));
  return static_cast<std::size_t>(value);
}

MetadataArray read_array(FileCursor& cursor, const std::string& what) {
  MetadataArray array;
  array.type = cursor.number<std::uint32_t>(what);
  if (array.type >= kValueTypes || array.type == kArray) {
    cursor.refuse(what + " is an array of type " + std::to_string(array.type) +
                  "; it must hold scalars or strings");
  }
  array.count =
      within(cursor, what + " entry count", cursor.number<std::uint64_t>(what), 0, kMostEntries);
  if (array.type != kString) {
    array.bytes = cursor.take(array.count * kScalarBytes[array.type], what);
    return array;
  }
  FileCursor entries = cursor;
  for (std::size_t i = 0; i < array.count; ++i) entries.string(what);
  array.bytes = cursor.take(entries.at() - cursor.at(), what);
  return array;
}

MetadataValue read_value(FileCursor& cursor, const std::string& what) {
  const auto type = cursor.number<std::uint32_t>(what);
  switch (type) {
    case kU8:
      return std::uint64_t{cursor.number<std::uint8_t>(what)};
    case kU16:
      return std::uint64_t{cursor.number<std::uint16_t>(what)};
    case kU32:
      return std::uint64_t{cursor.number<std::uint32_t>(what)};
    case kU64:
      return cursor.number<std::uint64_t>(what);
    case kI8:
      return std::int64_t{cursor.number<std::int8_t>(what)};
    case kI16:
      return std::int64_t{cursor.number<std::int16_t>(what)};
    case kI32:
      return std::int64_t{cursor.number<std::int32_t>(what)};
    case kI64:
      return cursor.number<std::int64_t>(what);
    case kF32:
      return double{cursor.number<float>(what)};
    case kF64:
      return cursor.number<double>(what);
    case kBool:
      return within(cursor, what, cursor.number<std::uint8_t>(what), 0, 1) == 1;
    case kString:
      return cursor.string(what);
    case kArray:
      return read_array(cursor, what);
    default:
      cursor.refuse(what + " has value type " + between(type, 0, kF64));
  }
}

/// One tensor's declaration; it must start where the one before it ended, rounded up.
DeclaredTensor read_tensor(FileCursor& cursor, std::size_t expected_offset) {
  DeclaredTensor tensor;
  TensorView& view = tensor.view;
  view.name = cursor.string("a tensor's name");
  const std::string what = quoted("tensor", view.name);
  view.rank = static_cast<std::uint32_t>(
      within(cursor, what + " rank", cursor.number<std::uint32_t>(what), 1, kMostRank));
  view.elements = 1;
  for (std::size_t d = 0; d < view.rank; ++d) {
    // The file lists the fastest dimension first, a TensorView the slowest.
    const std::size_t size = within(cursor, what + " dimension " + std::to_string(d),
                                    cursor.number<std::uint64_t>(what), 1, kMostDim);
    view.shape[view.rank - 1 - d] = size;
    if (view.elements > kMostFileBytes / size) {
      cursor.refuse(what + " has more than " + std::to_string(kMostFileBytes) + " elements");
    }
    view.elements *= size;
  }
  const auto type = cursor.number<std::uint32_t>(what);
  view.type = static_cast<TensorType>(type);
  if (view.type != TensorType::f32 && view.type != TensorType::i8) {
    cursor.refuse(what + " has type " + std::to_string(type) +
                  "; it must be 0 (float32) or 24 (int8)");
  }
  // Offsets are sums of sizes: bounded here, they fit the 32 bits of a small device too.
  const std::size_t width = view.type == TensorType::f32 ? sizeof(float) : 1;
  if (view.elements > (kMostFileBytes - expected_offset) / width) {
    cursor.refuse(what + " ends after more than " + std::to_string(kMostFileBytes) + " bytes");
  }
  tensor.size = view.elements * width;
  const auto offset = cursor.number<std::uint64_t>(what);
  if (offset != expected_offset) {
    cursor.refuse(what + " starts at offset " + std::to_string(offset) + "; it must be " +
                  std::to_string(expected_offset) + ", where the tensor before it ends");
  }
  tensor.offset = expected_offset;
  return tensor;
}

}  // namespace

void FileCursor::refuse(const std::string& sentence) const {
  throw Error(Code::model_file, path_ + ": " + sentence);
}

std::span<const std::byte> FileCursor::take(std::uint64_t count, std::string_view what) {
  if (count > bytes_.size() - at_) {
    refuse(std::string(what) + " at byte " + std::to_string(at_) + " needs " +
           std::to_string(count) + " more; the file has " + std::to_string(bytes_.size()));
  }
  const auto taken = bytes_.subspan(at_, static_cast<std::size_t>(count));
  at_ += taken.size();
  return taken;
}

template <typename T>
T FileCursor::number(std::string_view what) {
  T value;
  std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
  return value;
}

std::string_view FileCursor::string(std::string_view what) {
  const auto length = number<std::uint64_t>(what);
  if (length > kMostStringBytes) {
    refuse(std::string(what) + " is a string of " + std::to_string(length) +
           " bytes; it must have at most " + std::to_string(kMostStringBytes));
  }
  const auto bytes = take(length, what);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!is_utf8(text)) refuse(std::string(what) + " is a string that is not UTF-8");
  return text;
}

GgufHeader read_gguf_header(std::span<const std::byte> bytes, const std::string& path) {
  FileCursor cursor(bytes, path);
  if (cursor.number<std::uint32_t>("the magic number") != 0x46554747) {  // "GGUF"
    cursor.refuse("does not begin with GGUF; it is not a model file");
  }
  if (const auto version = cursor.number<std::uint32_t>("the version"); version != 3) {
    cursor.refuse("GGUF version " + std::to_string(version) +
                  "; this build reads 3, little-endian");
  }
  const auto tensors = within(cursor, "tensor count",
                              cursor.number<std::uint64_t>("the tensor count"), 1, kMostTensors);
  const auto fields =
      within(cursor, "key count", cursor.number<std::uint64_t>("the key count"), 0, kMostFields);

  GgufHeader header;
  for (std::size_t i = 0; i < fields; ++i) {
    const std::string_view key = cursor.string("a key");
    header.fields.push_back({key, read_value(cursor, quoted("key", key))});
  }
  std::size_t end = 0;
  for (std::size_t i = 0; i < tensors; ++i) {
    header.tensors.push_back(read_tensor(cursor, end));
    end = file_aligned(end + header.tensors.back().size);
  }
  header.data_start = file_aligned(cursor.at());
  return header;
}

std::vector<std::string_view> string_entries(const MetadataArray& array) {
  static const std::string checked_before;
  FileCursor cursor(array.bytes, checked_before);
  std::vector<std::string_view> entries;
  entries.reserve(array.count);
  for (std::size_t i = 0; i < array.count; ++i) entries.push_back(cursor.string("entry"));
  return entries;
}

}  // namespace geng
