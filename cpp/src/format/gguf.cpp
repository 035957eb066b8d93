#include "format/gguf.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "core/sha256.h"
#include "format/gguf_header.h"
#include "format/utf8.h"
#include "geng/error.h"

namespace geng {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& sentence) {
  throw Error(Code::model_file, path + ": " + sentence);
}

std::string shape_text(std::span<const std::size_t> shape) {
  std::string text = "[";
  for (const std::size_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

/// The value of `key` as T, or a sentence that says what a reader wanted.
template <typename T>
T value_of(const std::string& path, std::span<const MetadataField> fields, std::string_view key,
           const char* wanted) {
  const auto field = std::ranges::lower_bound(fields, key, {}, &MetadataField::key);
  if (field == fields.end() || field->key != key) {
    refuse(path, "key '" + shortened(key) + "' is missing; it must be " + wanted);
  }
  const T* value = std::get_if<T>(&field->value);
  if (value == nullptr) {
    refuse(path, "key '" + shortened(key) + "' is of another type; it must be " + wanted);
  }
  return *value;
}

}  // namespace

std::span<const float> TensorView::f32() const noexcept {
  return {reinterpret_cast<const float*>(bytes.data()), elements};
}

std::span<const std::int8_t> TensorView::i8() const noexcept {
  return {reinterpret_cast<const std::int8_t*>(bytes.data()), elements};
}

ModelFile ModelFile::open(const std::string& path) {
  ModelFile file = open_unverified(path);
  file.verify();
  return file;
}

ModelFile ModelFile::open_unverified(const std::string& path) {
  ModelFile file;
  file.path_ = path;
  file.mapping_ = MappedFile(path, kMostFileBytes);
  file.read(file.mapping_.bytes());
  return file;
}

ModelFile ModelFile::from_bytes(std::span<const std::byte> bytes, std::string name) {
  ModelFile file;
  file.path_ = std::move(name);
  if (bytes.size() > kMostFileBytes) {
    refuse(file.path_, "has " + std::to_string(bytes.size()) + " bytes; it must have at most " +
                           std::to_string(kMostFileBytes));
  }
  file.read(bytes);
  file.verify();
  return file;
}

void ModelFile::read(std::span<const std::byte> bytes) {
  bytes_ = bytes;
  GgufHeader header = read_gguf_header(bytes, path_);
  place_tensors(header);
  index_names(std::move(header.fields));
  if (has("general.alignment") && u32("general.alignment") != kFileAlignment) {
    refuse(path_, "general.alignment is " + std::to_string(u32("general.alignment")) +
                      "; it must be " + std::to_string(kFileAlignment));
  }
  data_start_ = header.data_start;
  fingerprint_ = string("geng.sha256");
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (fingerprint_.size() != 64 || !std::ranges::all_of(fingerprint_, is_hex)) {
    refuse(path_, "geng.sha256 is '" + shortened(fingerprint_) +
                      "'; it must be 64 lower-case hexadecimal digits");
  }
}

void ModelFile::verify() const {
  const std::string found = sha256_hex(bytes_.subspan(data_start_));
  if (found != fingerprint_) {
    refuse(path_, "tensor data has sha256 " + found + "; geng.sha256 says " + fingerprint_ +
                      ". The file was damaged or changed");
  }
}

/// Gives every declared tensor its bytes; the last must end where the file does.
void ModelFile::place_tensors(const GgufHeader& header) {
  std::size_t end = header.data_start;
  for (const DeclaredTensor& declared : header.tensors) {
    end = header.data_start + declared.offset + declared.size;
    if (end > bytes_.size()) {
      refuse(path_, "tensor '" + shortened(declared.view.name) + "' ends at byte " +
                        std::to_string(end) + "; the file has " + std::to_string(bytes_.size()));
    }
    tensors_.push_back(declared.view);
    tensors_.back().bytes = bytes_.subspan(header.data_start + declared.offset, declared.size);
  }
  if (bytes_.size() != end && bytes_.size() != file_aligned(end)) {
    refuse(path_, "the file has " + std::to_string(bytes_.size()) +
                      " bytes; its last tensor ends at byte " + std::to_string(end));
  }
}

/// Sorts keys and names for look-up, and refuses any that stands twice.
void ModelFile::index_names(std::vector<MetadataField> fields) {
  fields_ = std::move(fields);
  std::ranges::sort(fields_, {}, &MetadataField::key);
  const auto twin = std::ranges::adjacent_find(fields_, {}, &MetadataField::key);
  if (twin != fields_.end()) {
    refuse(path_, "key '" + shortened(twin->key) + "' stands twice");
  }
  const auto name = [this](std::uint32_t i) { return tensors_[i].name; };
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  std::ranges::sort(by_name_, {}, name);
  const auto same = std::ranges::adjacent_find(by_name_, {}, name);
  if (same != by_name_.end()) {
    refuse(path_, "tensor '" + shortened(name(*same)) + "' stands twice");
  }
}

bool ModelFile::has(std::string_view key) const noexcept {
  return std::ranges::binary_search(fields_, key, {}, &MetadataField::key);
}

std::uint32_t ModelFile::u32(std::string_view key) const {
  const auto value = value_of<std::uint64_t>(path_, fields_, key, "an unsigned integer");
  if (value > std::numeric_limits<std::uint32_t>::max()) {
    refuse(path_,
           "key '" + shortened(key) + "' is " + std::to_string(value) + "; it must be below 2^32");
  }
  return static_cast<std::uint32_t>(value);
}

float ModelFile::f32(std::string_view key) const {
  return static_cast<float>(value_of<double>(path_, fields_, key, "a floating-point number"));
}

std::string_view ModelFile::string(std::string_view key) const {
  return value_of<std::string_view>(path_, fields_, key, "a string");
}

std::vector<std::string_view> ModelFile::strings(std::string_view key) const {
  const auto array = value_of<MetadataArray>(path_, fields_, key, "an array of strings");
  if (!array.holds_strings()) {
    refuse(path_,
           "key '" + shortened(key) + "' is an array of numbers; it must be an array of strings");
  }
  return string_entries(array);
}

const TensorView* ModelFile::find_tensor(std::string_view name) const noexcept {
  const auto name_of = [this](std::uint32_t i) { return tensors_[i].name; };
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of);
  return found != by_name_.end() && name_of(*found) == name ? &tensors_[*found] : nullptr;
}

const TensorView& ModelFile::tensor(std::string_view name) const {
  const TensorView* found = find_tensor(name);
  if (found == nullptr) refuse(path_, "tensor '" + shortened(name) + "' is missing");
  return *found;
}

std::span<const float> ModelFile::f32_tensor(std::string_view name,
                                             std::span<const std::size_t> shape) const {
  const TensorView& found = tensor(name);
  const bool fits = found.type == TensorType::f32 && std::ranges::equal(found.dims(), shape);
  if (!fits) {
    refuse(path_, "tensor '" + shortened(name) + "' is " + describe(found) +
                      "; it must be float32 " + shape_text(shape));
  }
  return found.f32();
}

std::string describe(const TensorView& tensor) {
  return (tensor.type == TensorType::f32 ? "float32 " : "int8 ") + shape_text(tensor.dims());
}

}  // namespace geng
