// Series longer than a window: the same blocks whoever asks, and nothing left at a seam.

#include <algorithm>
#include <cmath>
#include <vector>

#include "check.h"
#include "geng/error.h"
#include "geng/long_series.h"
#include "model/structure.h"
#include "random_model.h"

using namespace geng;

namespace {

struct Loaded {
  random_model::Sizes sizes;
  random_model::TempFile file;
  Generator generator;
  std::vector<float> condition;

  explicit Loaded(int threads = 1)
      : file(random_model::temporary(sizes)),
        generator(file.path(), Precision::float32, threads),
        condition(random_model::condition(4, sizes.hidden)) {}

  [[nodiscard]] LongSeries series(std::size_t count, std::size_t length,
                                  std::uint64_t seed = 7) const {
    SamplerConfig config;
    config.steps = 3;
    config.seed = seed;
    return {generator, condition, count, length, config};
  }
};

/// All blocks of every row, put together: [count, length].
std::vector<float> whole(LongSeries series, std::size_t length) {
  std::vector<float> all(series.count() * length);
  std::size_t done = 0;
  while (const std::size_t steps = series.block()) {
    std::vector<float> block(series.count() * steps);
    series.next(block);
    for (std::size_t i = 0; i < series.count(); ++i) {
      std::copy_n(block.data() + i * steps, steps, all.data() + i * length + done);
    }
    done += steps;
  }
  CHECK_EQ(done, length);
  return all;
}

}  // namespace

TEST(LongSeries, GivesHalfAWindowAtATimeAndThenWhatIsLeft) {
  const Loaded model;
  const std::size_t hop = model.generator.window() / 2;
  const std::size_t length = 5 * hop + 8;
  LongSeries series = model.series(2, length);
  std::vector<float> block(2 * hop);
  for (int i = 0; i < 5; ++i) {
    CHECK_EQ(series.block(), hop);
    series.next(block);
    CHECK(std::ranges::all_of(block, [](float x) { return std::isfinite(x); }));
  }
  CHECK_EQ(series.block(), 8u);
  CHECK_ERROR(series.next(block), Code::invalid_argument, "it must have 16");
  std::vector<float> rest(16);
  series.next(rest);
  CHECK_EQ(series.block(), 0u);
}

TEST(LongSeries, DrawsRowIFromSeedPlusIOnAnyNumberOfThreads) {
  const Loaded model(2);
  const std::size_t length = 20 * model.generator.window();  // beyond what the rehearsal keeps
  const auto batch = whole(model.series(3, length), length);
  const auto again = whole(Loaded(1).series(3, length), length);
  CHECK(batch == again);
  const auto second = whole(model.series(1, length, 8), length);
  CHECK(std::equal(second.begin(), second.end(), batch.begin() + static_cast<long>(length)));
}

TEST(LongSeries, RefusesWhatIsNoChain) {
  const Loaded model;
  const std::size_t window = model.generator.window();
  CHECK_ERROR(model.series(1, window - 8), Code::invalid_argument, "for chains");
  CHECK_ERROR(model.series(1, window + 4), Code::invalid_argument, "it must be a multiple of 8");
  CHECK_ERROR(model.series(1, kMaxChainLength + 8), Code::invalid_argument, "for chains");
  CHECK_ERROR(model.series(0, window), Code::invalid_argument, "count is 0; it must be 1 to 1024");
  CHECK_ERROR(model.series(1025, window), Code::invalid_argument, "count is 1025");
}

TEST(Structure, AStretchIsWhatTheWholeIsThere) {
  constexpr std::size_t kSteps = 96;
  std::vector<double> season(32, 0.0);
  season[kPeriod] = 0.1;
  season[kCosPhase] = 0.6;
  season[kSinPhase] = 0.8;
  season[kAmplitude] = 0.4;
  season[kHarmonics] = 1.0;
  season[kHarmonics + 1] = 0.5;
  std::vector<double> level(32, 0.0);
  level[kColour] = 0.7;
  level[kEnvelope] = 0.5;
  std::vector<float> white(kSteps);
  for (std::size_t t = 0; t < kSteps; ++t) white[t] = std::sin(static_cast<float>(7 * t));
  const Frame frame;
  const Event shift{kShift, 40.0, 3.0, 0.5};
  const Event drop{kDropout, 30.0, 12.0, 0.25};
  const auto rendered = [&](std::size_t part) {
    std::vector<double> x(kSteps, 0.0);
    Noise noise(level, frame.noise);
    for (std::size_t first = 0; first < kSteps; first += part) {
      const Stretch stretch{first, kSteps};
      const auto here = std::span(x).subspan(first, part);
      add_season(season, frame.period[0], 14, stretch, here);
      noise.add(stretch, std::span(white).subspan(first, part), here);
      add_event(shift, stretch, here);
      drop_out(drop, -2.0, stretch, here);
    }
    return x;
  };
  const auto at_once = rendered(kSteps);
  CHECK(at_once == rendered(32));
  CHECK(at_once == rendered(8));
  CHECK_EQ(at_once[30], -2.25);
  CHECK_EQ(at_once[41], -2.25);
  CHECK(at_once[42] > -2.0);
}

CHECK_MAIN()
