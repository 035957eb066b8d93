#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "check.h"
#include "cpu/kernel_set.h"
#include "cpu/pack.h"
#include "guarded.h"
#include "kernels_under_test.h"

using namespace geng::cpu;

namespace {

struct Shape {
  std::size_t rows, cols, depth;
};

/// Every tail of every block: rows and columns around a block, depths around a group.
std::vector<Shape> tail_shapes() {
  std::vector<Shape> shapes;
  for (std::size_t rows = 1; rows <= 13; ++rows) {
    for (const std::size_t cols : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 33, 65}) {
      for (const std::size_t depth : {1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 70}) {
        shapes.push_back({rows, cols, depth});
      }
    }
  }
  shapes.push_back({101, 35, 96});  // more rows than any set takes at once
  return shapes;
}

/// Whole numbers in [-127, 127], both ends often; the first of each row is 127, so that the row's
/// scale is exactly 1 and the integers can be seen from outside.
void fill_whole(std::span<float> x, std::size_t depth, std::uint64_t seed) {
  fill(x, seed);
  for (float& v : x) v = std::clamp(std::round(v * 90.0f), -127.0f, 127.0f);
  for (std::size_t i = 0; i < x.size(); i += depth) x[i] = 127.0f;
}

/// One int8 problem with guarded operands, its scales all 1.
struct ProblemI8 {
  const KernelSet& set;
  Shape shape;
  Guarded<float> x{shape.rows * shape.depth};
  std::vector<std::int8_t> w = std::vector<std::int8_t>(shape.cols * shape.depth);
  Guarded<std::byte> q{activation_bytes(set, shape.rows, shape.depth)};
  Guarded<std::byte> packed{packed_i8_bytes(set, shape.cols, shape.depth)};
  Guarded<float> x_scale{shape.rows}, w_scale{shape.cols}, bias{shape.cols};
  Guarded<float> y{shape.rows * shape.cols};

  ProblemI8(const KernelSet& kernel_set, Shape of) : set(kernel_set), shape(of) {
    fill_whole(x, shape.depth, 1);
    std::vector<float> weights(w.size());
    fill_whole(weights, shape.depth, 2);
    std::ranges::transform(weights, w.begin(), [](float v) { return static_cast<std::int8_t>(v); });
    std::ranges::fill(w_scale, 1.0f);
    fill(bias, 3);
    pack_i8(set, w.data(), shape.cols, shape.depth, packed.data());
    set.quantize_rows({x.data(), q.data(), x_scale.data(), shape.rows, shape.depth});
  }

  [[nodiscard]] MatmulI8 operands(Epilogue epilogue, bool with_bias) const {
    return {q.data(),
            x_scale.data(),
            packed.data(),
            w_scale.data(),
            with_bias ? bias.data() : nullptr,
            shape.cols,
            shape.depth,
            epilogue,
            {y.data(), shape.cols, false, nullptr}};
  }
  void run(Epilogue epilogue = Epilogue::none, bool with_bias = false) const {
    set.matmul_i8(operands(epilogue, with_bias), {0, shape.rows, 0, shape.cols});
  }
  [[nodiscard]] std::int64_t sum(std::size_t m, std::size_t n) const {
    std::int64_t total = 0;
    for (std::size_t k = 0; k < shape.depth; ++k) {
      total += static_cast<std::int64_t>(x[m * shape.depth + k]) * w[n * shape.depth + k];
    }
    return total;
  }
};

/// One float32 problem with guarded operands.
struct ProblemF32 {
  const KernelSet& set;
  Shape shape;
  Guarded<float> x{shape.rows * shape.depth}, bias{shape.cols}, y{shape.rows * shape.cols};
  std::vector<float> w = std::vector<float>(shape.cols * shape.depth);
  Guarded<float> packed{packed_f32_bytes(set, shape.cols, shape.depth) / sizeof(float)};

  ProblemF32(const KernelSet& kernel_set, Shape of) : set(kernel_set), shape(of) {
    fill(x, 1);
    fill(w, 2);
    fill(bias, 3);
    pack_f32(set, w.data(), shape.depth, shape.cols, shape.depth, packed.data());
  }

  [[nodiscard]] MatmulF32 operands(Epilogue epilogue) const {
    return {x.data(),   shape.depth, packed.data(), bias.data(),
            shape.cols, shape.depth, epilogue,      {y.data(), shape.cols, false, nullptr}};
  }
  void run(Epilogue epilogue = Epilogue::none) const {
    set.matmul_f32(operands(epilogue), {0, shape.rows, 0, shape.cols});
  }
};

/// Runs `problem` tile by tile, columns from the last to the first, and compares with the whole.
template <typename Problem, typename Matmul>
void check_tiles(const Problem& problem, std::size_t panel, Matmul matmul) {
  const std::vector<float> whole(problem.y.begin(), problem.y.end());
  std::ranges::fill(problem.y, 0.0f);
  const auto [rows, cols, depth] = problem.shape;
  for (std::size_t col = (cols - 1) / panel * panel + panel; col != 0; col -= panel) {
    for (std::size_t row = 0; row < rows; row += 3) {
      matmul(Tile{row, std::min(row + 3, rows), col - panel, std::min(col, cols)});
    }
  }
  CHECK(std::ranges::equal(problem.y, whole));
}

double gelu(Epilogue kind, double x) {
  if (kind == Epilogue::none) return x;
  if (kind == Epilogue::gelu_erf) return 0.5 * x * (1 + std::erf(x * std::sqrt(0.5)));
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

}  // namespace

TEST(MatmulI8, IsExactAtEveryTailAndStaysInsideItsOperands) {
  for (const KernelSet* set : runnable_sets()) {
    for (const Shape shape : tail_shapes()) {
      const ProblemI8 problem(*set, shape);
      problem.run();
      bool exact = true;
      for (std::size_t m = 0; m < shape.rows; ++m) {
        for (std::size_t n = 0; n < shape.cols; ++n) {
          exact &= problem.y[m * shape.cols + n] == static_cast<float>(problem.sum(m, n));
        }
      }
      CHECK(exact);
    }
  }
}

TEST(MatmulI8, IsExactWhenEveryProductIsTheLargest) {
  for (const KernelSet* set : runnable_sets()) {
    for (const std::int8_t sign : {std::int8_t{1}, std::int8_t{-1}}) {
      const ProblemI8 problem(*set, {2, 5, 1536});
      std::ranges::fill(problem.x, 127.0f);
      const std::vector<std::int8_t> w(problem.w.size(), static_cast<std::int8_t>(127 * sign));
      pack_i8(*set, w.data(), 5, 1536, problem.packed.data());
      set->quantize_rows({problem.x.data(), problem.q.data(), problem.x_scale.data(), 2, 1536});
      problem.run();
      for (const float y : problem.y) CHECK_EQ(y, static_cast<float>(sign * 127 * 127 * 1536));
    }
  }
}

// A set may add four products into sixteen bits where it can tell that they fit: 4 * 91 * 90 is
// 32760 and 4 * 91 * 91 is not an int16. The one 127 that every row holds stands where it meets
// zeros.
TEST(MatmulI8, IsExactWhereFourProductsJustFitAnInt16AndWhereTheyJustDoNot) {
  constexpr Shape kShape{20, 18, 96};
  for (const KernelSet* set : runnable_sets()) {
    for (const int magnitude : {90, 91}) {
      for (const int sign : {1, -1}) {
        ProblemI8 problem(*set, kShape);
        for (std::size_t i = 0; i < problem.x.size(); ++i) {
          const std::size_t k = i % kShape.depth;
          const bool beside = k == 8 || k == 16 || k == 24;
          problem.x[i] = k == 0 ? 127.0f : beside ? 0.0f : static_cast<float>(magnitude);
        }
        std::ranges::fill(problem.w, static_cast<std::int8_t>(91 * sign));
        pack_i8(*set, problem.w.data(), kShape.cols, kShape.depth, problem.packed.data());
        set->quantize_rows({problem.x.data(), problem.q.data(), problem.x_scale.data(), kShape.rows,
                            kShape.depth});
        problem.run();
        for (const float y : problem.y) CHECK_EQ(y, static_cast<float>(problem.sum(0, 0)));
      }
    }
  }
}

TEST(MatmulI8, ScalesAddsBiasAndAppliesTheEpilogue) {
  for (const KernelSet* set : runnable_sets()) {
    for (const Epilogue epilogue : {Epilogue::none, Epilogue::gelu_tanh, Epilogue::gelu_erf}) {
      const ProblemI8 problem(*set, {3, 19, 40});
      for (std::size_t n = 0; n < 19; ++n) problem.w_scale[n] = 1e-5f * static_cast<float>(n + 1);
      problem.run(epilogue, true);
      for (std::size_t i = 0; i < problem.y.size(); ++i) {
        const std::size_t n = i % 19;
        const double linear = static_cast<double>(problem.sum(i / 19, n)) * problem.w_scale[n];
        CHECK_NEAR(problem.y[i], gelu(epilogue, linear + problem.bias[n]), 5e-6);
      }
    }
  }
}

/// An output that is added to what is there, gated or not, against one that is stored.
template <typename Problem, typename Operands, typename Matmul>
void check_adds(const Problem& problem, Operands operands, Matmul matmul) {
  matmul(operands);
  const std::vector<float> result(problem.y.begin(), problem.y.end());
  const Guarded<float> gate(problem.shape.cols);
  fill(gate, 5);
  for (const bool gated : {false, true}) {
    fill(problem.y, 6);
    const std::vector<float> before(problem.y.begin(), problem.y.end());
    operands.out.adds = true;
    operands.out.gate = gated ? gate.data() : nullptr;
    matmul(operands);
    for (std::size_t i = 0; i < result.size(); ++i) {
      const double by = gated ? gate[i % problem.shape.cols] : 1.0f;
      CHECK_NEAR(problem.y[i], before[i] + by * result[i], 1e-5 * (1 + std::abs(by * result[i])));
    }
  }
}

TEST(MatmulI8, AddsItsOutputThroughAGate) {
  for (const KernelSet* set : runnable_sets()) {
    const ProblemI8 problem(*set, {5, 37, 24});
    check_adds(problem, problem.operands(Epilogue::none, true),
               [&](const MatmulI8& a) { set->matmul_i8(a, {0, 5, 0, 37}); });
  }
}

TEST(MatmulF32, AddsItsOutputThroughAGate) {
  for (const KernelSet* set : runnable_sets()) {
    const ProblemF32 problem(*set, {5, 37, 24});
    check_adds(problem, problem.operands(Epilogue::none),
               [&](const MatmulF32& a) { set->matmul_f32(a, {0, 5, 0, 37}); });
  }
}

TEST(MatmulI8, GivesTheSameBytesTileByTile) {
  for (const KernelSet* set : runnable_sets()) {
    const ProblemI8 problem(*set, {14, 53, 37});
    problem.run(Epilogue::gelu_erf, true);
    const MatmulI8 operands = problem.operands(Epilogue::gelu_erf, true);
    check_tiles(problem, set->i8_cols, [&](const Tile& tile) { set->matmul_i8(operands, tile); });
  }
}

TEST(MatmulI8, LetsANotFiniteInputThrough) {
  for (const KernelSet* set : runnable_sets()) {
    for (const float bad : {NAN, INFINITY, -INFINITY}) {
      const ProblemI8 problem(*set, {2, 3, 20});
      problem.x[25] = bad;  // in the second row
      set->quantize_rows({problem.x.data(), problem.q.data(), problem.x_scale.data(), 2, 20});
      problem.run();
      for (std::size_t n = 0; n < 3; ++n) {
        CHECK(std::isfinite(problem.y[n]));
        CHECK(std::isnan(problem.y[3 + n]));
      }
    }
  }
}

TEST(MatmulF32, AgreesWithFloat64AtEveryTailAndStaysInsideItsOperands) {
  for (const KernelSet* set : runnable_sets()) {
    for (const Shape shape : tail_shapes()) {
      const ProblemF32 problem(*set, shape);
      problem.run();
      double worst = 0;
      for (std::size_t i = 0; i < problem.y.size(); ++i) {
        const std::size_t m = i / shape.cols, n = i % shape.cols;
        double sum = problem.bias[n];
        for (std::size_t k = 0; k < shape.depth; ++k) {
          sum += double{problem.x[m * shape.depth + k]} * double{problem.w[n * shape.depth + k]};
        }
        worst = std::max(worst, std::abs(problem.y[i] - sum));
      }
      CHECK_NEAR(worst, 0.0, 2e-5);
    }
  }
}

TEST(MatmulF32, GivesARowTheSameBytesAloneAsInABatch) {
  for (const KernelSet* set : runnable_sets()) {
    const ProblemF32 problem(*set, {17, 35, 129});
    problem.run(Epilogue::gelu_tanh);
    const std::vector<float> batch(problem.y.begin(), problem.y.end());
    for (std::size_t m = 0; m < 17; ++m) {
      MatmulF32 one = problem.operands(Epilogue::gelu_tanh);
      std::vector<float> y(35);
      one.x += m * 129;
      one.out.y = y.data();
      set->matmul_f32(one, {0, 1, 0, 35});
      CHECK(std::equal(y.begin(), y.end(), batch.begin() + static_cast<std::ptrdiff_t>(m * 35)));
    }
  }
}

TEST(MatmulF32, GivesTheSameBytesTileByTile) {
  for (const KernelSet* set : runnable_sets()) {
    const ProblemF32 problem(*set, {14, 53, 37});
    problem.run(Epilogue::gelu_erf);
    const MatmulF32 operands = problem.operands(Epilogue::gelu_erf);
    check_tiles(problem, set->f32_cols, [&](const Tile& tile) { set->matmul_f32(operands, tile); });
  }
}

TEST(QuantizeRows, RoundsHalvesToEvenAndPadsWithZeros) {
  for (const KernelSet* set : runnable_sets()) {
    const Guarded<float> x(19);
    std::ranges::fill(x, 0.0f);
    const float values[] = {127.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -127.0f, 0.49f, 3.51f};
    std::ranges::copy(values, x.begin());
    const int expected[] = {127, 0, 2, 2, 0, -2, -127, 0, 4};
    const Guarded<std::byte> q(activation_bytes(*set, 1, 19));
    const Guarded<float> scale(1);
    set->quantize_rows({x.data(), q.data(), scale.data(), 1, 19});
    CHECK_EQ(scale[0], 1.0f);
    for (std::size_t i = 0; i < q.size() / set->activation_width; ++i) {
      const int stored = set->i8_shifted ? reinterpret_cast<std::uint8_t*>(q.data())[i] - 128
                         : set->activation_width == 1
                             ? reinterpret_cast<std::int8_t*>(q.data())[i]
                             : reinterpret_cast<std::int16_t*>(q.data())[i];
      CHECK_EQ(stored, i < 9 ? expected[i] : 0);
    }
  }
}

TEST(QuantizeRows, GivesAZeroRowAZeroScale) {
  for (const KernelSet* set : runnable_sets()) {
    for (const float small : {0.0f, 1e-38f, 1e-42f}) {
      const Guarded<float> x(5);
      std::ranges::fill(x, small);
      const Guarded<std::byte> q(activation_bytes(*set, 1, 5));
      const Guarded<float> scale(1);
      set->quantize_rows({x.data(), q.data(), scale.data(), 1, 5});
      CHECK_EQ(scale[0], 0.0f);
    }
  }
}

TEST(QuantizeWeights, KeepsEveryWeightWithinHalfAStep) {
  std::vector<float> w(7 * 33);
  fill(w, 4);
  std::vector<std::int8_t> q(w.size());
  std::vector<float> scale(7);
  quantize_weights(w.data(), 7, 33, q.data(), scale.data());
  for (std::size_t i = 0; i < w.size(); ++i) {
    CHECK(q[i] >= -127);
    CHECK_NEAR(w[i], static_cast<float>(q[i]) * scale[i / 33], scale[i / 33] * 0.501f);
  }
}

CHECK_MAIN()
