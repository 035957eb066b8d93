#pragma once

#include "model/condition_view.h"
#include "model/frame.h"
#include "model/linear.h"

namespace geng {

/// Finds which number of a description plays which role: a copy head (pointer network, Vinyals
/// et al. 2015) over each token of the condition and its neighbours, so that a stated limit
/// reaches the series exactly.
class NumberReader {
 public:
  explicit NumberReader(const WeightReader& weights);

  /// Every number of the text takes at most one role, and every role at most one number.
  [[nodiscard]] Roles read(const Compute& compute, const ConditionView& condition) const;

 private:
  Linear up_, mix_, down_;
};

}  // namespace geng
