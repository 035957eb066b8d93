#pragma once

#include <span>

#include "model/frame.h"
#include "model/latent_layout.h"

namespace geng {

// A *structure* [tokens, width] is laid out like a latent, but its level token holds range, low,
// mean share and log noise, its season tokens the period in steps and its events the position as a
// share of the window: numbers that mean the same in every frame.

/// Structure -> raw latent in `frame`, in place.
void to_coordinates(const LatentLayout& layout, const Frame& frame,
                    std::span<double> structure) noexcept;

/// Raw latent in `frame` -> structure, in place; with the range and low that level_of() reads.
void to_structure(const LatentLayout& layout, const Frame& frame, std::span<double> raw) noexcept;

/// Puts what the numbers of a text pin down in place of what an example has.
void obey(const LatentLayout& layout, const Frame& frame, std::span<double> structure) noexcept;

}  // namespace geng
