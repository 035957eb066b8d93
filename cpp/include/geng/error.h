#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace geng {

/// What kind of thing went wrong. The values are part of the C ABI and never change.
enum class Code : std::uint8_t {
  invalid_argument = 1,  ///< The caller asked for something this model cannot do.
  model_file = 2,        ///< The file is not whole, or not ours.
  not_finite = 3,        ///< A NaN or an infinity came out of the model.
  cancelled = 4,         ///< A progress callback returned false.
  out_of_memory = 5,     ///< A block could not be had, or an arena was cut too small.
  internal = 6,          ///< A bug of ours.
};

/// The one exception this library throws.
///
/// `what()` is a sentence in the grammar "X is V; it must be R", without a trailing dot.
class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}

  [[nodiscard]] Code code() const noexcept { return code_; }

 private:
  Code code_;
};

}  // namespace geng
