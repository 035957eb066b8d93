#include "model/claims_reader.h"

#include <algorithm>

namespace geng {

bool ClaimsReader::is_in(const ModelFile& file) { return file.has("geng.claims"); }

ClaimsReader::ClaimsReader(const WeightReader& weights)
    : up_(weights.exact("claims.up")), down_(weights.exact("claims.down")) {}

std::vector<float> ClaimsReader::read(const Compute& compute,
                                      const ConditionView& condition) const {
  const std::size_t tokens = condition.tokens();
  const std::size_t width = up_.outputs();
  std::vector<float> bounded(condition.values.size());
  condition.copy_bounded(bounded);
  std::vector<float> rows(tokens * width);
  up_.apply_once(compute, bounded, cpu::Epilogue::gelu_tanh, rows);

  std::vector<float> pooled(2 * width);
  for (std::size_t j = 0; j < width; ++j) {
    double sum = 0.0;
    float most = rows[j];
    for (std::size_t i = 0; i < tokens; ++i) {
      sum += rows[i * width + j];
      most = std::max(most, rows[i * width + j]);
    }
    pooled[j] = static_cast<float>(sum / static_cast<double>(tokens));
    pooled[width + j] = most;
  }
  std::vector<float> scores(down_.outputs());
  down_.apply_once(compute, pooled, cpu::Epilogue::none, scores);
  return scores;
}

}  // namespace geng
