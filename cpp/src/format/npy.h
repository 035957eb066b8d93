#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace geng {

/// A float32 matrix of an .npy file.
struct NpyMatrix {
  std::vector<float> values;  ///< [rows, cols], row-major
  std::size_t rows = 0, cols = 0;
};

/// Reads an .npy file (format 1.0 to 3.0) that holds float32 [rows, cols] in C order. Nothing in it
/// is ever executed: an array of objects, which would need unpickling, is refused.
///
/// Memory: at most kMostNpyBytes, checked against the file's size before anything is allocated.
///
/// @throws Error{invalid_argument}  It is another file, another type or shape, cut, or too large.
NpyMatrix read_npy(const std::string& path);

inline constexpr std::size_t kMostNpyBytes = std::size_t{1} << 24;

}  // namespace geng
