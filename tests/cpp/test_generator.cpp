// A whole model of random weights: what it draws depends on seed and settings alone.

#include <algorithm>
#include <cmath>
#include <vector>

#include "check.h"
#include "geng/error.h"
#include "geng/generator.h"
#include "random_model.h"

using namespace geng;

namespace {

struct Loaded {
  random_model::TempFile file;
  Generator generator;

  explicit Loaded(int threads, bool int8 = true, float out_bias = 0.0f)
      : file(built(int8, out_bias)), generator(file.path(), Precision::int8, threads) {}

  static std::string built(bool int8, float out_bias) {
    random_model::Sizes sizes;
    sizes.int8 = int8;
    sizes.out_bias = out_bias;
    return random_model::bytes(sizes);
  }

  /// A condition with two numbers, which a random reader gives some role or none.
  [[nodiscard]] std::vector<float> condition() const {
    const std::vector<std::int32_t> ids = {2, 7, 9, 30, 12, 3};
    std::vector<float> numbers(ids.size() * 32, 0.0f);
    for (const std::size_t row : {2u, 4u}) {
      numbers[row * 32] = 1.0f;
      numbers[row * 32 + 30] = static_cast<float>(row) * 2.5f;
    }
    std::vector<float> out(ids.size() * generator.condition_width());
    generator.encode_text(ids, numbers, out);
    return out;
  }

  [[nodiscard]] std::vector<float> draw(std::size_t count, const SamplerConfig& config) const {
    std::vector<float> series(count * 64);
    generator.sample(condition(), count, 64, config, {}, series);
    return series;
  }
};

SamplerConfig config_of(const char* solver) {
  SamplerConfig config;
  config.solver = solver;
  config.steps = 6;
  config.guidance_scale = 1.5;
  config.seed = 40;
  return config;
}

bool equal(const std::vector<float>& a, std::size_t at, const std::vector<float>& b) {
  return std::equal(b.begin(), b.end(), a.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

TEST(Generator, DrawsTheSameBytesOnEveryThreadCount) {
  for (const char* solver : {"ddpm", "ddim", "dpmpp_2m"}) {
    const auto one = Loaded(1).draw(5, config_of(solver));
    CHECK(one == Loaded(2).draw(5, config_of(solver)));
    CHECK(one == Loaded(3).draw(5, config_of(solver)));
    CHECK(std::ranges::all_of(one, [](float x) { return std::isfinite(x); }));
  }
}

TEST(Generator, DrawsRowIOfABatchFromSeedPlusI) {
  const Loaded model(2);
  SamplerConfig config = config_of("ddpm");
  const auto batch = model.draw(40, config);  // more than one chunk
  for (const std::size_t row : {0u, 1u, 31u, 32u, 39u}) {
    SamplerConfig alone = config;
    alone.seed = config.seed + row;
    CHECK(equal(batch, row * 64, model.draw(1, alone)));
  }
}

TEST(Generator, RunsConsistencyOnTheStudentWithoutGuidance) {
  random_model::Sizes sizes;
  sizes.student = true;
  const random_model::TempFile file = random_model::temporary(sizes);
  const Generator generator(file.path(), Precision::float32, 1);
  const auto condition = random_model::condition(4, sizes.hidden);
  SamplerConfig config;
  config.solver = "consistency";
  config.steps = 4;
  std::vector<float> series(3 * 64);
  generator.sample(condition, 3, 64, config, {}, series);
  CHECK(std::ranges::all_of(series, [](float x) { return std::isfinite(x); }));
  config.seed = 1;
  std::vector<float> second(64);
  generator.sample(condition, 1, 64, config, {}, second);
  CHECK(equal(series, 64, second));
  config.solver = "ddim";  // the other network
  generator.sample(condition, 1, 64, config, {}, second);
  CHECK(!equal(series, 64, second));
  config.solver = "consistency";
  config.guidance_scale = 1.5;
  CHECK_ERROR(generator.sample(condition, 1, 64, config, {}, second), Code::invalid_argument,
              "guidance is 1.5; it must be 0 with solver consistency");
}

TEST(Generator, RefusesTheStudentsSolverWhereThereIsNone) {
  const Loaded model(1);
  SamplerConfig config = config_of("consistency");
  config.guidance_scale = 0.0;
  CHECK_ERROR(model.draw(1, config), Code::invalid_argument,
              "it must be another one: this model has no distilled student");
}

TEST(Generator, RefusesToReadClaimsWithoutAReader) {
  const Loaded model(1);
  CHECK_ERROR(model.generator.read_claims(model.condition()), Code::invalid_argument,
              "this model has no claims reader");
}

TEST(Generator, QuantisesAFloatFileToWhatAnInt8FileHolds) {
  // The int8 file stores the very quantisation that loading applies.
  const auto stored = Loaded(1, true).condition();
  const auto loaded = Loaded(1, false).condition();
  double off = 0.0;
  double size = 0.0;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    off += std::pow(double{stored[i]} - loaded[i], 2);
    size += std::pow(double{loaded[i]}, 2);
  }
  CHECK(off <= 0.01 * size);
}

TEST(Generator, LeavesTheOutputAloneWhenItStops) {
  const Loaded model(1);
  std::vector<float> series(2 * 64, -7.0f);
  bool cancelled = false;
  try {
    model.generator.sample(
        model.condition(), 2, 64, config_of("ddim"), [](int done, int) { return done < 3; },
        series);
  } catch (const Error& error) {
    cancelled = error.code() == Code::cancelled;
  }
  CHECK(cancelled);
  CHECK(std::ranges::all_of(series, [](float x) { return x == -7.0f; }));
}

TEST(Generator, RefusesWhatDoesNotFitBeforeItComputes) {
  const Loaded model(1);
  const auto refused = [&](auto&& change) {
    SamplerConfig config = config_of("ddim");
    std::size_t length = 64;
    std::vector<float> condition = model.condition();
    change(config, length, condition);
    std::vector<float> series(length);
    try {
      model.generator.sample(condition, 1, length, config, {}, series);
    } catch (const Error& error) {
      return error.code() == Code::invalid_argument &&
             std::string(error.what()).find("must") != std::string::npos;
    }
    return false;
  };
  CHECK(refused([](auto& c, auto&, auto&) { c.steps = 0; }));
  CHECK(refused([](auto& c, auto&, auto&) { c.steps = 501; }));
  CHECK(refused([](auto& c, auto&, auto&) { c.guidance_scale = std::nan(""); }));
  CHECK(refused([](auto& c, auto&, auto&) { c.solver = "euler"; }));
  CHECK(refused([](auto&, auto& length, auto&) { length = 100; }));
  CHECK(refused([](auto&, auto&, auto& z) { z[3] = std::nanf(""); }));
}

TEST(Generator, NamesTheSettingItsValueAndTheRule) {
  const Loaded model(1);
  const std::vector<float> condition = model.condition();
  const auto sample = [&](std::span<const float> z, std::size_t count, std::size_t length,
                          const SamplerConfig& config) {
    std::vector<float> series(std::min<std::size_t>(count * length, 4096));
    model.generator.sample(z, count, length, config, {}, series);
  };
  const SamplerConfig plain = config_of("ddim");
  SamplerConfig config = plain;
  config.eta = 1.5;
  CHECK_ERROR(sample(condition, 1, 64, config), Code::invalid_argument,
              "eta is 1.5; it must be 0 to 1");
  config = plain;
  config.guidance_scale = 21.0;
  CHECK_ERROR(sample(condition, 1, 64, config), Code::invalid_argument,
              "guidance is 21; it must be 0 to 20");
  config = plain;
  config.guidance_low = config.guidance_high = 0.5;
  CHECK_ERROR(sample(condition, 1, 64, config), Code::invalid_argument,
              "guidance_interval is 0.5 to 0.5; it must be low to high with 0 <= low < high <= 1");
  CHECK_ERROR(sample(condition, 0, 64, plain), Code::invalid_argument,
              "count is 0; it must be 1 to 65536");
  CHECK_ERROR(sample(condition, 65537, 64, plain), Code::invalid_argument, "count is 65537");
  CHECK_ERROR(sample({}, 1, 64, plain), Code::invalid_argument,
              "condition has 0 tokens; it must have 1 to 128");
  CHECK_ERROR(sample(std::vector<float>(129 * 64), 1, 64, plain), Code::invalid_argument,
              "condition has 129 tokens");
  CHECK_ERROR(Generator(model.file.path(), Precision::int8, 257), Code::invalid_argument,
              "threads is 257; it must be 0 to 256");
}

TEST(Generator, RefusesMoreLatentsThanAGibibyteBeforeItMakesThem) {
  random_model::Sizes sizes;
  sizes.tokens = 256;
  sizes.width = 1024;
  const random_model::TempFile file = random_model::temporary(sizes);
  const Generator generator(file.path(), Precision::float32, 1);
  const std::vector<float> condition = random_model::condition(4, sizes.hidden);
  const char* const sentence = "count is 1025; it must be 1 to 1024";
  // The sizes would be refused next, had the count been taken.
  CHECK_ERROR(generator.sample(condition, 1025, 64, {}, {}, {}), Code::invalid_argument, sentence);
  CHECK_ERROR(generator.sample_latents(condition, 1025, 64, {}, {}, {}), Code::invalid_argument,
              sentence);
  CHECK_ERROR(generator.sample(condition, 1024, 64, {}, {}, {}), Code::invalid_argument,
              "series has 0 values");
}

TEST(Generator, SaysThatTheModelLeftFloat32AndLeavesTheOutputAlone) {
  const Loaded model(1, true, 3e38f);
  std::vector<float> series(64, -7.0f);
  SamplerConfig config = config_of("dpmpp_2m");
  config.guidance_scale = 20.0;
  CHECK_ERROR(model.generator.sample(model.condition(), 1, 64, config, {}, series),
              Code::not_finite, "nothing was written");
  CHECK(std::ranges::all_of(series, [](float x) { return x == -7.0f; }));
}

TEST(Generator, CountsProgressOverAllOfARequest) {
  const Loaded model(1);
  std::vector<float> series(33 * 64);
  std::vector<int> seen;
  SamplerConfig config = config_of("ddim");
  config.steps = 2;
  const Progress progress = [&](int done, int total) {
    CHECK_EQ(total, 4);  // two chunks of two steps
    seen.push_back(done);
    return true;
  };
  model.generator.sample(model.condition(), 33, 64, config, progress, series);
  CHECK_EQ(seen, (std::vector<int>{1, 2, 3, 4}));
}

CHECK_MAIN()
