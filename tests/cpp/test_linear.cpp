// Linear layers and attention against a slow obvious reference.

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "check.h"
#include "format/gguf.h"
#include "format/model_layout.h"
#include "geng/error.h"
#include "model/attention.h"
#include "model/linear.h"
#include "random_model.h"
#include "tiny_model.h"

using namespace geng;

namespace {

struct Fixture {
  random_model::TempFile temporary;
  ModelFile file;
  mutable PackedWeights packed;
  ThreadPool pool;
  Compute compute;

  explicit Fixture(int threads, bool int8 = false)
      : temporary(built(int8)),
        file(ModelFile::open(temporary.path())),
        pool(threads),
        compute{cpu::active(), pool} {}

  static std::string built(bool int8) {
    random_model::Sizes sizes;
    sizes.int8 = int8;
    return random_model::bytes(sizes);
  }
  [[nodiscard]] Linear linear(Precision precision) const {
    return {WeightReader{file, cpu::active(), precision, packed}, "bridge.0.up", precision};
  }
};

std::vector<float> random(std::size_t count, std::uint64_t seed) {
  std::vector<float> values(count);
  fill_normal(seed, NoiseStream::initial_latent, 0, values);
  return values;
}

std::vector<float> apply(const Fixture& f, Precision precision, std::span<const float> x) {
  const Linear linear = f.linear(precision);
  std::vector<float> y(x.size() / linear.inputs() * linear.outputs());
  linear.apply_once(f.compute, x, cpu::Epilogue::none, y);
  return y;
}

/// y = W x + b of the float32 file, in double.
std::vector<float> reference(const Fixture& f, std::span<const float> x) {
  const auto w = f.file.tensor("bridge.0.up.weight").f32();
  const auto b = f.file.tensor("bridge.0.up.bias").f32();
  const std::size_t depth = w.size() / b.size();
  std::vector<float> y;
  for (std::size_t r = 0; r < x.size() / depth; ++r) {
    for (std::size_t n = 0; n < b.size(); ++n) {
      double sum = b[n];
      for (std::size_t k = 0; k < depth; ++k) sum += double{x[r * depth + k]} * w[n * depth + k];
      y.push_back(static_cast<float>(sum));
    }
  }
  return y;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double most = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, std::fabs(double{a[i]} - b[i]));
  }
  return most;
}

}  // namespace

TEST(Linear, MatchesTheReferenceAtEveryNumberOfRowsAndThreads) {
  for (const int threads : {1, 3}) {
    const Fixture f(threads);
    for (const std::size_t rows : {1u, 7u, 48u, 49u, 150u}) {
      const auto x = random(rows * 32, rows);
      const auto expected = reference(f, x);
      CHECK(largest_difference(apply(f, Precision::float32, x), expected) < 1e-5);
      CHECK(largest_difference(apply(f, Precision::int8, x), expected) < 0.1);
    }
  }
}

TEST(Linear, ReadsTheSameWeightsFromAnInt8FileAsItQuantises) {
  const Fixture full(1, false);
  const Fixture small(1, true);
  const auto x = random(20 * 32, 1);
  CHECK_EQ(apply(full, Precision::int8, x), apply(small, Precision::int8, x));
}

TEST(Linear, WidensAnInt8FileForFloat32) {
  const Fixture small(1, true);
  const auto x = random(20 * 32, 1);
  const auto exact = apply(small, Precision::float32, x);
  CHECK(largest_difference(apply(small, Precision::int8, x), exact) < 0.05);  // x is rounded only
}

TEST(Linear, EvensOutTheColumnsOfItsInput) {
  // One loud column, and factors that quieten it; the file's weights are all 0.03.
  gguf::File file = tiny_model();
  quantize(file, "bridge.0.up.weight");
  gguf::Tensor smooth = gguf::f32_tensor("bridge.0.up.smooth", {8}, 1.0f);
  smooth.data.replace(0, 4, gguf::raw(0.01f));
  const gguf::Image plain(file.build());
  file.tensors.push_back(smooth);
  const gguf::Image evened(file.build());
  auto x = random(20 * 8, 4);
  for (std::size_t i = 0; i < x.size(); i += 8) x[i] *= 100.0f;

  const auto error = [&](const gguf::Image& image) {
    const ModelFile model = ModelFile::from_bytes(image.bytes(), "x.gguf");
    check_layout(model);
    PackedWeights packed;
    ThreadPool pool(1);
    const Compute compute{cpu::active(), pool};
    std::vector<std::vector<float>> answers;
    for (const Precision precision : {Precision::int8, Precision::float32}) {
      const Linear linear(WeightReader{model, cpu::active(), precision, packed}, "bridge.0.up",
                          precision);
      auto& y = answers.emplace_back(20 * linear.outputs());
      linear.apply_once(compute, x, cpu::Epilogue::none, y);
    }
    return largest_difference(answers[0], answers[1]);
  };
  CHECK(error(evened) < 0.1 * error(plain));
}

TEST(Linear, CarriesANanToItsOwnRowOnly) {
  const Fixture f(1);
  auto x = random(3 * 32, 2);
  x[40] = NAN;
  for (const Precision precision : {Precision::int8, Precision::float32}) {
    const auto y = apply(f, precision, x);
    const std::size_t cols = y.size() / 3;
    for (std::size_t i = 0; i < y.size(); ++i) CHECK_EQ(std::isnan(y[i]), i / cols == 1);
  }
}

TEST(Attention, MatchesTheReferenceForEveryHead) {
  constexpr std::size_t kQueries = 5, kKeys = 13, kWidth = 24, kHeads = 3, kHead = 8;
  const auto q = random(kQueries * kWidth, 1);
  const auto k = random(kKeys * kWidth, 2);
  const auto v = random(kKeys * kWidth, 3);
  std::vector<float> out(kQueries * kWidth);
  std::vector<float> scores(score_floats(cpu::active(), kQueries, kKeys));
  std::vector<float> packed(packed_head_floats(cpu::active(), kKeys, kHead));
  attend_once(cpu::active(),
              {q.data(), out.data(), kWidth, kWidth, kQueries, kKeys, kWidth, kHeads},
              {k.data(), v.data(), kWidth}, packed, scores);
  for (std::size_t i = 0; i < kQueries; ++i) {
    for (std::size_t c = 0; c < kWidth; ++c) {
      const std::size_t at = c / kHead * kHead;
      double sum = 0.0;
      double weighted = 0.0;
      for (std::size_t j = 0; j < kKeys; ++j) {
        double score = 0.0;
        for (std::size_t d = at; d < at + kHead; ++d) {
          score += double{q[i * kWidth + d]} * k[j * kWidth + d];
        }
        const double weight = std::exp(score / std::sqrt(double{kHead}));
        sum += weight;
        weighted += weight * v[j * kWidth + c];
      }
      CHECK_NEAR(out[i * kWidth + c], weighted / sum, 1e-5);
    }
  }
}

CHECK_MAIN()
