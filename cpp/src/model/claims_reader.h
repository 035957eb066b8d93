#pragma once

#include <vector>

#include "model/condition_view.h"
#include "model/linear.h"

namespace geng {

/// Reads what a description states off its condition: one score for every answer of every field.
///
/// A projection of each token, mean and maximum over the tokens, and a linear layer. Which fields
/// and answers there are is metadata of the model ("geng.claims"), not knowledge of the core.
class ClaimsReader {
 public:
  static bool is_in(const ModelFile& file);
  explicit ClaimsReader(const WeightReader& weights);

  [[nodiscard]] std::vector<float> read(const Compute& compute,
                                        const ConditionView& condition) const;

 private:
  Linear up_, down_;
};

}  // namespace geng
