#include "model/condition_view.h"

#include <algorithm>

namespace geng {

void ConditionView::copy_bounded(std::span<float> out) const noexcept {
  std::copy(values.begin(), values.end(), out.begin());
  for (std::size_t token = 0; token < tokens(); ++token) {
    float* numbers = out.data() + token * width() + text_width;
    for (const auto column : {NumberColumn::sway, NumberColumn::recurs, NumberColumn::raw_value,
                              NumberColumn::raw_steps}) {
      numbers[static_cast<std::size_t>(column)] = 0.0f;
    }
  }
}

}  // namespace geng
