#include "core/aligned_buffer.h"

#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "geng/error.h"

namespace geng {

AlignedBuffer::AlignedBuffer(std::size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  void* block = ::operator new(bytes, std::align_val_t{kAlignment}, std::nothrow);
  if (block == nullptr) {
    throw Error(Code::out_of_memory,
                "a block of " + std::to_string(bytes) + " bytes could not be allocated");
  }
  data_ = static_cast<std::byte*>(std::memset(block, 0, bytes));
}

AlignedBuffer::AlignedBuffer(AlignedBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

AlignedBuffer::~AlignedBuffer() { ::operator delete(data_, std::align_val_t{kAlignment}); }

}  // namespace geng
