#include <algorithm>
#include <cmath>
#include <vector>

#include "check.h"
#include "cpu/kernel_set.h"
#include "cpu/pack.h"
#include "guarded.h"
#include "kernels_under_test.h"

using namespace geng::cpu;

namespace {

using Map = void (*)(const float*, float*, std::size_t) noexcept;

double silu(double x) { return x / (1 + std::exp(-x)); }
double gelu_erf(double x) { return 0.5 * x * std::erfc(-x * std::sqrt(0.5)); }
double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

/// Against float64 over [-20, 20], and in every length at a guard page: the same bits everywhere.
void check_map(Map map, double (*reference)(double)) {
  std::vector<float> x(4001), y(4001);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) * 0.01f - 20.0f;
  map(x.data(), y.data(), x.size());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = std::abs(y[i] - reference(x[i]));
    worst = std::max(worst, error / std::max(1.0, std::abs(double{x[i]})));
  }
  CHECK_NEAR(worst, 0.0, 4e-7);

  for (std::size_t n = 1; n <= 40; ++n) {
    const Guarded<float> in(n), out(n);
    std::copy_n(x.begin() + 1980, n, in.begin());
    map(in.data(), out.data(), n);
    CHECK(std::equal(out.begin(), out.end(), y.begin() + 1980));
    map(in.data(), in.data(), n);
    CHECK(std::ranges::equal(in, out));
  }

  float bad[] = {1.0f, NAN, 2.0f};
  map(bad, bad, 3);
  CHECK(std::isfinite(bad[0]) && std::isnan(bad[1]) && std::isfinite(bad[2]));
}

struct NormCase {
  bool gain, offset;
  float gain_base, eps;
};

void check_layernorm(const KernelSet& set, std::size_t width, const NormCase& c) {
  constexpr std::size_t rows = 3;
  const Guarded<float> x(rows * width), y(rows * width), gain(width), offset(width);
  fill(x, width);
  for (float& v : x) v = 3.0f * v + 5.0f;
  fill(gain, 1);
  fill(offset, 2);
  set.layernorm({x.data(), y.data(), c.gain ? gain.data() : nullptr,
                 c.offset ? offset.data() : nullptr, c.gain_base, c.eps, rows, width});
  for (std::size_t r = 0; r < rows; ++r) {
    const float* row = x.data() + r * width;
    double mean = 0, variance = 0;
    for (std::size_t i = 0; i < width; ++i) mean += row[i] / static_cast<double>(width);
    for (std::size_t i = 0; i < width; ++i) {
      variance += (row[i] - mean) * (row[i] - mean) / static_cast<double>(width);
    }
    for (std::size_t i = 0; i < width; ++i) {
      double wanted = (row[i] - mean) / std::sqrt(variance + double{c.eps});
      if (c.gain) wanted *= double{c.gain_base} + gain[i];
      if (c.offset) wanted += offset[i];
      CHECK_NEAR(y[r * width + i], wanted, 1e-5);
    }
  }
}

/// softmax(scale q k^T) v in float64; keys and values lie kv_stride apart.
std::vector<double> attention(const Attention& a, const float* k, const float* v,
                              std::size_t kv_stride) {
  std::vector<double> out(a.queries * a.head_width, 0.0);
  for (std::size_t i = 0; i < a.queries; ++i) {
    std::vector<double> weight(a.keys);
    double total = 0;
    for (std::size_t j = 0; j < a.keys; ++j) {
      double dot = 0;
      for (std::size_t c = 0; c < a.head_width; ++c) {
        dot += double{a.q[i * a.q_stride + c]} * double{k[j * kv_stride + c]};
      }
      total += weight[j] = std::exp(double{a.scale} * dot);
    }
    for (std::size_t j = 0; j < a.keys; ++j) {
      for (std::size_t c = 0; c < a.head_width; ++c) {
        out[i * a.head_width + c] += weight[j] / total * v[j * kv_stride + c];
      }
    }
  }
  return out;
}

}  // namespace

/// An epilogue of the float32 matmul over [-20, 20]: one depth, one column, a weight of 1.
void check_epilogue(const KernelSet& set, Epilogue epilogue, double (*reference)(double)) {
  std::vector<float> x(4001), y(4001), packed(packed_f32_bytes(set, 1, 1) / sizeof(float));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) * 0.01f - 20.0f;
  const float one = 1.0f;
  pack_f32(set, &one, 1, 1, 1, packed.data());
  set.matmul_f32(
      {x.data(), 1, packed.data(), nullptr, 1, 1, epilogue, {y.data(), 1, false, nullptr}},
      {0, x.size(), 0, 1});
  for (std::size_t i = 0; i < x.size(); ++i) {
    CHECK_NEAR(y[i], reference(x[i]), 4e-7 * std::max(1.0, std::abs(double{x[i]})));
  }
}

TEST(GeluTanh, AgreesWithFloat64) {
  for (const KernelSet* set : runnable_sets()) {
    check_epilogue(*set, Epilogue::gelu_tanh, gelu_tanh);
  }
}
TEST(GeluErf, AgreesWithFloat64) {
  for (const KernelSet* set : runnable_sets()) check_epilogue(*set, Epilogue::gelu_erf, gelu_erf);
}
TEST(Silu, AgreesWithFloat64InEveryPlace) {
  for (const KernelSet* set : runnable_sets()) check_map(set->silu, silu);
}

TEST(LayerNorm, AgreesWithFloat64AtEveryTail) {
  for (const KernelSet* set : runnable_sets()) {
    for (std::size_t width = 2; width <= 40; ++width) {
      check_layernorm(*set, width, {false, false, 0.0f, 1e-6f});
      check_layernorm(*set, width, {true, true, 0.0f, 1e-12f});
      check_layernorm(*set, width, {true, true, 1.0f, 1e-6f});
    }
    check_layernorm(*set, 384, {true, true, 0.0f, 1e-12f});
    check_layernorm(*set, 256, {true, true, 1.0f, 1e-6f});  // held in registers by some
    check_layernorm(*set, 256, {false, false, 0.0f, 1e-6f});
  }
}
TEST(LayerNorm, MayWorkInPlace) {
  for (const KernelSet* set : runnable_sets()) {
    std::vector<float> x(2 * 21), y(2 * 21);
    fill(x, 9);
    set->layernorm({x.data(), y.data(), nullptr, nullptr, 0.0f, 1e-6f, 2, 21});
    set->layernorm({x.data(), x.data(), nullptr, nullptr, 0.0f, 1e-6f, 2, 21});
    CHECK_EQ(x, y);
  }
}

/// Attention of one query of one number to `keys`, once for every key whose share is asked.
std::vector<float> softmax(const KernelSet& set, const std::vector<float>& keys) {
  const std::size_t n = keys.size();
  std::vector<float> out(n);
  const Guarded<float> k(packed_f32_bytes(set, n, 1) / sizeof(float));
  pack_f32(set, keys.data(), 1, n, 1, k.data());
  std::vector<float> scores(packed_f32_bytes(set, n, 1) / sizeof(float));
  const float query = 1.0f;
  for (std::size_t c = 0; c < n; ++c) {  // the value of key c is 1, that of the others 0
    std::vector<float> column(n, 0.0f);
    column[c] = 1.0f;
    const Guarded<float> one(packed_f32_bytes(set, 1, n) / sizeof(float));
    pack_f32_transposed(set, column.data(), 1, 1, n, one.data());
    set.attention(
        {&query, k.data(), one.data(), out.data() + c, scores.data(), 1, 1, 1, n, 1, 1.0f});
  }
  return out;
}

TEST(Softmax, AgreesWithFloat64AtEveryTail) {
  for (const KernelSet* set : runnable_sets()) {
    for (std::size_t n = 1; n <= 40; ++n) {
      std::vector<float> x(n);
      fill(x, n);
      // Far below zero: the padding must not be the maximum.
      for (float& v : x) v = 10.0f * v - 200.0f;
      const double top = *std::ranges::max_element(x);
      double total = 0;
      for (const float v : x) total += std::exp(v - top);
      const std::vector<float> got = softmax(*set, x);
      for (std::size_t i = 0; i < n; ++i) CHECK_NEAR(got[i], std::exp(x[i] - top) / total, 5e-7);
    }
  }
}
TEST(Softmax, TurnsARowWithANanIntoNans) {
  for (const KernelSet* set : runnable_sets()) {
    std::vector<float> x(13, 1.0f);
    x[5] = NAN;
    for (const float v : softmax(*set, x)) CHECK(std::isnan(v));
  }
}
// e^-x over the whole range, seen through softmax of (0, -x): the quotient of both is e^-x.
TEST(Softmax, HasAnExponentialGoodToAFewUlps) {
  for (const KernelSet* set : runnable_sets()) {
    double worst = 0;
    for (float x = 0.0f; x < 80.0f; x += 0.0137f) {
      const std::vector<float> pair = softmax(*set, {0.0f, -x});
      worst =
          std::max(worst, std::abs(double{pair[1]} / double{pair[0]} / std::exp(-double{x}) - 1));
    }
    CHECK_NEAR(worst, 0.0, 5e-7);
  }
}

TEST(Attention, AgreesWithFloat64AtEveryTail) {
  for (const KernelSet* set : runnable_sets()) {
    for (const std::size_t keys : {1, 2, 7, 10, 33}) {
      for (const std::size_t width : {1, 4, 7, 16, 32, 64, 65}) {
        for (const std::size_t queries : {1, 3, 16, 21}) {
          const std::size_t stride = width + 5;
          const Guarded<float> q((queries - 1) * stride + width), k((keys - 1) * stride + width);
          const Guarded<float> v((keys - 1) * stride + width), out(queries * width);
          const Guarded<float> scores(std::min(queries, kAttentionRows) *
                                      packed_f32_bytes(*set, keys, 1) / sizeof(float));
          const Guarded<float> packed_k(packed_f32_bytes(*set, keys, width) / sizeof(float));
          const Guarded<float> packed_v(packed_f32_bytes(*set, width, keys) / sizeof(float));
          fill(q, 1);
          fill(k, 2);
          fill(v, 3);
          pack_f32(*set, k.data(), stride, keys, width, packed_k.data());
          pack_f32_transposed(*set, v.data(), stride, width, keys, packed_v.data());
          const Attention a{q.data(),
                            packed_k.data(),
                            packed_v.data(),
                            out.data(),
                            scores.data(),
                            stride,
                            width,
                            queries,
                            keys,
                            width,
                            1.0f / std::sqrt(static_cast<float>(width))};
          set->attention(a);
          const std::vector<double> wanted = attention(a, k.data(), v.data(), stride);
          for (std::size_t i = 0; i < out.size(); ++i) CHECK_NEAR(out[i], wanted[i], 3e-6);
        }
      }
    }
  }
}

TEST(Axpby, AgreesWithFloat64AtEveryTail) {
  for (const KernelSet* set : runnable_sets()) {
    for (std::size_t n = 1; n <= 40; ++n) {
      const Guarded<float> x(n), y(n);
      fill(x, 1);
      fill(y, 2);
      const std::vector<float> before(y.begin(), y.end());
      set->axpby(1.5f, x.data(), -0.25f, y.data(), n);
      for (std::size_t i = 0; i < n; ++i) {
        CHECK_NEAR(y[i], 1.5 * x[i] - 0.25 * before[i], 1e-6);
      }
    }
  }
}

CHECK_MAIN()
