#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/philox.h"

// usage: fuzz_NAME MUTATIONS FILE_OR_FOLDER...
// Stands in for libFuzzer where the compiler has none: runs a fuzz target on every file given, then
// on MUTATIONS spoilt copies of each, the same ones every time.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

void run(const Bytes& bytes) { LLVMFuzzerTestOneInput(bytes.data(), bytes.size()); }

/// Overwrites up to four bytes, half the time with values that borders are made of; sometimes cuts.
Bytes spoilt(Bytes bytes, std::uint32_t number) {
  constexpr std::uint8_t borders[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x18, 0x20, 0x40};
  const auto words = geng::philox4x32_10({number, 0, 0, 0}, {1, 2});
  const auto more = geng::philox4x32_10({number, 1, 0, 0}, {1, 2});
  for (std::size_t i = 0; i <= (more[0] & 3); ++i) {
    const std::uint32_t value = more[1] >> (8 * i) & 0xff;
    bytes[words[i] % bytes.size()] =
        (value & 1) != 0 ? borders[value >> 1 & 7] : static_cast<std::uint8_t>(value);
  }
  if ((more[2] & 7) == 0) bytes.resize(more[3] % bytes.size());
  return bytes;
}

void replay(const std::filesystem::path& path, std::uint32_t mutations) {
  std::ifstream file(path, std::ios::binary);
  const Bytes bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  run(bytes);
  for (std::uint32_t i = 0; i < mutations && !bytes.empty(); ++i) run(spoilt(bytes, i));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s MUTATIONS FILE_OR_FOLDER...\n", argv[0]);
    return 2;
  }
  const auto mutations = static_cast<std::uint32_t>(std::strtoul(argv[1], nullptr, 10));
  int files = 0;
  for (int i = 2; i < argc; ++i) {
    if (std::filesystem::is_regular_file(argv[i])) {
      replay(argv[i], mutations);
      ++files;
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      replay(entry.path(), mutations);
      ++files;
    }
  }
  std::printf("%d files, each whole and %u times spoilt\n", files, mutations);
  return files > 0 ? 0 : 1;
}
