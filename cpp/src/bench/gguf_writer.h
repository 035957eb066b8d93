#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/sha256.h"

/// Writes GGUF files in memory: random models, and for tests any part of a file wrong.
namespace geng::gguf {

template <typename T>
std::string raw(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}
inline std::string text(const std::string& s) { return raw(std::uint64_t{s.size()}) + s; }

// Values as they stand in a file: type, then payload.
inline std::string u32(std::uint32_t v) { return raw(std::uint32_t{4}) + raw(v); }
inline std::string f32(float v) { return raw(std::uint32_t{6}) + raw(v); }
inline std::string string(const std::string& s) { return raw(std::uint32_t{8}) + text(s); }
inline std::string array(std::uint32_t type, std::uint64_t count, const std::string& payload) {
  return raw(std::uint32_t{9}) + raw(type) + raw(count) + payload;
}
inline std::string strings(const std::vector<std::string>& all) {
  std::string payload;
  for (const std::string& s : all) payload += text(s);
  return array(8, all.size(), payload);
}

struct Tensor {
  std::string name;
  std::vector<std::uint64_t> ne;  ///< Fastest first, as in the file.
  std::uint32_t type = 0;
  std::string data;
  std::optional<std::uint64_t> offset;  ///< What the file says; right when not set.
};

/// float32 of this row-major shape, all `value`.
inline Tensor f32_tensor(std::string name, const std::vector<std::uint64_t>& shape,
                         float value = 0.5f) {
  Tensor tensor{std::move(name), {shape.rbegin(), shape.rend()}, 0, "", {}};
  std::uint64_t count = 1;
  for (const std::uint64_t size : shape) count *= size;
  for (std::uint64_t i = 0; i < count; ++i) tensor.data += raw(value);
  return tensor;
}
inline Tensor i8_tensor(std::string name, const std::vector<std::uint64_t>& shape, char value = 3) {
  Tensor tensor{std::move(name), {shape.rbegin(), shape.rend()}, 24, "", {}};
  std::uint64_t count = 1;
  for (const std::uint64_t size : shape) count *= size;
  tensor.data.assign(static_cast<std::size_t>(count), value);
  return tensor;
}

/// A file's bytes where a mapping would put them: aligned.
class Image {
 public:
  explicit Image(const std::string& bytes) : buffer_(bytes.size()), size_(bytes.size()) {
    if (size_ != 0) std::memcpy(buffer_.data(), bytes.data(), size_);
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {buffer_.data(), size_}; }

 private:
  AlignedBuffer buffer_;
  std::size_t size_;
};

struct File {
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::vector<std::pair<std::string, std::string>> fields;  ///< Key, value.
  std::vector<Tensor> tensors;
  std::optional<std::uint64_t> tensor_count, field_count;
  std::optional<std::string> sum;  ///< geng.sha256; right when not set, absent when empty.
  std::string trailing;

  [[nodiscard]] std::string build() const {
    const auto aligned = [](std::size_t n) { return (n + 31) / 32 * 32; };
    std::string data;
    std::string infos;
    for (const Tensor& tensor : tensors) {
      infos += text(tensor.name) + raw(static_cast<std::uint32_t>(tensor.ne.size()));
      for (const std::uint64_t n : tensor.ne) infos += raw(n);
      infos += raw(tensor.type) + raw(tensor.offset.value_or(data.size()));
      data += tensor.data;
      data.resize(aligned(data.size()), '\0');
    }
    data += trailing;
    const std::string right = sha256_hex(std::as_bytes(std::span(data)));
    const bool summed = !sum || !sum->empty();
    std::string header = magic + raw(version) + raw(tensor_count.value_or(tensors.size())) +
                         raw(field_count.value_or(fields.size() + (summed ? 1 : 0)));
    for (const auto& [key, value] : fields) header += text(key) + value;
    if (summed) header += text("geng.sha256") + string(sum.value_or(right));
    header += infos;
    header.resize(aligned(header.size()), '\0');
    return header + data;
  }
};

/// Two tensors and a value of each kind: small enough to cut at every byte.
inline File tiny() {
  File file;
  file.fields = {{"general.name", string("tiny")},
                 {"number", u32(7)},
                 {"real", f32(0.25f)},
                 {"flag", raw(std::uint32_t{7}) + raw(std::uint8_t{1})},
                 {"words", strings({"a", "bc", ""})},
                 {"list", array(4, 2, raw(std::uint32_t{1}) + raw(std::uint32_t{2}))}};
  file.tensors = {f32_tensor("first", {2, 3}), i8_tensor("second", {5})};
  return file;
}

}  // namespace geng::gguf
