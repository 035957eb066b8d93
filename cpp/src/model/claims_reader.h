#pragma once

#include <cstddef>
#include <vector>

#include "model/condition_view.h"
#include "model/linear.h"

namespace geng {

/// Reads what a description states off its condition: one score for every answer of every field.
///
/// A projection of each token, mean and maximum over the tokens, and a linear layer. Which fields
/// and answers there are is metadata of the model ("geng.claims"), not knowledge of the core; to
/// which field each score belongs is told by "geng.claims.fields", where the bridge is told them.
class ClaimsReader {
 public:
  static bool is_in(const ModelFile& file);
  explicit ClaimsReader(const WeightReader& weights);

  [[nodiscard]] std::vector<float> read(const Compute& compute,
                                        const ConditionView& condition) const;
  /// How sure each answer is: a softmax of the scores within every field. Empty where the model
  /// does not say which field a score belongs to.
  [[nodiscard]] std::vector<float> shares(const Compute& compute,
                                          const ConditionView& condition) const;

 private:
  Linear up_, down_;
  std::vector<std::size_t> sizes_;  ///< Answers of each field.
};

}  // namespace geng
