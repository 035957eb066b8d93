#include "model/series_encoder.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>

#include "model/attention.h"
#include "model/coordinates.h"
#include "model/frame.h"
#include "model/series_analysis.h"

namespace geng {
namespace {

using cpu::Epilogue;

constexpr std::size_t kPatch = 16;
constexpr float kPatchGain = 4.0f;  // a window has range 1, so its values are small
constexpr float kNormEps = 1e-6f;

void layer_norm(const Compute& compute, std::span<const float> x, std::size_t width,
                std::span<float> y) {
  compute.kernels.layernorm(
      {x.data(), y.data(), nullptr, nullptr, 1.0f, kNormEps, x.size() / width, width});
}

void add_to(std::span<float> h, std::span<const float> update) {
  std::transform(h.begin(), h.end(), update.begin(), h.begin(), std::plus<>());
}

}  // namespace

bool SeriesEncoder::is_in(const ModelFile& file) { return file.has("geng.encoder.dim"); }

SeriesEncoder::SeriesEncoder(const WeightReader& weights, const LatentLayout& layout)
    : layout_(layout),
      window_(weights.file.u32("geng.window")),
      dim_(weights.file.u32("geng.encoder.dim")),
      heads_(weights.file.u32("geng.encoder.heads")),
      tokens_(2 * (window_ / kPatch) + 1),
      patch_(weights.exact("encoder.patch")),
      band_(weights.exact("encoder.band")),
      output_(weights.exact("encoder.output")),
      position_(weights.values("encoder.position")) {
  const std::size_t depth = weights.file.u32("geng.encoder.depth");
  blocks_.reserve(depth);
  for (std::size_t i = 0; i < depth; ++i) {
    const std::string prefix = "encoder." + std::to_string(i) + ".";
    blocks_.push_back({weights.exact(prefix + "qkv"), weights.exact(prefix + "o"),
                       weights.exact(prefix + "up"), weights.exact(prefix + "down")});
  }
}

/// Log power of the window without its slope at multiples of half a DFT bin.
std::vector<float> SeriesEncoder::spectrum_of(std::span<const double> x) const {
  const auto n = static_cast<double>(window_);
  const auto u = [&](std::size_t t) { return 2.0 * static_cast<double>(t) / (n - 1.0) - 1.0; };
  double rise = 0.0;
  double square = 0.0;
  for (std::size_t t = 0; t < window_; ++t) {
    rise += x[t] * u(t);
    square += u(t) * u(t);
  }
  std::vector<double> cosine(2 * window_);
  for (std::size_t m = 0; m < cosine.size(); ++m) {
    cosine[m] = std::cos(std::numbers::pi * static_cast<double>(m) / n);
  }
  std::vector<double> power(window_);
  double mean = 0.0;
  for (std::size_t k = 1; k <= window_; ++k) {
    double re = 0.0;
    double im = 0.0;
    for (std::size_t t = 0; t < window_; ++t) {
      const double level = x[t] - rise / square * u(t);
      const std::size_t m = t * k % cosine.size();
      re += level * cosine[m];
      im += level * cosine[(m + 3 * window_ / 2) % cosine.size()];  // sin a = cos(a - pi / 2)
    }
    power[k - 1] = re * re + im * im;
    mean += power[k - 1] / n;
  }
  std::vector<float> spectrum(window_);
  for (std::size_t k = 0; k < window_; ++k) {
    spectrum[k] = static_cast<float>(std::log(1e-4 + power[k] / std::max(mean, 1e-12)) / 4.0);
  }
  return spectrum;
}

void SeriesEncoder::run_block(const Compute& compute, const Block& block,
                              std::span<float> h) const {
  std::vector<float> narrow(h.size());
  std::vector<float> wide(4 * h.size());
  std::vector<float> scores(score_floats(compute.kernels, tokens_, tokens_));
  std::vector<float> packed(packed_head_floats(compute.kernels, tokens_, dim_ / heads_));
  layer_norm(compute, h, dim_, narrow);
  block.qkv.apply_once(compute, narrow, Epilogue::none, std::span(wide).first(3 * h.size()));
  attend_once(compute.kernels,
              {wide.data(), narrow.data(), 3 * dim_, dim_, tokens_, tokens_, dim_, heads_},
              {wide.data() + dim_, wide.data() + 2 * dim_, 3 * dim_}, packed, scores);
  std::vector<float> update(h.size());
  block.o.apply_once(compute, narrow, Epilogue::none, update);
  add_to(h, update);
  layer_norm(compute, h, dim_, narrow);
  block.up.apply_once(compute, narrow, Epilogue::gelu_tanh, wide);
  block.down.apply_once(compute, wide, Epilogue::none, update);
  add_to(h, update);
}

std::vector<double> SeriesEncoder::propose(const Compute& compute,
                                           std::span<const double> x) const {
  std::vector<float> patches(window_);
  std::transform(x.begin(), x.end(), patches.begin(),
                 [](double value) { return kPatchGain * static_cast<float>(value); });
  const std::size_t half = window_ / kPatch * dim_;
  std::vector<float> h(tokens_ * dim_);
  patch_.apply_once(compute, patches, Epilogue::none, std::span(h).first(half));
  band_.apply_once(compute, spectrum_of(x), Epilogue::none, std::span(h).subspan(half, half));
  add_to(h, position_);
  for (const Block& block : blocks_) run_block(compute, block, h);
  layer_norm(compute, h, dim_, h);
  std::vector<float> scores(Proposal::kSize);
  output_.apply_once(compute, std::span(h).last(dim_), Epilogue::none, scores);
  return {scores.begin(), scores.end()};
}

void SeriesEncoder::encode(const Compute& compute, std::span<const float> x,
                           std::span<float> raw) const {
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  const double range = std::max(double{*high} - *low, 1e-12);
  double sum = 0.0;
  for (const float value : x) sum += value;
  const double share = (sum / static_cast<double>(x.size()) - *low) / range;
  std::vector<double> shape(x.size());
  std::transform(x.begin(), x.end(), shape.begin(),
                 [&](float value) { return (double{value} - *low) / range - share; });
  const std::vector<double> scores = propose(compute, shape);
  std::vector<double> structure = explain(layout_, shape, Proposal{scores});
  structure[kRange] = range;
  structure[kLow] = *low;
  structure[kMean] = share;
  to_coordinates(layout_, Frame{}, structure);
  std::transform(structure.begin(), structure.end(), raw.begin(),
                 [](double value) { return static_cast<float>(value); });
}

}  // namespace geng
