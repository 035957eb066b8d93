#include "format/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "geng/error.h"

namespace geng {
namespace {

/// Closes on every way out.
struct Descriptor {
  int number;
  // Without O_NONBLOCK a FIFO is waited on for ever.
  Descriptor(const std::string& path, int flags)
      : number(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Error(Code::model_file, path + ": " + why);
}

}  // namespace

MappedFile::MappedFile(const std::string& path, std::size_t limit, Writer writer) {
  const Descriptor file(path, writer == Writer::only_us ? O_NOFOLLOW : 0);
  struct stat about{};
  if (file.number < 0 || ::fstat(file.number, &about) != 0) {
    refuse(path, std::string("cannot be opened: ") + std::strerror(errno));
  }
  if (!S_ISREG(about.st_mode)) refuse(path, "is not a regular file");
  const bool ours = about.st_uid == ::geteuid() && (about.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  if (writer == Writer::only_us && !ours) refuse(path, "may be written by others");
  if (about.st_size <= 0) refuse(path, "is empty");
  const auto size = static_cast<std::size_t>(about.st_size);
  if (size > limit) {
    refuse(path,
           "has " + std::to_string(size) + " bytes; it must have at most " + std::to_string(limit));
  }
  const void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (address == MAP_FAILED) refuse(path, std::string("cannot be mapped: ") + std::strerror(errno));
  bytes_ = {static_cast<const std::byte*>(address), size};
  modified_ = std::int64_t{about.st_mtim.tv_sec} * 1'000'000'000 + about.st_mtim.tv_nsec;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})), modified_(other.modified_) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(modified_, other.modified_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace geng
