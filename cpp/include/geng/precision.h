#pragma once

#include <cstdint>

namespace geng {

/// What the large matrices of a model are multiplied in.
enum class Precision : std::uint8_t {
  int8,     ///< A quarter of the memory; a float32 file is quantised as it is loaded.
  float32,  ///< An int8 file is widened as it is loaded.
};

}  // namespace geng
