#include "core/philox.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace geng {
namespace {

struct Product {
  std::uint32_t high, low;
};

Product multiply(std::uint32_t a, std::uint32_t b) noexcept {
  const std::uint64_t product = std::uint64_t{a} * b;
  return {static_cast<std::uint32_t>(product >> 32), static_cast<std::uint32_t>(product)};
}

/// The middle of the word's slot of the unit interval: never 0, never 1.
double unit(std::uint32_t word) noexcept { return (word + 0.5) / 4294967296.0; }

/// Box-Muller: two uniforms to two independent normals.
std::array<float, 2> normal_pair(std::uint32_t a, std::uint32_t b) noexcept {
  const double radius = std::sqrt(-2.0 * std::log(unit(a)));
  const double angle = 2.0 * std::numbers::pi * unit(b);
  return {static_cast<float>(radius * std::cos(angle)),
          static_cast<float>(radius * std::sin(angle))};
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key) noexcept {
  // Multipliers M_0, M_1 and the Weyl increments of the key, as published.
  constexpr std::uint32_t m0 = 0xD2511F53, m1 = 0xCD9E8D57;
  constexpr std::uint32_t w0 = 0x9E3779B9, w1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const Product p0 = multiply(m0, counter[0]);
    const Product p1 = multiply(m1, counter[2]);
    counter = {p1.high ^ counter[1] ^ key[0], p1.low, p0.high ^ counter[3] ^ key[1], p0.low};
    key = {key[0] + w0, key[1] + w1};
  }
  return counter;
}

void fill_normal(std::uint64_t seed, NoiseStream stream, std::uint32_t step,
                 std::span<float> out) noexcept {
  const std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(seed),
                                            static_cast<std::uint32_t>(seed >> 32)};
  for (std::size_t i = 0; i < out.size(); i += 4) {
    const auto words = philox4x32_10(
        {static_cast<std::uint32_t>(i / 4), static_cast<std::uint32_t>(stream), step, 0}, key);
    const auto first = normal_pair(words[0], words[1]);
    const auto second = normal_pair(words[2], words[3]);
    const std::array<float, 4> four = {first[0], first[1], second[0], second[1]};
    std::copy_n(four.begin(), std::min<std::size_t>(4, out.size() - i),
                out.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

}  // namespace geng
