#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace geng {

/// What a draw is for. Streams of one seed never share a number.
enum class NoiseStream : std::uint32_t { initial_latent = 0, solver = 1, decoder = 2 };

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
/// a pure function from a 128-bit counter and a 64-bit key to four random words.
std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key) noexcept;

/// Fills `out` with N(0, 1): out[i] is draw `i` of (seed, stream, step), whatever the other draws.
///
/// Cost: one log, one square root, one sine and one cosine in float64 for two values.
///
/// @param seed  Of this sample (request seed + its row).
/// @param step  Step index for the solver stream, 0 elsewhere.
void fill_normal(std::uint64_t seed, NoiseStream stream, std::uint32_t step,
                 std::span<float> out) noexcept;

}  // namespace geng
