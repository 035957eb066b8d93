#include "format/utf8.h"

#include <cstddef>
#include <cstdint>

namespace geng {
namespace {

/// Bytes of the character that `lead` begins; 0 when nothing begins with it.
std::size_t length_of(std::uint8_t lead) noexcept {
  if (lead < 0x80) return 1;
  if (lead >> 5 == 6) return 2;
  if (lead >> 4 == 14) return 3;
  return lead >> 3 == 30 ? 4 : 0;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i]);
    const std::size_t length = length_of(lead);
    if (length == 0 || text.size() - i < length) return false;
    std::uint32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
    for (std::size_t j = 1; j < length; ++j) {
      const auto next = static_cast<std::uint8_t>(text[i + j]);
      if (next >> 6 != 2) return false;
      code = code << 6 | (next & 0x3Fu);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < least[length] || surrogate || code > 0x10FFFF) return false;
    i += length;
  }
  return true;
}

std::string shortened(std::string_view name) {
  constexpr std::size_t most = 64;
  if (name.size() <= most) return std::string(name);
  std::size_t end = most;
  while (end > 0 && static_cast<std::uint8_t>(name[end]) >> 6 == 2) --end;
  return std::string(name.substr(0, end)) + "...";
}

}  // namespace geng
