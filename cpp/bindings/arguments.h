#pragma once

#include <pybind11/numpy.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "geng/generator.h"

// Arguments that more than one page of the module takes.

using Array = pybind11::array_t<float>;

/// A Python int as a size; a negative one is refused as the core refuses a large one.
std::size_t size_of(const char* name, pybind11::ssize_t value);

/// A Python int as a seed.
///
/// @throws Error{invalid_argument}  It is negative, or has more than 64 bits.
std::uint64_t seed_of(const pybind11::int_& seed);

/// All of an array that is ours to fill.
std::span<float> values_of(Array& array);

/// A condition of this model: float32 [tokens, width].
std::span<const float> borrow_condition(const geng::Generator& self,
                                        const pybind11::object& condition);
