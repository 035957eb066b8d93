#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace geng {

/// SHA-256 (FIPS 180-4) of `bytes`.
std::array<std::uint8_t, 32> sha256(std::span<const std::byte> bytes) noexcept;

/// The same as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace geng
