// The decoder and its frame: what a text states is met exactly.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "check.h"
#include "model/coordinates.h"
#include "model/decoder.h"
#include "model/frame.h"
#include "model/structure.h"

using namespace geng;

namespace {

constexpr std::size_t kLength = 512;

Roles roles_of(std::initializer_list<std::pair<Role, RoleValue>> known) {
  Roles roles;
  for (const auto& [role, value] : known) roles.by_role[static_cast<std::size_t>(role)] = value;
  return roles;
}

struct Fixture {
  LatentLayout layout;
  std::vector<float> mean = std::vector<float>(layout.size(), 0.0f);
  std::vector<float> std = std::vector<float>(layout.size(), 1.0f);
  std::vector<float> latent = std::vector<float>(layout.size(), 0.0f);
  std::vector<float> white = std::vector<float>(kLength, 0.0f);

  Fixture() {
    at(kLevel, kNoise) = -9.0f;
    at(kEvents, kNone) = at(kEvents, kEventWidth) = 1.0f;
  }
  float& at(std::size_t token, std::size_t column) { return latent[token * layout.width + column]; }

  void put_sine(float amplitude) {
    at(kSeason1, kCosPhase) = 1.0f;
    at(kSeason1, kAmplitude) = amplitude;
    at(kSeason1, kHarmonics) = 1.0f;
  }
  [[nodiscard]] std::vector<float> decode(const Frame& frame) const {
    const Decoder decoder(layout, mean, std);
    std::vector<double> scratch(decoder.scratch_doubles(kLength));
    std::vector<float> series(kLength);
    decoder.decode(latent, frame, CosineTable(kLength), white, Finish::calibrated, scratch, series);
    return series;
  }
};

}  // namespace

TEST(Frame, TakesTheRangeHoweverItIsSaid) {
  const Frame limits = frame_of(roles_of({{Role::low, {5.0}}, {Role::high, {-5.0}}}), kLength);
  CHECK(limits.range.centre == 10.0 && limits.low.centre == -5.0 && limits.range.known);
  const Frame around =
      frame_of(roles_of({{Role::center, {20.0}}, {Role::amplitude, {3.0}}}), kLength);
  CHECK(around.range.centre == 6.0 && around.low.centre == 17.0 && around.low.known);
  const Frame mean = frame_of(roles_of({{Role::mean, {20.0}}, {Role::span, {4.0}}}), kLength);
  CHECK(mean.range.centre == 4.0 && mean.low.centre == 18.0 && mean.mean.known);
  const RoleValue tenth{10.0, 0.0, true};
  const Frame share =
      frame_of(roles_of({{Role::center, {230.0}}, {Role::amplitude, tenth}}), kLength);
  CHECK(share.range.centre == 46.0 && share.low.centre == 207.0);
  const RoleValue half{50.0, 0.0, true};
  const Frame points =
      frame_of(roles_of({{Role::center, half}, {Role::amplitude, tenth}}), kLength);
  CHECK(points.range.centre == 20.0 && points.low.centre == 40.0);
}

TEST(Frame, IgnoresNumbersThatCannotBe) {
  const Frame frame = frame_of(roles_of({{Role::period, {1.0, 0.5}},
                                         {Role::low, {std::nan("")}},
                                         {Role::high, {1e31}},
                                         {Role::position, {900.0, 900.0}},
                                         {Role::resolution, {-1.0}}}),
                               kLength);
  CHECK(!frame.range.known && !frame.period[0].known && !frame.position[0].known);
  CHECK(frame.resolution == 0.0);
}

TEST(Frame, TakesARecurrenceForThePeriodWhereThereIsNone) {
  Roles roles;
  roles.recurrence = RoleValue{1.0, 48.0};
  settle_recurrence(roles, kLength);
  CHECK(frame_of(roles, kLength).period[0].centre == 48.0);

  Roles periodic = roles_of({{Role::period, {64.0, 64.0}}});
  periodic.recurrence = RoleValue{1.0, 48.0};
  settle_recurrence(periodic, kLength);
  CHECK(frame_of(periodic, kLength).period[0].centre == 64.0);

  Roles slow;  // once in the window is no cycle that it shows
  slow.recurrence = RoleValue{1.0, 0.9 * kLength};
  settle_recurrence(slow, kLength);
  CHECK(!frame_of(slow, kLength).period[0].known);
}

TEST(Frame, PutsWhatGoesBothWaysAboutZeroWhereNoLevelIsSaid) {
  const RoleValue size{2.0, 0.0};
  for (const auto role : {Role::amplitude, Role::span, Role::other}) {  // "±2" is no swing of 2
    Roles roles = role == Role::other ? Roles{} : roles_of({{role, size}});
    roles.both_ways = size;
    settle_both_ways(roles);
    const Frame frame = frame_of(roles, kLength);
    CHECK(frame.low.centre == -2.0 && frame.range.centre == 4.0 && frame.low.known);
  }

  Roles levelled = roles_of({{Role::amplitude, size}, {Role::mean, {20.0, 0.0}}});
  levelled.both_ways = size;
  settle_both_ways(levelled);
  CHECK(frame_of(levelled, kLength).low.centre == 18.0);

  Roles noisy = roles_of({{Role::noise, size}});  // a number that has another role keeps it
  noisy.both_ways = size;
  settle_both_ways(noisy);
  CHECK(!frame_of(noisy, kLength).range.known);
}

TEST(Frame, KeepsASeriesWhereItIsSaidToStay) {
  const RoleValue level{5.0, 0.0};
  for (const auto role : {Role::center, Role::mean, Role::low, Role::high, Role::other}) {
    Roles roles = role == Role::other ? Roles{} : roles_of({{role, level}});
    roles.stays = level;
    settle_stays(roles);
    const Frame frame = frame_of(roles, kLength);
    CHECK(frame.low.known && std::fabs(frame.low.centre - 4.975) < 1e-12);
    CHECK(frame.range.known && std::fabs(frame.range.centre - 0.05) < 1e-12);
  }

  Roles noisy = roles_of({{Role::mean, level}, {Role::noise, {0.01, 0.0}}});
  noisy.stays = level;
  settle_stays(noisy);
  CHECK(std::fabs(frame_of(noisy, kLength).range.centre - 0.06) < 1e-12);

  Roles zero = roles_of({{Role::center, {0.0, 0.0}}});
  zero.stays = RoleValue{};
  settle_stays(zero);
  CHECK(frame_of(zero, kLength).low.centre == -kStill);

  Roles ranged = roles_of({{Role::low, level}, {Role::high, {9.0, 0.0}}});  // two levels: it moves
  ranged.stays = level;
  settle_stays(ranged);
  CHECK(frame_of(ranged, kLength).range.centre == 4.0);
}

TEST(Frame, TakesALengthThatIsSaidTwiceForOneCycle) {
  const Frame twice =
      frame_of(roles_of({{Role::period, {3.0, 96.0}}, {Role::period2, {1.0, 96.0}}}), kLength);
  CHECK(twice.period[0].known && !twice.period[1].known);
  const Frame two =
      frame_of(roles_of({{Role::period, {3.0, 96.0}}, {Role::period2, {1.0, 24.0}}}), kLength);
  CHECK(two.period[1].centre == 24.0);
}

TEST(Decoder, MeetsALevelThatIsStatedAlone) {
  Fixture f;
  f.put_sine(0.5f);
  const auto drawn = [&](Role role) {
    return f.decode(frame_of(roles_of({{role, {20.0, 0.0}}}), kLength));
  };
  const auto lowest = drawn(Role::low);
  CHECK(*std::min_element(lowest.begin(), lowest.end()) == 20.0f);
  const auto highest = drawn(Role::high);
  CHECK(*std::max_element(highest.begin(), highest.end()) == 20.0f);
  const auto around = drawn(Role::center);
  const auto [least, most] = std::minmax_element(around.begin(), around.end());
  CHECK(std::fabs((*least + *most) / 2.0f - 20.0f) < 1e-4f);
  const auto averaging = drawn(Role::mean);
  const double sum = std::accumulate(averaging.begin(), averaging.end(), 0.0);
  CHECK(std::fabs(sum / kLength - 20.0) < 1e-3);
}

TEST(Decoder, MeetsAMeanAndOneLimit) {
  Fixture f;
  f.put_sine(0.5f);
  f.at(kEvents, kNone) = 0.0f;  // a spike: the mean is not in the middle
  f.at(kEvents, kSpike) = 1.0f;
  f.at(kEvents, kSize) = 1.0f;
  for (const auto& [role, limit] : {std::pair{Role::low, 12.0}, {Role::high, 31.0}}) {
    const auto series =
        f.decode(frame_of(roles_of({{Role::mean, {20.0}}, {role, {limit}}}), kLength));
    const auto [least, most] = std::minmax_element(series.begin(), series.end());
    CHECK(std::fabs((role == Role::low ? *least : *most) - limit) < 1e-5);
    const double sum = std::accumulate(series.begin(), series.end(), 0.0);
    CHECK(std::fabs(sum / kLength - 20.0) < 1e-3);
  }
}

TEST(Decoder, DrawsACalmRangeBesideALevelAndKeepsAnExamples) {
  Fixture f;
  f.put_sine(0.5f);
  const Frame frame = frame_of(roles_of({{Role::mean, {20.0, 0.0}}}), kLength);
  f.at(kLevel, kRange) = 4.0f;
  const auto series = f.decode(frame);
  const auto [least, most] = std::minmax_element(series.begin(), series.end());
  CHECK(*most - *least < 30.0f);  // without the calm, 500

  std::vector<double> structure(f.layout.size(), 0.0);
  structure[kLow] = 0.0;
  structure[kRange] = 0.5;
  structure[kMean] = 0.5;
  to_coordinates(f.layout, frame, structure);
  const Level level = level_of(std::span(structure).first(f.layout.width), frame);
  CHECK(std::fabs(level.range - 0.5) < 1e-9);
}

TEST(Decoder, MeetsRangeMeanAndResolutionExactly) {
  Fixture f;
  f.put_sine(0.5f);
  const Frame frame = frame_of(roles_of({{Role::low, {-5.0}},
                                         {Role::high, {5.0}},
                                         {Role::mean, {1.0}},
                                         {Role::resolution, {0.25}}}),
                               kLength);
  const auto series = f.decode(frame);
  const auto [low, high] = std::minmax_element(series.begin(), series.end());
  CHECK(*low == -5.0f && *high == 5.0f);
  double sum = 0.0;
  for (const float x : series) {
    sum += x;
    CHECK(x * 4.0f == std::round(x * 4.0f));
  }
  CHECK(std::fabs(sum / kLength - 1.0) < 0.02);
}

TEST(Decoder, MeetsStatedLimitsWhateverALatentDrawsBesideThem) {
  Fixture f;
  f.put_sine(0.5f);
  f.at(kEvents, kNone) = 0.0f;
  f.at(kEvents, kDropout) = 1.0f;
  f.at(kEvents, kSize) = 0.4f;
  const Frame limits = frame_of(roles_of({{Role::low, {0.0}}, {Role::high, {100.0}}}), kLength);
  const Frame around =
      frame_of(roles_of({{Role::center, {50.0}}, {Role::amplitude, {50.0}}}), kLength);
  for (const float drawn : {-3.0f, -0.5f, 0.5f, 3.0f}) {
    f.at(kLevel, kRange) = drawn;
    f.at(kLevel, kLow) = -drawn;
    for (const Frame& frame : {limits, around}) {
      const auto series = f.decode(frame);
      const auto [low, high] = std::minmax_element(series.begin(), series.end());
      CHECK(*low == 0.0f && *high == 100.0f);
    }
  }
}

TEST(Decoder, KeepsOnePeriodOverTheWholeWindow) {
  Fixture f;
  f.put_sine(0.5f);
  const Frame frame = frame_of(roles_of({{Role::period, {37.5, 37.5}}}), kLength);
  const auto series = f.decode(frame);
  for (std::size_t t = 0; t + 75 < kLength; ++t) {
    CHECK(std::fabs(series[t] - series[t + 75]) < 1e-3f * std::fabs(series[0]) + 1e-3f);
  }
}

TEST(Decoder, PutsASpikeWhereItWasAsked) {
  Fixture f;
  f.put_sine(0.1f);
  f.at(kEvents, kNone) = 0.0f;
  f.at(kEvents, kSpike) = 1.0f;
  f.at(kEvents, kSize) = 0.7f;
  const Frame frame = frame_of(roles_of({{Role::position, {300.0, 300.0}}}), kLength);
  const auto series = f.decode(frame);
  CHECK(std::max_element(series.begin(), series.end()) - series.begin() == 300);
}

TEST(Decoder, KeepsEventsBriefInAShorterWindow) {
  const auto width = [](EventKind kind, double steps, std::size_t length) {
    std::vector<double> row(kEventsPerSeries * kEventWidth, 0.0);
    row[kind] = 1.0;
    row[kLogWidth] = std::log(steps);
    return events_of(row, frame_of({}, length), length)[0].width;
  };
  CHECK_NEAR(width(kSpike, 2.0, 1024), 2.0, 1e-9);
  CHECK_NEAR(width(kSpike, 2.0, 128), 0.5, 1e-9);
  CHECK_NEAR(width(kDropout, 40.0, 128), 10.0, 1e-9);
  CHECK_NEAR(width(kDropout, 16.0, 64), 4.0, 1e-9);
}

TEST(Decoder, SurvivesALatentFarOutsideAnyTrainedOne) {
  Fixture f;
  std::ranges::fill(f.latent, 1e4f);
  for (const float x : f.decode(Frame{})) CHECK(std::isfinite(x));
  std::ranges::fill(f.latent, -1e4f);
  for (const float x : f.decode(Frame{})) CHECK(std::isfinite(x));
}

CHECK_MAIN()
