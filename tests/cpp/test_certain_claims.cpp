// What a text states beyond doubt holds in every latent that it yields.

#include <cmath>
#include <numbers>
#include <vector>

#include "bench/gguf_writer.h"
#include "check.h"
#include "format/gguf.h"
#include "model/certain_claims.h"
#include "model/decoder.h"

using namespace geng;

namespace {

constexpr std::size_t kSteps = 2048;

/// Change over the window of the line that fits a trend best, on a grid.
double change_of(std::span<const double> trend) {
  double along = 0.0;
  double square = 0.0;
  for (std::size_t t = 0; t < kSteps; ++t) {
    const double v = (static_cast<double>(t) + 0.5) / kSteps;
    double value = trend[0] * (v - 0.5);
    for (std::size_t k = 1; k < trend.size(); ++k) {
      value +=
          std::numbers::sqrt2 * trend[k] * std::cos(std::numbers::pi * static_cast<double>(k) * v);
    }
    along += value * (v - 0.5);
    square += (v - 0.5) * (v - 0.5);
  }
  return along / square;
}

std::vector<double> bent() { return {0.05, -0.1, 0.07, 0.03, -0.02, 0.01}; }

}  // namespace

TEST(CertainClaims, NoTrendLeavesNoChangeAndEveryBend) {
  std::vector<double> trend = bent();
  impose(TrendClaim::none, trend);
  CHECK_NEAR(change_of(trend), 0.0, 1e-4);
  for (std::size_t k = 1; k < trend.size(); ++k) CHECK_EQ(trend[k], bent()[k]);
}

TEST(CertainClaims, ATrendIsPlainInTheDirectionAsked) {
  std::vector<double> trend = bent();
  trend[0] = -1.0;
  impose(TrendClaim::up, trend);
  CHECK_NEAR(change_of(trend), 0.3, 1e-4);
  impose(TrendClaim::down, trend);
  CHECK_NEAR(change_of(trend), -0.3, 1e-4);
  trend[0] -= 1.0;
  const double steep = trend[0];
  impose(TrendClaim::down, trend);  // steep enough as it is
  CHECK_NEAR(trend[0], steep, 1e-12);
}

TEST(CertainClaims, ALonePeakOfTheSpectrumGoesAndSlowWanderStays) {
  std::vector<double> cosines(100, 0.01);
  cosines[1] = 0.5;
  cosines[41] = -0.4;
  flatten_peaks(cosines);
  CHECK_EQ(cosines[1], 0.5);
  CHECK_NEAR(cosines[41], -0.015, 1e-12);
  CHECK_EQ(cosines[60], 0.01);
}

TEST(CertainClaims, WithoutACycleTheSeasonsAreSilent) {
  const LatentLayout layout;
  const std::vector<float> mean(layout.size(), 0.25f);
  const std::vector<float> std(layout.size(), 2.0f);
  const Decoder decoder(layout, mean, std);
  std::vector<float> latent(layout.size(), 0.5f);
  const std::vector<float> before = latent;
  decoder.impose(CertainClaims{std::nullopt, true}, latent);
  for (const std::size_t token : {kSeason1, kSeason2}) {
    const std::size_t at = token * layout.width + kAmplitude;
    CHECK_NEAR(latent[at] * std[at] + mean[at], 0.0, 1e-6);
  }
  CHECK_NEAR(latent[kLevel * layout.width + kRange], before[0], 1e-6);
  CHECK_NEAR(latent[kEvents * layout.width], before[0], 1e-6);
}

TEST(ClaimScores, AreThereOnlyWhereTheirFieldsAre) {
  gguf::File file = gguf::tiny();
  for (const char* key : {"geng.claims.trend_up", "geng.claims.trend_down",
                          "geng.claims.trend_none", "geng.claims.no_cycle"}) {
    file.fields.emplace_back(key, gguf::u32(1));
  }
  const auto scores = [&] {
    const gguf::Image image(file.build());
    return ClaimScores::of(ModelFile::from_bytes(image.bytes(), "x.gguf"));
  };
  CHECK(!scores().has_value());
  file.fields.emplace_back("geng.claims.fields", gguf::strings({"trend", "trend"}));
  CHECK(scores().has_value());
}

CHECK_MAIN()
