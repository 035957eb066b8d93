// A caller's network in the place of the model's own: the same loop, told the same.

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <vector>

#include "check.h"
#include "geng/error.h"
#include "geng/generator.h"
#include "geng/long_series.h"
#include "random_model.h"

using namespace geng;

namespace {

/// What a network was told and asked.
struct Seen {
  std::size_t requests = 0, calls = 0, rows = 0, unconditional = 0, tokens = 0;
  bool distilled = false;
  std::vector<float> condition, frame, answers;
  std::vector<int> timesteps;
};

random_model::Sizes sizes() {
  random_model::Sizes s;
  s.student = true;
  s.claims = true;
  return s;
}

const random_model::TempFile& file() {
  static const random_model::TempFile model = random_model::temporary(sizes());
  return model;
}

std::vector<float> condition() { return random_model::condition(5, sizes().hidden, {3.0f}); }

/// Asks `own` for every v, so that both ways must come to the same bytes.
Network relay(const Generator& own, Seen& seen) {
  return [&](const NetworkCondition& told) -> NetworkStep {
    ++seen.requests;
    seen.distilled = told.distilled;
    seen.tokens = told.tokens;
    seen.condition.assign(told.condition.begin(), told.condition.end());
    seen.frame.assign(told.frame.begin(), told.frame.end());
    seen.answers.assign(told.answers.begin(), told.answers.end());
    return [&](const NetworkBatch& batch, std::span<float> v) {
      ++seen.calls;
      seen.rows += batch.x.size() / (batch.tokens * batch.width);
      seen.unconditional += batch.conditional ? 0 : 1;
      seen.timesteps.push_back(batch.t);
      const std::vector<float> none;
      own.predict_v(batch.x, batch.t, batch.conditional ? seen.condition : none, v);
    };
  };
}

/// v = 0 everywhere, written as `value`.
Network constant(float value) {
  return [value](const NetworkCondition&) -> NetworkStep {
    return [value](const NetworkBatch&, std::span<float> v) { std::ranges::fill(v, value); };
  };
}

SamplerConfig config_of(const char* solver, double guidance) {
  SamplerConfig config;
  config.solver = solver;
  config.steps = 4;
  config.guidance_scale = guidance;
  config.seed = 7;
  return config;
}

std::vector<float> draw(const Generator& generator, const SamplerConfig& config,
                        std::size_t count) {
  // Of a window's length, as predict_v() assumes.
  std::vector<float> series(count * generator.window());
  generator.sample(condition(), count, generator.window(), config, {}, series);
  return series;
}

Generator with(Network network) {
  return Generator(file().path(), Precision::float32, 1, {}, {}, std::move(network));
}

}  // namespace

TEST(Network, ThatAsksTheModelGivesItsBytes) {
  const Generator own(file().path(), Precision::float32, 1);
  Seen seen;
  const Generator relayed = with(relay(own, seen));
  for (const double guidance : {0.0, 1.5}) {
    const SamplerConfig config = config_of("dpmpp_2m", guidance);
    CHECK(draw(relayed, config, 35) == draw(own, config, 35));  // more than one chunk
  }
}

TEST(Network, IsToldOnceARequestAndAskedOnceAStepAndBranch) {
  const Generator own(file().path(), Precision::float32, 1);
  Seen seen;
  draw(with(relay(own, seen)), config_of("ddim", 1.5), 35);
  CHECK_EQ(seen.requests, 1u);
  CHECK_EQ(seen.calls, 16u);  // two chunks, four steps, two branches
  CHECK_EQ(seen.rows, 8u * 35u);
  CHECK_EQ(seen.unconditional, 8u);
  CHECK_EQ(seen.timesteps.front(), 499);
  CHECK(!seen.distilled);
  CHECK_EQ(seen.tokens, 5u);
  CHECK_EQ(seen.condition, condition());
  const NetworkFacts facts = own.network_facts(condition(), own.window());
  CHECK_EQ(seen.frame, facts.frame);
  CHECK_EQ(seen.answers, facts.answers);
  CHECK(!facts.answers.empty());
}

TEST(Network, IsToldWhenTheStudentIsMeant) {
  const Generator own(file().path(), Precision::float32, 1);
  Seen seen;
  draw(with(relay(own, seen)), config_of("consistency", 0.0), 1);
  CHECK(seen.distilled);
}

TEST(Network, AnswersForTheBridgeAloneAsWell) {
  const Generator own(file().path(), Precision::float32, 1);
  Seen seen;
  const Generator relayed = with(relay(own, seen));
  std::vector<float> x(2 * own.latent_tokens() * own.latent_width());
  fill_normal(1, NoiseStream::initial_latent, 0, x);
  std::vector<float> wanted(x.size());
  std::vector<float> got(x.size());
  for (const auto& given : {condition(), std::vector<float>{}}) {
    own.predict_v(x, 250, given, wanted);
    relayed.predict_v(x, 250, given, got);
    CHECK_EQ(got, wanted);
  }
  CHECK_EQ(seen.tokens, 0u);
}

TEST(Network, DrawsChainsToo) {
  const Generator own(file().path(), Precision::float32, 1);
  Seen seen;
  const Generator relayed = with(relay(own, seen));
  const SamplerConfig config = config_of("dpmpp_2m", 0.0);
  LongSeries mine(own, condition(), 2, 4 * own.window(), config);
  LongSeries theirs(relayed, condition(), 2, 4 * own.window(), config);
  while (mine.block() > 0) {
    std::vector<float> a(2 * mine.block());
    std::vector<float> b(a.size());
    mine.next(a);
    theirs.next(b);
    // Frames of a chain are longer than the window that predict_v() assumes, so only in kind.
    CHECK_EQ(a.size(), b.size());
  }
  CHECK_EQ(theirs.block(), 0u);
  CHECK(seen.requests > 1);
}

TEST(Network, ThatIsNotFiniteIsRefusedAndNothingIsWritten) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const Generator broken = with(constant(value));
    std::vector<float> series(broken.window(), -7.0f);
    CHECK_ERROR(broken.sample(condition(), 1, broken.window(), config_of("ddim", 0.0), {}, series),
                Code::not_finite, "nothing was written");
    CHECK_EQ(series, std::vector<float>(series.size(), -7.0f));
  }
}

TEST(Network, ThatThrowsEndsTheRequestAndNothingIsWritten) {
  const Generator broken = with([](const NetworkCondition&) -> NetworkStep {
    return
        [](const NetworkBatch&, std::span<float>) { throw std::runtime_error("no such device"); };
  });
  std::vector<float> series(broken.window(), -7.0f);
  bool thrown = false;
  try {
    broken.sample(condition(), 1, broken.window(), config_of("ddim", 0.0), {}, series);
  } catch (const std::runtime_error& error) {
    thrown = std::string(error.what()) == "no such device";
  }
  CHECK(thrown);
  CHECK_EQ(series, std::vector<float>(series.size(), -7.0f));
}

TEST(Network, ThatGivesNoStepIsRefused) {
  const Generator broken = with([](const NetworkCondition&) -> NetworkStep { return {}; });
  std::vector<float> series(broken.window());
  CHECK_ERROR(broken.sample(condition(), 1, broken.window(), config_of("ddim", 0.0), {}, series),
              Code::invalid_argument, "the network gave no step; it must give a function");
}

CHECK_MAIN()
