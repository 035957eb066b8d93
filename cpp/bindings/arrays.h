#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "geng/error.h"

// NumPy arrays, borrowed as they are: never copied, never converted in silence.

/// A dimension any size of which will do, in a wanted shape.
inline constexpr pybind11::ssize_t kAny = -1;

template <typename T>
constexpr const char* dtype_name() noexcept {
  return std::is_same_v<T, float> ? "float32" : "int32";
}

/// "float64 (2, 8), not C-contiguous", or the type of what is no array.
std::string described(const pybind11::object& value);

/// "(tokens, 416)", with the words of `names` for the dimensions that may be any size.
std::string wanted_shape(std::initializer_list<pybind11::ssize_t> shape,
                         std::initializer_list<const char*> names);

bool has_shape(const pybind11::array& array, std::initializer_list<pybind11::ssize_t> shape);

/// `value` as T of `shape`, or Error{invalid_argument} that says what it is instead.
template <typename T>
std::span<const T> borrow(const char* name, const pybind11::object& value,
                          std::initializer_list<pybind11::ssize_t> shape,
                          std::initializer_list<const char*> names) {
  namespace py = pybind11;
  if (py::isinstance<py::array>(value)) {
    const auto array = py::reinterpret_borrow<py::array>(value);
    const bool contiguous = (array.flags() & py::array::c_style) != 0;
    if (contiguous && array.dtype().is(py::dtype::of<T>()) && has_shape(array, shape)) {
      return {static_cast<const T*>(array.data()), static_cast<std::size_t>(array.size())};
    }
  }
  throw geng::Error(geng::Code::invalid_argument,
                    std::string(name) + " is " + described(value) + "; it must be C-contiguous " +
                        dtype_name<T>() + " " + wanted_shape(shape, names));
}
