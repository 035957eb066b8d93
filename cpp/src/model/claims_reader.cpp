#include "model/claims_reader.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>

namespace geng {
namespace {

constexpr std::string_view kFields = "geng.claims.fields";

/// How many neighbours name the same field, field by field.
std::vector<std::size_t> sizes_of(const std::vector<std::string_view>& fields) {
  std::vector<std::size_t> sizes;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i == 0 || fields[i] != fields[i - 1]) sizes.push_back(0);
    ++sizes.back();
  }
  return sizes;
}

void softmax(std::span<float> scores) {
  const float most = *std::ranges::max_element(scores);
  double sum = 0.0;
  for (float& score : scores) {
    score = std::exp(score - most);
    sum += score;
  }
  for (float& score : scores) score = static_cast<float>(score / sum);
}

}  // namespace

bool ClaimsReader::is_in(const ModelFile& file) { return file.has("geng.claims"); }

ClaimsReader::ClaimsReader(const WeightReader& weights)
    : up_(weights.exact("claims.up")), down_(weights.exact("claims.down")) {
  if (weights.file.has(kFields)) sizes_ = sizes_of(weights.file.strings(kFields));
}

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

std::vector<float> ClaimsReader::shares(const Compute& compute,
                                        const ConditionView& condition) const {
  if (sizes_.empty()) return {};
  std::vector<float> scores = read(compute, condition);
  std::size_t first = 0;
  for (const std::size_t size : sizes_) {
    softmax(std::span(scores).subspan(first, size));
    first += size;
  }
  return scores;
}

}  // namespace geng
