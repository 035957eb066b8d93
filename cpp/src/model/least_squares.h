#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace geng {

/// Least squares over a few unknowns: rows are added one by one, then solved by Cholesky.
class LeastSquares {
 public:
  explicit LeastSquares(std::size_t unknowns);

  /// One equation: sum of row[i] * weight[i] = aim.
  void add(std::span<const double> row, double aim) noexcept;

  /// Finds the weights, with `ridge` added to the diagonal; returns the sum of squares they leave.
  double solve(double ridge) noexcept;

  [[nodiscard]] std::span<const double> weights() const noexcept { return weights_; }

 private:
  std::size_t unknowns_;
  std::vector<double> gram_;  ///< [unknowns, unknowns], its lower half
  std::vector<double> aims_;
  std::vector<double> weights_;
  double total_ = 0.0;
};

}  // namespace geng
