#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "core/aligned_buffer.h"
#include "format/gguf.h"
#include "format/model_layout.h"
#include "geng/error.h"
#include "model/certain_claims.h"
#include "model/latent_layout.h"

// Any bytes at all: the reader takes them or throws Error{model_file}. Nothing else may happen.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const geng::AlignedBuffer image(size);
  if (size != 0) std::memcpy(image.data(), data, size);
  try {
    const geng::ModelFile file = geng::ModelFile::from_bytes({image.data(), size}, "fuzz");
    for (const geng::TensorView& tensor : file.tensors()) {
      if (file.find_tensor(tensor.name) != &tensor) std::abort();
    }
    geng::check_layout(file);
    static_cast<void>(geng::LatentLayout::of(file));
    static_cast<void>(geng::ClaimScores::of(file));
  } catch (const geng::Error& error) {
    if (error.code() != geng::Code::model_file) std::abort();
  }
  return 0;
}
