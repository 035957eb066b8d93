#include "model/latent_layout.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "format/gguf.h"
#include "geng/error.h"

namespace geng {

LatentLayout LatentLayout::of(const ModelFile& file) {
  LatentLayout layout;
  layout.tokens = file.u32("geng.bridge.tokens");
  layout.width = file.u32("geng.bridge.width");
  layout.harmonics = file.u32("geng.decoder.harmonics");
  layout.trend = file.u32("geng.decoder.trend");
  layout.residual_per_token = file.u32("geng.decoder.residual_per_token");
  layout.residual_total = file.u32("geng.decoder.residual_total");
  const std::uint64_t residual_tokens = file.u32("geng.decoder.residual_tokens");
  // In 64 bits: any of the file's numbers would wrap in 32.
  const auto columns =
      std::max<std::uint64_t>({kEnvelope + kEnvelopeKnots, kEventsPerSeries * kEventWidth,
                               kHarmonics + 2 * std::uint64_t{layout.harmonics} - 1,
                               std::uint64_t{layout.trend} + 1, layout.residual_per_token});
  const bool fits = layout.harmonics >= 1 && layout.width >= columns &&
                    layout.tokens == kResidual + residual_tokens &&
                    layout.residual_total <= residual_tokens * layout.residual_per_token;
  if (!fits) {
    throw Error(Code::model_file, file.path() + ": the latent is " + std::to_string(layout.tokens) +
                                      " x " + std::to_string(layout.width) +
                                      "; it must hold what geng.decoder.* declares");
  }
  return layout;
}

}  // namespace geng
