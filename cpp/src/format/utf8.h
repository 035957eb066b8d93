#pragma once

#include <string>
#include <string_view>

namespace geng {

/// True when `text` is well-formed UTF-8 (RFC 3629: shortest form, no surrogates, up to U+10FFFF).
bool is_utf8(std::string_view text) noexcept;

/// `name` as it stands in a sentence: a hostile file's may be a megabyte long, a sentence is not.
/// Cut between characters.
std::string shortened(std::string_view name);

}  // namespace geng
