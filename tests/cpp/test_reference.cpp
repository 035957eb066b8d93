// Stage two: what is held of an example comes out, what is let go does not, and noise whitens.

#include <algorithm>
#include <cmath>
#include <vector>

#include "check.h"
#include "core/philox.h"
#include "geng/error.h"
#include "geng/generator.h"
#include "model/coordinates.h"
#include "model/structure.h"
#include "random_model.h"

using namespace geng;

namespace {

struct Loaded {
  random_model::Sizes sizes;
  random_model::TempFile file;
  Generator generator;
  std::vector<float> condition;
  std::vector<float> example;

  Loaded()
      : file(random_model::temporary(sizes)),
        generator(file.path(), Precision::float32, 1),
        condition(random_model::condition(4, sizes.hidden)),
        example(generator.latent_tokens() * generator.latent_width()) {
    fill_normal(99, NoiseStream::initial_latent, 0, example);
  }

  [[nodiscard]] std::vector<float> latents(const Reference& reference,
                                           std::size_t count = 2) const {
    SamplerConfig config;
    config.steps = 4;
    config.seed = 3;
    config.reference = reference;
    std::vector<float> out(count * example.size());
    generator.sample_latents(condition, count, 64, config, {}, out);
    return out;
  }
};

}  // namespace

TEST(Reference, WhatIsHeldToTheEndComesOut) {
  const Loaded model;
  const std::vector<std::int32_t> release(model.example.size(), -1);
  const std::vector<float> out = model.latents({model.example, release});
  for (std::size_t i = 0; i < out.size(); ++i) {
    CHECK_NEAR(out[i], model.example[i % model.example.size()], 1e-6);
  }
}

TEST(Reference, WhatIsFreeFromTheFirstLeavesNoTrace) {
  const Loaded model;
  const std::vector<std::int32_t> release(model.example.size(), model.generator.train_steps() - 1);
  CHECK(model.latents({model.example, release}) == model.latents({}));
}

TEST(Reference, HoldingOneTokenLeavesTheOthersToTheBridge) {
  const Loaded model;
  const std::size_t width = model.generator.latent_width();
  std::vector<std::int32_t> release(model.example.size(), model.generator.train_steps() - 1);
  std::fill_n(release.begin() + static_cast<std::ptrdiff_t>(width), width, -1);
  const std::vector<float> out = model.latents({model.example, release}, 1);
  double apart = 0.0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double off = std::fabs(out[i] - model.example[i]);
    if (i / width == 1) {
      CHECK_NEAR(off, 0.0, 1e-6);
    } else {
      apart = std::max(apart, off);
    }
  }
  CHECK(apart > 0.1);
}

TEST(Reference, SizesAndSharesAreChecked) {
  const Loaded model;
  const std::vector<std::int32_t> release(model.example.size(), -1);
  const std::span<const float> latent(model.example);
  const std::span<const std::int32_t> steps(release);
  const std::vector<float> white(64, 0.0f);
  const std::vector<float> nothing(64, std::nanf(""));
  CHECK_ERROR(model.latents({latent.first(3), steps}), Code::invalid_argument, "must");
  CHECK_ERROR(model.latents({latent, steps.first(3)}), Code::invalid_argument, "must");
  CHECK_ERROR(model.latents({latent, steps, std::span(white).first(8), 0.5}),
              Code::invalid_argument, "must");
  CHECK_ERROR(model.latents({latent, steps, nothing, 0.5}), Code::invalid_argument, "must");
  CHECK_ERROR(model.latents({latent, steps, white, 1.5}), Code::invalid_argument, "must");
  CHECK_ERROR(model.latents({latent, steps, white, std::nan("")}), Code::invalid_argument, "must");
}

TEST(Noise, WhatDroveItIsFoundAgain) {
  std::vector<double> row(32, 0.0);
  row[kNoise] = 0.5;
  row[kColour] = 1.2;
  for (std::size_t i = 0; i < kEnvelopeKnots; ++i)
    row[kEnvelope + i] = 0.2 * static_cast<double>(i);
  const Coordinate coordinate = Frame{}.noise;
  std::vector<float> white(512);
  fill_normal(5, NoiseStream::decoder, 0, white);
  std::vector<double> x(512, 0.0);
  Noise(row, coordinate).add({0, 512}, white, x);
  std::vector<float> found(512);
  Noise(row, coordinate).whiten({0, 512}, x, found);
  for (std::size_t t = 0; t < 512; ++t) CHECK_NEAR(found[t], white[t], 1e-4);
}

TEST(Noise, SilenceWhitensToZeros) {
  std::vector<double> row(32, 0.0);
  row[kNoise] = -100.0;
  const std::vector<double> x(64, 1.0);
  std::vector<float> found(64, 7.0f);
  Noise(row, Frame{}.noise).whiten({0, 64}, x, found);
  CHECK(found == std::vector<float>(64, 0.0f));
}

TEST(Coordinates, AStructureIsTheSameInEveryFrame) {
  const LatentLayout layout{.tokens = 10, .width = 32};
  Frame frame;
  frame.range = {12.0, 0.4};
  frame.low = {-3.0, 0.7};
  frame.period[0] = {24.0, 0.1, true};
  frame.position[0] = {0.6, 0.05, true};
  std::vector<float> drawn(layout.size());
  fill_normal(8, NoiseStream::initial_latent, 0, drawn);
  std::vector<double> structure(drawn.begin(), drawn.end());
  structure[kRange] = 11.0;
  structure[kSeason1 * layout.width + kAmplitude] = 0.3;
  structure[kSeason1 * layout.width + kPeriod] = 25.0;
  structure[kSeason2 * layout.width + kAmplitude] = 0.0;
  for (std::size_t i = 0; i < kEventsPerSeries; ++i) {
    structure[kEvents * layout.width + i * kEventWidth + kNone] = static_cast<double>(i);
  }
  structure[kEvents * layout.width + kPosition] = 0.62;
  const std::vector<double> before = structure;
  to_coordinates(layout, frame, structure);
  to_structure(layout, frame, structure);
  const std::size_t empty_period = kSeason2 * layout.width + kPeriod;
  const std::size_t empty_place = kEvents * layout.width + kEventWidth + kPosition;
  for (std::size_t i = 0; i < structure.size(); ++i) {
    if (i != empty_period && i != empty_place) CHECK_NEAR(structure[i], before[i], 1e-9);
  }
}

TEST(Coordinates, StatedLimitsStandInPlaceOfThoseDrawn) {
  const LatentLayout layout{.tokens = 10, .width = 32};
  Frame frame;
  frame.range = {12.0, 0.02, true};
  frame.low = {-3.0, 0.02, true};
  std::vector<double> raw(layout.size(), 0.0);
  raw[kRange] = 1.5;
  raw[kLow] = -2.0;
  to_structure(layout, frame, raw);
  CHECK_EQ(raw[kRange], 12.0);
  CHECK_EQ(raw[kLow], -3.0);
}

TEST(Coordinates, NumbersOfATextStandInPlaceOfTheExamples) {
  const LatentLayout layout{.tokens = 10, .width = 32};
  Frame frame;
  frame.range = {12.0, 0.4, true};
  frame.period[0] = {24.0, 0.1, true};
  std::vector<double> structure(layout.size(), 0.0);
  structure[kRange] = 40.0;
  structure[kMean] = 0.3;
  structure[kSeason1 * layout.width + kAmplitude] = 0.3;
  structure[kSeason1 * layout.width + kPeriod] = 50.0;
  obey(layout, frame, structure);
  CHECK_NEAR(structure[kRange], 12.0, 1e-12);
  CHECK_NEAR(structure[kMean], 0.3, 1e-12);
  CHECK_NEAR(structure[kSeason1 * layout.width + kPeriod], 24.0, 1e-12);
}

CHECK_MAIN()
