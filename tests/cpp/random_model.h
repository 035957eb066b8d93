#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "bench/random_model.h"
#include "core/philox.h"

// A whole model of random weights in a temporary file, and conditions for it.
namespace geng::random_model {

/// A file that is removed with this object.
class TempFile {
 public:
  explicit TempFile(const std::string& bytes) {
    const char* folder = std::getenv("TMPDIR");
    path_ = std::string(folder != nullptr ? folder : "/tmp") + "/geng-test-XXXXXX";
    const int descriptor = mkstemp(path_.data());
    if (descriptor >= 0) close(descriptor);
    std::ofstream(path_, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() { std::remove(path_.c_str()); }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline TempFile temporary(const Sizes& sizes = {}) { return TempFile(bytes(sizes)); }

/// A condition of random words; row i carries numbers[i] as a number where there is one.
inline std::vector<float> condition(std::size_t tokens, std::size_t hidden,
                                    const std::vector<float>& numbers = {}) {
  const std::size_t width = hidden + 32;
  std::vector<float> rows(tokens * width);
  fill_normal(99, NoiseStream::initial_latent, 0, rows);
  for (std::size_t i = 0; i < tokens; ++i) {
    float* number = rows.data() + i * width + hidden;
    std::memset(number, 0, 32 * sizeof(float));
    if (i < numbers.size()) number[0] = 1.0f, number[30] = numbers[i];
  }
  return rows;
}

}  // namespace geng::random_model
