#include "format/packed_weights.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <limits>
#include <span>
#include <utility>

namespace geng {
namespace {

namespace fs = std::filesystem;

// The number counts with what is packed in which form: a cache of another number is made anew.
constexpr std::string_view kMagic = "GENGPACK2\n";
constexpr std::size_t kHeaderBytes = 4096;  // a page, so that the data starts on one
// 4 GiB, or half of what a 32-bit process can address.
constexpr std::size_t kMostBytes =
    std::min<std::uint64_t>(std::uint64_t{1} << 32, std::numeric_limits<std::ptrdiff_t>::max());
constexpr std::size_t kMostFiles = 8;
constexpr std::string_view kSuffix = ".packed";
constexpr std::string_view kUnfinished = ".tmp";
constexpr std::chrono::hours kLongestWrite{1};

/// Four lanes of multiply and rotate: finds any accident of a disk at the speed of memory. Against
/// malice there is the file's owner.
class Checksum {
 public:
  void add(std::span<const std::byte> bytes) noexcept {
    std::size_t at = 0;
    for (; at + 32 <= bytes.size(); at += 32) {
      for (std::size_t i = 0; i < 4; ++i) mix(lanes_[i], bytes.data() + at + 8 * i, 8);
    }
    for (; at < bytes.size(); at += 8) {
      mix(lanes_[0], bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
    }
    count_ += bytes.size();
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    std::uint64_t all = count_;
    for (const std::uint64_t lane : lanes_) all = std::rotl((all ^ lane) * kOdd, 29);
    return all;
  }

 private:
  static constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15u;  // 2^64 over the golden ratio

  static void mix(std::uint64_t& lane, const std::byte* p, std::size_t n) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, p, n);
    lane = std::rotl((lane ^ word) * kOdd, 31);
  }

  std::array<std::uint64_t, 4> lanes_{1, 2, 3, 4};
  std::uint64_t count_ = 0;
};

/// The key as text: what a file begins with, but for sizes and sums.
std::string text_of(const PackedKey& key) {
  return std::string(kMagic) + "library " GENG_VERSION "\nmodel " + std::string(key.fingerprint) +
         "\nbytes " + std::to_string(key.model_bytes) + "\nmodified " +
         std::to_string(key.model_modified) + "\nisa " + std::string(key.isa) + "\nlayout " +
         key.layout + "\nprecision " + std::to_string(key.precision) + "\n";
}

/// The whole header of a file with this key and this data.
std::string header_of(const std::string& key, std::size_t data_bytes, const Checksum& sum) {
  std::string header =
      key + "data " + std::to_string(data_bytes) + "\nsum " + std::to_string(sum.value()) + "\n";
  header.resize(kHeaderBytes, '\0');
  return header;
}

/// A new file beside `target`, ours alone from its first byte. Gone with this object unless it has
/// taken the target's place.
class Temporary {
 public:
  explicit Temporary(const std::string& target) : target_(target) {
    // A name may be taken: by another thread, or left by a process of this number that died.
    for (int i = 0; i < kTries && file_ < 0; ++i) {
      path_ = target + "." + std::to_string(::getpid()) + "." + std::to_string(i) +
              std::string(kUnfinished);
      file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                     S_IRUSR | S_IWUSR);
    }
    made_ = file_ >= 0;
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (file_ >= 0) ::close(file_);
    if (made_) ::unlink(path_.c_str());
  }

  /// Whether all of it was written.
  bool write(std::span<const std::byte> bytes) noexcept {
    while (!bytes.empty()) {
      const ::ssize_t written = ::write(file_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
  }

  void replace_target() noexcept {
    if (::close(std::exchange(file_, -1)) != 0) return;
    made_ = std::rename(path_.c_str(), target_.c_str()) != 0;
  }

 private:
  static constexpr int kTries = 16;

  std::string target_, path_;
  int file_ = -1;
  bool made_ = false;
};

/// Removes the files that were not written for longest, all but kMostFiles, and what a start that
/// died left unfinished.
void prune(const fs::path& folder) {
  // By the clock of a board without a battery, either may be the later.
  const auto is_old = [now = fs::file_time_type::clock::now()](fs::file_time_type written) {
    return std::chrono::abs(now - written) > kLongestWrite;
  };
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!fs::is_regular_file(entry.symlink_status())) continue;
    const fs::path& path = entry.path();
    if (path.extension() == kSuffix) {
      files.emplace_back(entry.last_write_time(), path);
    } else if (path.extension() == kUnfinished &&
               path.filename().string().find(std::string(kSuffix) + ".") != std::string::npos &&
               is_old(entry.last_write_time())) {
      fs::remove(path);
    }
  }
  std::sort(files.rbegin(), files.rend());
  for (std::size_t i = kMostFiles; i < files.size(); ++i) fs::remove(files[i].second);
}

}  // namespace

PackedWeights::PackedWeights(std::string folder, const PackedKey& key)
    : folder_(std::move(folder)), header_(text_of(key)) {
  if (folder_.empty()) return;
  name_ = (fs::path(folder_) / (std::string(key.fingerprint.substr(0, 16)) + "-" +
                                std::string(key.isa) + "-" + std::to_string(key.precision)))
              .string() +
          std::string(kSuffix);
  try {
    mapping_ = MappedFile(name_, kMostBytes, Writer::only_us);
    const std::span<const std::byte> bytes = mapping_.bytes();
    if (bytes.size() < kHeaderBytes) return;
    Checksum sum;
    sum.add(bytes.subspan(kHeaderBytes));
    const std::string wanted = header_of(header_, bytes.size() - kHeaderBytes, sum);
    cached_ = std::memcmp(bytes.data(), wanted.data(), kHeaderBytes) == 0;
    next_ = cached_ ? kHeaderBytes : 0;
  } catch (const std::exception&) {
    cached_ = false;  // unreadable is as good as absent
  }
}

const std::byte* PackedWeights::next_cached(std::size_t bytes) noexcept {
  if (!cached_) return nullptr;
  const std::span<const std::byte> all = mapping_.bytes();
  const std::size_t size = aligned_size(bytes);
  if (size > all.size() - next_) {
    cached_ = false;  // shorter than what this build asks for: the rest is packed
    return nullptr;
  }
  const std::byte* block = all.data() + next_;
  next_ += size;
  return block;
}

void PackedWeights::save() const noexcept {
  if (folder_.empty() || next_ != 0 || blocks_.empty()) return;
  try {
    fs::create_directories(folder_);
    Checksum sum;
    std::size_t total = 0;
    for (const AlignedBuffer& block : blocks_) {
      sum.add({block.data(), block.size()});
      total += block.size();
    }
    {
      const std::string header = header_of(header_, total, sum);
      Temporary file(name_);
      bool whole = file.write(std::as_bytes(std::span(header)));
      for (const AlignedBuffer& block : blocks_) {
        whole = whole && file.write({block.data(), block.size()});
      }
      if (whole) file.replace_target();
    }
    prune(folder_);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
    // A start that cannot leave a cache is a start like any other.
  }
}

}  // namespace geng
