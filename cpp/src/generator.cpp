#include "geng/generator.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/philox.h"
#include "diffusion/noise_schedule.h"
#include "diffusion/sampler.h"
#include "format/gguf.h"
#include "format/model_layout.h"
#include "format/packed_weights.h"
#include "geng/error.h"
#include "model/bridge.h"
#include "model/bridge_denoiser.h"
#include "model/certain_claims.h"
#include "model/chain.h"
#include "model/claims_reader.h"
#include "model/condition_view.h"
#include "model/coordinates.h"
#include "model/decoder.h"
#include "model/number_reader.h"
#include "model/series_encoder.h"
#include "model/text_expert.h"
#include "request_checks.h"

namespace geng {
namespace {

/// Samples computed together: enough to share the weights, few enough to bound the memory.
constexpr std::size_t kChunk = 32;

PackedKey key_of(const ModelFile& file, const cpu::KernelSet& kernels, Precision precision) {
  constexpr std::size_t kAnyDepth = 1024;
  const std::size_t header =
      kernels.i8_header_bytes != nullptr ? kernels.i8_header_bytes(kAnyDepth) : 0;
  std::string layout;
  for (const std::size_t size :
       {std::size_t{kernels.i8_cols}, std::size_t{kernels.i8_depth},
        std::size_t{kernels.i8_shifted}, header, std::size_t{kernels.f32_cols}}) {
    layout += (layout.empty() ? "" : " ") + std::to_string(size);
  }
  return {file.fingerprint(),
          file.file_bytes(),
          file.modified(),
          kernels.name,
          layout,
          static_cast<std::uint32_t>(precision)};
}

/// Packed weights of an earlier start, or else a place for new ones; the file is checked either
/// way, its sum only when no earlier start found it right.
PackedWeights packed_of(const ModelFile& file, const std::string& cache_folder,
                        const PackedKey& key) {
  PackedWeights packed(cache_folder, key);
  if (!packed.is_cached()) file.verify();
  check_layout(file);
  return packed;
}

/// Calls body(first, count) for every chunk of `total` samples.
template <typename Body>
void for_chunks(std::size_t total, Body&& body) {
  for (std::size_t first = 0; first < total; first += kChunk) {
    body(first, std::min(kChunk, total - first));
  }
}

/// What drives the noise: partly what drove the example's.
void follow(const Reference& reference, std::span<float> white) noexcept {
  if (reference.innovations.empty() || reference.follow == 0.0) return;
  const double own = std::sqrt(1.0 - reference.follow);
  const double example = std::sqrt(reference.follow);
  for (std::size_t t = 0; t < white.size(); ++t) {
    white[t] = static_cast<float>(own * white[t] + example * reference.innovations[t]);
  }
}

/// What is held of an example keeps its claims by itself: none is imposed on it.
void yield_to(const Reference& reference, const LatentLayout& layout, CertainClaims& claims) {
  if (!reference.given()) return;
  const auto held = [&](std::size_t token) { return reference.release[token * layout.width] < 0; };
  if (held(kTrend)) claims.trend.reset();
  if (held(kSeason1)) claims.no_cycle = false;
}

std::vector<int> timesteps_of(const Trajectory& trajectory) {
  std::vector<int> timesteps;
  for (const Step& step : trajectory.steps()) timesteps.push_back(step.t);
  return timesteps;
}

}  // namespace

/// Everything a loaded model consists of. The order is the order of loading.
struct Generator::Parts {
  const cpu::KernelSet& kernels;
  ModelFile file;
  Precision precision;
  mutable PackedWeights packed;
  mutable ThreadPool pool;
  NoiseSchedule schedule;
  LatentLayout layout;
  TextExpert text;
  NumberReader reader;
  std::optional<ClaimsReader> claims;
  std::optional<ClaimScores> claim_scores;
  Bridge bridge;
  std::optional<Bridge> student;
  Decoder decoder;
  std::optional<SeriesEncoder> encoder;

  Parts(const std::string& path, Precision chosen, int threads, std::string_view isa,
        const std::string& cache_folder)
      : kernels(isa.empty() ? cpu::active() : cpu::select(cpu::detect(), isa)),
        file(ModelFile::open_unverified(path)),
        precision(chosen),
        packed(packed_of(file, cache_folder, key_of(file, kernels, precision))),
        pool(threads),
        schedule(file.tensor("schedule.alpha_bar").f32()),
        layout(LatentLayout::of(file)),
        text(weights()),
        reader(weights()),
        bridge(weights()),
        decoder(layout, file.tensor("latent.mean").f32(), file.tensor("latent.std").f32()) {
    if (file.has("geng.student.guidance")) student.emplace(weights(), "student");
    if (ClaimsReader::is_in(file)) {
      claims.emplace(weights());
      claim_scores = ClaimScores::of(file);
    }
    if (SeriesEncoder::is_in(file)) encoder.emplace(weights(), layout);
    packed.save();
  }

  [[nodiscard]] WeightReader weights() const noexcept { return {file, kernels, precision, packed}; }
  [[nodiscard]] Compute compute() const noexcept { return {kernels, pool}; }

  [[nodiscard]] ConditionView checked(std::span<const float> condition) const {
    const ConditionView view{condition, text.hidden()};
    check_condition(condition, view.width(), text.max_tokens());
    return view;
  }

  /// The network that `solver` was made for.
  [[nodiscard]] const Bridge& bridge_for(const Solver& solver) const {
    if (!solver.distilled) return bridge;
    if (student) return *student;
    throw Error(Code::invalid_argument, "solver is '" + std::string(solver.name) +
                                            "'; it must be another one: this model has no "
                                            "distilled student");
  }

  [[nodiscard]] Frame frame(const ConditionView& condition, std::size_t length) const {
    return frame_of(reader.read(compute(), condition), length);
  }

  /// How sure the claims reader is of each answer; empty without one.
  [[nodiscard]] std::vector<float> answers(const ConditionView& condition) const {
    return claims ? claims->shares(compute(), condition) : std::vector<float>{};
  }

  /// What `network` is told of a condition for a series of `length` steps.
  [[nodiscard]] BridgeMemory remember(const Bridge& network, const ConditionView& condition,
                                      std::size_t length, std::span<const float> answers) const {
    return network.remember(compute(), condition, frame(condition, length).features(), answers);
  }

  /// Renders series.size() / length latents; `white` fills the noise of one sample.
  template <typename White>
  void render(std::span<const float> latents, const Frame& frame, std::size_t length, Finish finish,
              const White& white, std::span<float> series) const;
};

Generator::Generator(const std::string& path, Precision precision, int threads,
                     std::string_view isa, const std::string& cache_folder)
    : parts_(std::make_unique<const Parts>(path, precision, threads, isa, cache_folder)) {}
Generator::~Generator() = default;
Generator::Generator(Generator&&) noexcept = default;
Generator& Generator::operator=(Generator&&) noexcept = default;

std::size_t Generator::text_width() const noexcept { return parts_->text.hidden(); }
std::size_t Generator::condition_width() const noexcept { return text_width() + kNumberWidth; }
std::size_t Generator::max_tokens() const noexcept { return parts_->text.max_tokens(); }
std::size_t Generator::latent_tokens() const noexcept { return parts_->layout.tokens; }
std::size_t Generator::latent_width() const noexcept { return parts_->layout.width; }
std::size_t Generator::window() const noexcept { return parts_->file.u32("geng.window"); }
int Generator::train_steps() const noexcept { return parts_->schedule.train_steps(); }
int Generator::threads() const noexcept { return parts_->pool.size(); }
Precision Generator::precision() const noexcept { return parts_->precision; }
std::string_view Generator::isa() const noexcept { return parts_->kernels.name; }
const ModelFile& Generator::file() const noexcept { return parts_->file; }

void Generator::encode_text(std::span<const std::int32_t> ids, std::span<const float> numbers,
                            std::span<float> condition) const {
  check_ids(ids, parts_->text.vocabulary_size(), max_tokens());
  check_size("numbers", numbers.size(), ids.size() * kNumberWidth);
  check_rows("numbers", numbers, kNumberWidth);
  check_size("condition", condition.size(), ids.size() * condition_width());
  parts_->text.encode(parts_->compute(), ids, condition.data(), condition_width());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    std::copy_n(numbers.data() + i * kNumberWidth, kNumberWidth,
                condition.data() + i * condition_width() + text_width());
  }
}

NumberReading Generator::read_numbers(std::span<const float> condition, std::size_t length) const {
  check_length(length);
  const Roles roles = parts_->reader.read(parts_->compute(), parts_->checked(condition));
  NumberReading reading;
  for (std::size_t i = 0; i < kRoles; ++i) {
    const auto& role = roles.by_role[i];
    if (role) reading.numbers.push_back({kRoleNames[i], role->value, role->steps});
  }
  const Frame frame = frame_of(roles, length);
  const auto add = [&](const Coordinate& c, std::string_view centre, std::string_view spread,
                       std::string_view flag) {
    reading.frame.insert(reading.frame.end(),
                         {{centre, c.centre}, {spread, c.spread}, {flag, c.known ? 1.0 : 0.0}});
  };
  add(frame.range, "range_centre", "range_spread", "has_range");
  add(frame.low, "low_centre", "low_spread", "has_level");
  add(frame.mean, "mean_centre", "mean_spread", "has_mean");
  add(frame.noise, "noise_centre", "noise_spread", "has_noise");
  add(frame.period[0], "period_centre", "period_spread", "has_period");
  add(frame.period[1], "period2_centre", "period2_spread", "has_period2");
  add(frame.position[0], "position_centre", "position_spread", "has_position");
  add(frame.position[1], "position2_centre", "position2_spread", "has_position2");
  reading.frame.emplace_back("resolution", frame.resolution);
  return reading;
}

std::vector<float> Generator::read_claims(std::span<const float> condition) const {
  if (!parts_->claims) {
    throw Error(Code::invalid_argument,
                "this model has no claims reader; it must be exported with one");
  }
  return parts_->claims->read(parts_->compute(), parts_->checked(condition));
}

void Generator::sample_latents(std::span<const float> condition, std::size_t count,
                               std::size_t length, const SamplerConfig& config,
                               const Progress& progress, std::span<float> latents) const {
  check_chain_steps(length);
  check_count(count);
  check_config(config, train_steps());
  const std::size_t latent = parts_->layout.size();
  check_reference(config.reference, latent, length);
  check_size("latents", latents.size(), count * latent);
  const ConditionView view = parts_->checked(condition);

  const Trajectory trajectory(parts_->schedule, config.steps);
  const Solver& solver = find_solver(config.solver);
  const Bridge& bridge = parts_->bridge_for(solver);
  const SamplerPlan plan{trajectory,
                         solver,
                         {config.guidance_scale, config.guidance_low, config.guidance_high},
                         config.eta,
                         config.reference};
  const Compute compute = parts_->compute();
  const std::vector<float> answers = parts_->answers(view);
  const BridgeMemory memory = parts_->remember(bridge, view, length, answers);
  std::optional<BridgeMemory> nothing;
  std::vector<const BridgeMemory*> memories{&memory};
  if (config.guidance_scale != 0.0) {
    memories.push_back(&nothing.emplace(bridge.remember_nothing(compute)));
  }
  const std::size_t batch = std::min(kChunk, count);
  BridgeDenoiser denoiser(bridge, compute, timesteps_of(trajectory), memories, batch);
  Arena arena(sampler_bytes(batch, latent));

  // All chunks land here first, so that a request that ends early leaves `latents` untouched.
  std::vector<float> drawn(latents.size());
  const int chunks = static_cast<int>((count + kChunk - 1) / kChunk);
  int done = 0;
  const StepObserver observer = [&](const Step&) {
    return !progress || progress(++done, chunks * config.steps);
  };
  for_chunks(count, [&](std::size_t first, std::size_t samples) {
    sample_batch(denoiser, plan, config.seed + first, samples, observer, arena,
                 std::span(drawn).subspan(first * latent, samples * latent));
  });
  CertainClaims certain =
      parts_->claim_scores ? parts_->claim_scores->certain(answers) : CertainClaims{};
  yield_to(config.reference, parts_->layout, certain);
  for (std::size_t i = 0; certain.any() && i < count; ++i) {
    parts_->decoder.impose(certain, std::span(drawn).subspan(i * latent, latent));
  }
  std::copy(drawn.begin(), drawn.end(), latents.begin());
}

void Generator::sample(std::span<const float> condition, std::size_t count, std::size_t length,
                       const SamplerConfig& config, const Progress& progress,
                       std::span<float> series) const {
  check_length(length);
  check_count(count);
  check_size("series", series.size(), count * length);
  std::vector<float> latents(count * parts_->layout.size());
  sample_latents(condition, count, length, config, progress, latents);
  render(latents, condition, length, config.seed, config.reference, series);
}

template <typename White>
void Generator::Parts::render(std::span<const float> latents, const Frame& frame,
                              std::size_t length, Finish finish, const White& white,
                              std::span<float> series) const {
  const CosineTable cosines(length);
  const std::size_t count = series.size() / length;
  const std::size_t each = decoder.scratch_doubles(length);
  std::vector<double> scratch(std::min(kChunk, count) * each);
  std::vector<float> noise(std::min(kChunk, count) * length);
  for_chunks(count, [&](std::size_t first, std::size_t samples) {
    pool.parallel_for(samples, [&](std::size_t i) {
      const std::size_t at = first + i;
      const std::span<float> g = std::span(noise).subspan(i * length, length);
      white(at, g);
      decoder.decode(latents.subspan(at * layout.size(), layout.size()), frame, cosines, g, finish,
                     std::span(scratch).subspan(i * each, each),
                     series.subspan(at * length, length));
    });
  });
}

void Generator::decode(std::span<const float> latents, std::span<const float> condition,
                       std::size_t length, std::uint64_t seed, std::span<float> series) const {
  check_length(length);
  const std::size_t count = check_rows("latents", latents, parts_->layout.size());
  check_count(count);
  check_size("series", series.size(), count * length);
  render(latents, condition, length, seed, {}, series);
}

void Generator::render(std::span<const float> latents, std::span<const float> condition,
                       std::size_t length, std::uint64_t seed, const Reference& reference,
                       std::span<float> series) const {
  const Frame frame = parts_->frame(parts_->checked(condition), length);
  const auto white = [&](std::size_t i, std::span<float> g) {
    fill_normal(seed + i, NoiseStream::decoder, 0, g);
    follow(reference, g);
  };
  parts_->render(latents, frame, length, Finish::calibrated, white, series);
}

Chain Generator::chain(std::span<const float> condition, std::span<const float> latents,
                       const CosineTable& window, std::size_t length, std::uint64_t seed) const {
  check_rows("latents", latents, parts_->layout.size());
  const Frame frame = parts_->frame(parts_->checked(condition), length);
  return {parts_->decoder, frame, window, latents, length, seed};
}

void Generator::decode_with_noise(std::span<const float> latents, std::span<const float> condition,
                                  std::span<const float> noise, bool calibrate,
                                  std::span<float> series) const {
  const std::size_t count = check_rows("latents", latents, parts_->layout.size());
  const std::size_t length = noise.size() / count;
  check_length(length);
  check_count(count);
  check_size("noise", noise.size(), count * length);
  check_rows("noise", noise, length);
  check_size("series", series.size(), count * length);
  const Frame frame = parts_->frame(parts_->checked(condition), length);
  const auto white = [noise, length](std::size_t i, std::span<float> g) {
    std::copy_n(noise.begin() + static_cast<std::ptrdiff_t>(i * length), length, g.begin());
  };
  parts_->render(latents, frame, length, calibrate ? Finish::calibrated : Finish::reconstructed,
                 white, series);
}

void Generator::encode_series(std::span<const float> windows, std::span<float> raw) const {
  if (!parts_->encoder) {
    throw Error(Code::invalid_argument,
                "this model has no series encoder; it must be exported with one");
  }
  const std::size_t count = check_rows("x", windows, window());
  const std::size_t latent = parts_->layout.size();
  check_size("raw", raw.size(), count * latent);
  for (std::size_t i = 0; i < count; ++i) {
    parts_->encoder->encode(parts_->compute(), windows.subspan(i * window(), window()),
                            raw.subspan(i * latent, latent));
  }
}

void Generator::express(std::span<const float> raw, std::span<const float> condition,
                        std::size_t length, std::span<float> latents) const {
  check_length(length);
  const std::size_t latent = parts_->layout.size();
  const std::size_t count = check_rows("raw", raw, latent);
  check_count(count);
  check_size("latents", latents.size(), raw.size());
  const Frame frame = parts_->frame(parts_->checked(condition), length);
  std::vector<double> row(latent);
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(raw.data() + i * latent, latent, row.begin());
    to_structure(parts_->layout, Frame{}, row);
    obey(parts_->layout, frame, row);
    to_coordinates(parts_->layout, frame, row);
    parts_->decoder.normalise(row, latents.subspan(i * latent, latent));
  }
}

void Generator::restate(std::span<const float> latents, std::span<const float> condition,
                        std::size_t length, std::span<float> raw) const {
  check_length(length);
  const std::size_t latent = parts_->layout.size();
  const std::size_t count = check_rows("latents", latents, latent);
  check_count(count);
  check_size("raw", raw.size(), latents.size());
  const Frame frame = parts_->frame(parts_->checked(condition), length);
  std::vector<double> row(latent);
  for (std::size_t i = 0; i < count; ++i) {
    parts_->decoder.to_raw(latents.subspan(i * latent, latent), row);
    to_structure(parts_->layout, frame, row);
    to_coordinates(parts_->layout, Frame{}, row);
    std::transform(row.begin(), row.end(), raw.subspan(i * latent, latent).begin(), saturated);
  }
}

void Generator::innovations(std::span<const float> raw, std::span<const float> windows,
                            std::span<float> white) const {
  const std::size_t latent = parts_->layout.size();
  const std::size_t count = check_rows("raw", raw, latent);
  check_count(count);
  check_size("x", windows.size(), count * window());
  check_rows("x", windows, window());
  check_size("innovations", white.size(), windows.size());
  const CosineTable cosines(window());
  std::vector<double> scratch(window());
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = raw.subspan(i * latent, latent);
    const std::vector<double> exact(row.begin(), row.end());
    parts_->decoder.innovations(exact, cosines, windows.subspan(i * window(), window()), scratch,
                                white.subspan(i * window(), window()));
  }
}

void Generator::reconstruct(std::span<const float> raw, std::size_t length,
                            std::span<const float> white, std::span<float> series) const {
  check_length(length);
  const std::size_t latent = parts_->layout.size();
  const std::size_t count = check_rows("raw", raw, latent);
  check_count(count);
  check_size("series", series.size(), count * length);
  if (!white.empty()) {
    check_size("innovations", white.size(), series.size());
    check_rows("innovations", white, length);
  }
  const CosineTable cosines(length);
  std::vector<double> scratch(length);
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = raw.subspan(i * latent, latent);
    const std::vector<double> exact(row.begin(), row.end());
    const auto noise = white.empty() ? white : white.subspan(i * length, length);
    parts_->decoder.reconstruct(exact, cosines, noise, scratch, series.subspan(i * length, length));
  }
}

void Generator::predict_v(std::span<const float> x, int t, std::span<const float> condition,
                          std::span<float> v) const {
  const std::size_t latent = parts_->layout.size();
  const std::size_t count = check_rows("x", x, latent);
  check_count(count);
  check_timestep(t, train_steps());
  check_size("v", v.size(), x.size());
  const Compute compute = parts_->compute();
  BridgeMemory memory;
  if (condition.empty()) {
    memory = parts_->bridge.remember_nothing(compute);
  } else {
    const ConditionView view = parts_->checked(condition);
    memory = parts_->remember(parts_->bridge, view, window(), parts_->answers(view));
  }
  const BridgeDenoiser denoiser(parts_->bridge, compute, std::span(&t, 1), {&memory},
                                std::min(kChunk, count));
  for_chunks(count, [&](std::size_t first, std::size_t samples) {
    denoiser.predict_v(0, x.subspan(first * latent, samples * latent), 1,
                       v.subspan(first * latent, samples * latent));
  });
}

}  // namespace geng
