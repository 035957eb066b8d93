#include "model/least_squares.h"

#include <algorithm>
#include <cmath>

namespace geng {

LeastSquares::LeastSquares(std::size_t unknowns)
    : unknowns_(unknowns), gram_(unknowns * unknowns), aims_(unknowns), weights_(unknowns) {}

void LeastSquares::add(std::span<const double> row, double aim) noexcept {
  for (std::size_t i = 0; i < unknowns_; ++i) {
    double* const gram = gram_.data() + i * unknowns_;
    for (std::size_t j = 0; j <= i; ++j) gram[j] += row[i] * row[j];
    aims_[i] += row[i] * aim;
  }
  total_ += aim * aim;
}

double LeastSquares::solve(double ridge) noexcept {
  const std::size_t n = unknowns_;
  // L L^T = gram + ridge I, in place of gram's lower half.
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = gram_[i * n + j] + (i == j ? ridge : 0.0);
      for (std::size_t k = 0; k < j; ++k) sum -= gram_[i * n + k] * gram_[j * n + k];
      gram_[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-300)) : sum / gram_[j * n + j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    double sum = aims_[i];
    for (std::size_t k = 0; k < i; ++k) sum -= gram_[i * n + k] * weights_[k];
    weights_[i] = sum / gram_[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    double sum = weights_[i];
    for (std::size_t k = i + 1; k < n; ++k) sum -= gram_[k * n + i] * weights_[k];
    weights_[i] = sum / gram_[i * n + i];
  }
  double explained = 0.0;
  for (std::size_t i = 0; i < n; ++i) explained += weights_[i] * aims_[i];
  return total_ - explained;
}

}  // namespace geng
