#include "format/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>
#include <string_view>

#include "format/mapped_file.h"
#include "geng/error.h"

namespace geng {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Error(Code::invalid_argument, path + ": " + why);
}

/// What stands behind `key` in the header's dictionary, up to the comma or bracket that ends it.
std::string_view value_of(const std::string& path, std::string_view header, std::string_view key) {
  const std::size_t at = header.find(key);
  if (at == std::string_view::npos) {
    refuse(path, "its header has no " + std::string(key) + "; it must be that of an array");
  }
  std::string_view rest = header.substr(at + key.size());
  const std::size_t start = rest.find_first_not_of(" :");
  if (start == std::string_view::npos) refuse(path, "its header is cut; it must be whole");
  rest = rest.substr(start);
  const std::size_t end = rest.front() == '(' ? rest.find(')') : rest.find_first_of(",}");
  if (end == std::string_view::npos) refuse(path, "its header is cut; it must be whole");
  return rest.substr(0, end);
}

/// The two sizes of "(rows, cols" or "(rows, cols,".
std::array<std::size_t, 2> shape_of(const std::string& path, std::string_view text) {
  std::array<std::size_t, 2> shape{};
  std::size_t count = 0;
  while (true) {
    const std::size_t digit = text.find_first_not_of("( ,");
    if (digit == std::string_view::npos) break;
    text = text.substr(digit);
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || count == 2) break;
    shape[count++] = size;
    text = text.substr(static_cast<std::size_t>(end - text.data()));
  }
  if (count != 2 || text.find_first_not_of("( ,") != std::string_view::npos) {
    refuse(path, "its shape is not [rows, columns]; it must be that");
  }
  return shape;
}

/// The header's dictionary; the data begin where it ends.
std::string_view header_of(const std::string& path, std::span<const std::byte> bytes) {
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  if (bytes.size() < 12 || std::string_view(text, kMagic.size()) != kMagic) {
    refuse(path, "does not begin as an .npy file; it must be one");
  }
  const auto major = std::to_integer<unsigned>(bytes[6]);
  if (major < 1 || major > 3) refuse(path, "is of another .npy version; it must be 1.0 to 3.0");
  const std::size_t start = major == 1 ? 10 : 12;
  std::size_t length = 0;
  for (std::size_t i = 8; i < start; ++i) {
    length |= std::to_integer<std::size_t>(bytes[i]) << (8 * (i - 8));
  }
  if (length > bytes.size() - start) refuse(path, "its header is cut; it must be whole");
  return {text + start, length};
}

}  // namespace

NpyMatrix read_npy(const std::string& path) {
  MappedFile file;
  try {
    file = MappedFile(path, kMostNpyBytes);
  } catch (const Error& error) {
    throw Error(Code::invalid_argument, error.what());
  }
  const std::span<const std::byte> bytes = file.bytes();
  const std::string_view header = header_of(path, bytes);
  const std::string_view type = value_of(path, header, "'descr'");
  if (type != "'<f4'") {
    refuse(path, "holds " + std::string(type.substr(0, 32)) + "; it must hold '<f4' (float32)");
  }
  if (value_of(path, header, "'fortran_order'") != "False") {
    refuse(path, "is in Fortran order; it must be in C order");
  }
  const auto [rows, cols] = shape_of(path, value_of(path, header, "'shape'"));
  const auto* data = reinterpret_cast<const std::byte*>(header.data() + header.size());
  const auto size = static_cast<std::size_t>(bytes.data() + bytes.size() - data);
  const bool fits = rows != 0 && cols != 0 && rows <= kMostNpyBytes && cols <= kMostNpyBytes &&
                    size % (rows * sizeof(float)) == 0 && size / (rows * sizeof(float)) == cols;
  if (!fits) {
    refuse(path, "has " + std::to_string(size) + " bytes of data; it must be what its shape says");
  }
  NpyMatrix matrix{std::vector<float>(rows * cols), rows, cols};
  std::memcpy(matrix.values.data(), data, size);
  return matrix;
}

}  // namespace geng
