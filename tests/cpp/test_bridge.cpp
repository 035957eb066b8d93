// The bridge, bound to a request: every row of a batch is its own, and a step allocates nothing.

#include <algorithm>
#include <cmath>
#include <vector>

#include "check.h"
#include "counted_new.h"
#include "format/gguf.h"
#include "geng/error.h"
#include "model/bridge.h"
#include "model/bridge_denoiser.h"
#include "model/claims_reader.h"
#include "random_model.h"

using namespace geng;

namespace {

constexpr int kTimesteps[] = {499, 250, 3};

/// A bridge of random weights with the memories of one condition and of none.
struct Fixture {
  random_model::TempFile temporary;
  ModelFile file;
  PackedWeights packed;
  ThreadPool pool;
  Compute compute;
  Bridge bridge;
  BridgeMemory memory, nothing;

  explicit Fixture(int threads = 1, Precision precision = Precision::int8)
      : temporary(random_model::bytes({})),
        file(ModelFile::open(temporary.path())),
        pool(threads),
        compute{cpu::active(), pool},
        bridge(WeightReader{file, cpu::active(), precision, packed}),
        memory(bridge.remember(compute, {condition(), 32}, Frame{}.features())),
        nothing(bridge.remember_nothing(compute)) {}

  static const std::vector<float>& condition() {
    static const std::vector<float> rows = random_model::condition(11, 32);
    return rows;
  }
  [[nodiscard]] std::size_t latent() const { return bridge.shape().tokens * bridge.shape().width; }
  [[nodiscard]] std::vector<float> noised(std::size_t samples) const {
    std::vector<float> x(samples * latent());
    fill_normal(5, NoiseStream::initial_latent, 0, x);
    return x;
  }
  [[nodiscard]] std::vector<float> v(std::span<const float> x,
                                     std::vector<const BridgeMemory*> memories,
                                     std::size_t step = 1) const {
    const std::size_t branches = memories.size();
    std::vector<float> out(x.size() * branches);
    const BridgeDenoiser denoiser(bridge, compute, kTimesteps, std::move(memories),
                                  x.size() / latent());
    denoiser.predict_v(step, x, branches, out);
    return out;
  }
};

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double off = 0.0;
  double size = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    off += std::pow(double{a[i]} - b[i], 2);
    size += std::pow(double{b[i]}, 2);
  }
  return std::sqrt(off / size);
}

}  // namespace

TEST(Bridge, GivesARowTheSameBytesInEveryBatch) {
  const Fixture f;
  const auto x = f.noised(9);  // 63 rows: more than one row block
  const auto together = f.v(x, {&f.memory});
  for (std::size_t i = 0; i < 9; ++i) {
    const auto alone = f.v(std::span(x).subspan(i * f.latent(), f.latent()), {&f.memory});
    CHECK(std::ranges::equal(alone, std::span(together).subspan(i * f.latent(), f.latent())));
  }
}

TEST(Bridge, GivesTheSameBytesOnEveryThreadCount) {
  for (const Precision precision : {Precision::int8, Precision::float32}) {
    const Fixture one(1, precision);
    const auto x = one.noised(9);
    const auto expected = one.v(x, {&one.memory, &one.nothing});
    for (const int threads : {2, 3, 8}) {
      const Fixture many(threads, precision);
      CHECK_EQ(many.v(x, {&many.memory, &many.nothing}), expected);
    }
  }
}

TEST(Bridge, AnswersBothBranchesAsItAnswersEachAlone) {
  const Fixture f;
  const auto x = f.noised(3);
  const auto both = f.v(x, {&f.memory, &f.nothing});
  CHECK(std::ranges::equal(f.v(x, {&f.memory}), std::span(both).first(x.size())));
  CHECK(std::ranges::equal(f.v(x, {&f.nothing}), std::span(both).last(x.size())));
  CHECK(distance(f.v(x, {&f.memory}), f.v(x, {&f.nothing})) > 1e-3);
}

TEST(Bridge, DependsOnTheTimestep) {
  const Fixture f;
  const auto x = f.noised(2);
  CHECK(distance(f.v(x, {&f.memory}, 0), f.v(x, {&f.memory}, 2)) > 1e-3);
}

TEST(Bridge, NeverSeesARawValue) {
  const Fixture f;
  std::vector<float> loud = Fixture::condition();
  for (std::size_t i = 0; i < 11; ++i) loud[i * 64 + 32 + 30] = loud[i * 64 + 32 + 31] = 1e30f;
  const BridgeMemory memory = f.bridge.remember(f.compute, {loud, 32}, Frame{}.features());
  CHECK_EQ(memory.keys_values.size(), f.memory.keys_values.size());
  CHECK(std::equal(memory.keys_values.data(), memory.keys_values.data() + memory.keys_values.size(),
                   f.memory.keys_values.data()));
}

TEST(Bridge, IsToldTheAnswersOfTheClaimsReader) {
  const random_model::TempFile temporary = random_model::temporary({.claims = true});
  const ModelFile file = ModelFile::open(temporary.path());
  PackedWeights packed;
  ThreadPool pool(1);
  const Compute compute{cpu::active(), pool};
  const WeightReader weights{file, cpu::active(), Precision::int8, packed};
  const Bridge bridge(weights);
  const ClaimsReader reader(weights);
  const ConditionView view{Fixture::condition(), 32};

  // Two fields, of three answers and of two.
  const std::vector<float> shares = reader.shares(compute, view);
  CHECK_EQ(shares.size(), std::size_t{5});
  CHECK(std::ranges::all_of(shares, [](float share) { return share > 0.0f; }));
  CHECK(std::fabs(shares[0] + shares[1] + shares[2] - 1.0f) < 1e-6f);
  CHECK(std::fabs(shares[3] + shares[4] - 1.0f) < 1e-6f);

  const auto features = Frame{}.features();
  const BridgeMemory told = bridge.remember(compute, view, features, shares);
  CHECK_EQ(told.tokens, view.tokens() + 2);
  const BridgeMemory other =
      bridge.remember(compute, view, features, std::vector<float>{0.0f, 0.0f, 1.0f, 1.0f, 0.0f});
  CHECK(!std::equal(told.keys_values.data(), told.keys_values.data() + told.keys_values.size(),
                    other.keys_values.data()));
}

TEST(Bridge, StaysCloseToFloat32InInt8) {
  const Fixture small;
  const Fixture full(1, Precision::float32);
  const auto x = full.noised(4);
  CHECK(distance(small.v(x, {&small.memory}), full.v(x, {&full.memory})) < 0.03);
}

TEST(BridgeDenoiser, SplitsXIntoCleanLatentAndNoise) {
  const Fixture f;
  const auto x = f.noised(2);
  BridgeDenoiser denoiser(f.bridge, f.compute, kTimesteps, {&f.memory}, 2);
  const Step step{1, 250, 3, 0.6, 0.8, 0.9, std::sqrt(0.19)};
  std::vector<float> x0(x.size());
  std::vector<float> eps(x.size());
  denoiser.denoise(step, x, x0, eps);
  const auto v = f.v(x, {&f.memory});
  for (std::size_t i = 0; i < x.size(); ++i) {
    CHECK_NEAR(0.6f * x0[i] + 0.8f * eps[i], x[i], 1e-5f);
    CHECK_NEAR(0.6f * eps[i] - 0.8f * x0[i], v[i], 1e-5f);
  }
}

TEST(BridgeDenoiser, AllocatesNothingInAStep) {
  for (const int threads : {1, 2}) {
    for (const Precision precision : {Precision::int8, Precision::float32}) {
      const Fixture f(threads, precision);
      const auto x = f.noised(5);
      std::vector<float> x0(2 * x.size());
      std::vector<float> eps(2 * x.size());
      BridgeDenoiser denoiser(f.bridge, f.compute, kTimesteps, {&f.memory, &f.nothing}, 5);
      const Step step{0, 499, 250, 0.1, 0.99, 0.7, 0.71};
      denoiser.denoise(step, x, x0, eps);
      const std::size_t before = allocations.load();
      for (int i = 0; i < 10; ++i) denoiser.denoise(step, x, x0, eps);
      CHECK_EQ(allocations.load(), before);
    }
  }
}

CHECK_MAIN()
