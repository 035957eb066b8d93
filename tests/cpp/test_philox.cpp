#include <cmath>
#include <vector>

#include "check.h"
#include "core/philox.h"

using geng::fill_normal;
using geng::NoiseStream;
using geng::philox4x32_10;
using Words = std::array<std::uint32_t, 4>;

// The known answers that Random123 publishes for philox4x32, 10 rounds.
TEST(Philox, GivesThePublishedAnswerForZeros) {
  CHECK_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}),
           (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
}
TEST(Philox, GivesThePublishedAnswerForOnes) {
  constexpr std::uint32_t ones = 0xffffffff;
  CHECK_EQ(philox4x32_10({ones, ones, ones, ones}, {ones, ones}),
           (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}
TEST(Philox, GivesThePublishedAnswerForDigitsOfPi) {
  CHECK_EQ(
      philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Normals, HaveTheMomentsOfTheStandardNormal) {
  std::vector<float> draws(100000);
  fill_normal(7, NoiseStream::initial_latent, 0, draws);
  double sum = 0, squares = 0, fourths = 0;
  for (const double x : draws) {
    sum += x;
    squares += x * x;
    fourths += x * x * x * x;
  }
  const auto n = static_cast<double>(draws.size());
  CHECK_NEAR(sum / n, 0.0, 0.015);
  CHECK_NEAR(squares / n, 1.0, 0.02);
  CHECK_NEAR(fourths / n, 3.0, 0.12);
}

TEST(Normals, DoNotDependOnHowManyAreDrawn) {
  std::vector<float> many(41), few(6);
  fill_normal(1, NoiseStream::decoder, 0, many);
  fill_normal(1, NoiseStream::decoder, 0, few);
  for (std::size_t i = 0; i < few.size(); ++i) CHECK_EQ(few[i], many[i]);
}

TEST(Normals, DifferBetweenSeedsStreamsAndSteps) {
  float a = 0, b = 0, c = 0, d = 0;
  fill_normal(1, NoiseStream::solver, 0, {&a, 1});
  fill_normal(2, NoiseStream::solver, 0, {&b, 1});
  fill_normal(1, NoiseStream::decoder, 0, {&c, 1});
  fill_normal(1, NoiseStream::solver, 1, {&d, 1});
  CHECK(a != b && a != c && a != d);
}

TEST(Normals, UseBothHalvesOfTheSeed) {
  float low = 0, high = 0;
  fill_normal(5, NoiseStream::solver, 0, {&low, 1});
  fill_normal(5 + (std::uint64_t{1} << 32), NoiseStream::solver, 0, {&high, 1});
  CHECK(low != high);
}

CHECK_MAIN()
