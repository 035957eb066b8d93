#include "core/arena.h"

#include <limits>
#include <string>

#include "geng/error.h"

namespace geng {

std::byte* Arena::take_bytes(std::size_t count, std::size_t item) {
  const std::size_t left = block_.size() - used_;
  const bool countable = count <= (std::numeric_limits<std::size_t>::max() - kAlignment) / item;
  if (!countable || aligned_size(count * item) > left) {
    throw Error(Code::out_of_memory, "arena has " + std::to_string(left) + " of " +
                                         std::to_string(block_.size()) + " bytes left; " +
                                         std::to_string(count) + " values of " +
                                         std::to_string(item) + " bytes were asked for");
  }
  std::byte* piece = block_.data() + used_;
  used_ += aligned_size(count * item);
  return piece;
}

}  // namespace geng
