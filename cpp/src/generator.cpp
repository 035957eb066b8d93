#include "geng/generator.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "diffusion/sampler.h"
#include "generator_parts.h"
#include "geng/error.h"
#include "model/frame.h"
#include "request_checks.h"

namespace geng {
namespace {

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

Generator::Generator(const std::string& path, Precision precision, int threads,
                     std::string_view isa, const std::string& cache_folder, Network network)
    : parts_(std::make_unique<const Parts>(path, precision, threads, isa, cache_folder,
                                           std::move(network))) {}
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
  const Roles roles = parts_->roles(parts_->checked(condition), length);
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
  check_count(count, parts_->layout.size());
  check_config(config, train_steps());
  const std::size_t latent = parts_->layout.size();
  check_reference(config.reference, latent, length);
  check_size("latents", latents.size(), count * latent);
  const ConditionView view = parts_->checked(condition);

  const Trajectory trajectory(parts_->schedule, config.steps);
  const Solver& solver = find_solver(config.solver);
  const bool distilled = parts_->distilled_for(solver);
  const SamplerPlan plan{trajectory,
                         solver,
                         {config.guidance_scale, config.guidance_low, config.guidance_high},
                         config.eta,
                         config.reference};
  const std::vector<float> answers = parts_->answers(view);
  const std::size_t batch = std::min(kChunk, count);
  const BoundNetwork network =
      parts_->bind({distilled, view, length, answers, config.guidance_scale != 0.0},
                   timesteps_of(trajectory), batch);
  Arena arena(sampler_bytes(batch, latent));

  // All chunks land here first, so that a request that ends early leaves `latents` untouched.
  std::vector<float> drawn(latents.size());
  const int chunks = static_cast<int>((count + kChunk - 1) / kChunk);
  int done = 0;
  const StepObserver observer = [&](const Step&) {
    return !progress || progress(++done, chunks * config.steps);
  };
  for_chunks(count, [&](std::size_t first, std::size_t samples) {
    sample_batch(*network.denoiser, plan, config.seed + first, samples, observer, arena,
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
  check_count(count, parts_->layout.size());
  check_size("series", series.size(), count * length);
  std::vector<float> latents(count * parts_->layout.size());
  sample_latents(condition, count, length, config, progress, latents);
  render(latents, condition, length, config.seed, config.reference, series);
}

void Generator::predict_v(std::span<const float> x, int t, std::span<const float> condition,
                          std::span<float> v) const {
  const std::size_t latent = parts_->layout.size();
  const std::size_t count = check_rows("x", x, latent);
  check_count(count, parts_->layout.size());
  check_timestep(t, train_steps());
  check_size("v", v.size(), x.size());
  std::optional<ConditionView> view;
  std::vector<float> answers;
  if (!condition.empty()) {
    view = parts_->checked(condition);
    answers = parts_->answers(*view);
  }
  const BoundNetwork network = parts_->bind({false, view, window(), answers, !view.has_value()},
                                            std::span(&t, 1), std::min(kChunk, count));
  for_chunks(count, [&](std::size_t first, std::size_t samples) {
    network.denoiser->predict_v(0, x.subspan(first * latent, samples * latent), 1,
                                v.subspan(first * latent, samples * latent));
  });
}

NetworkFacts Generator::network_facts(std::span<const float> condition, std::size_t length) const {
  check_length(length);
  const ConditionView view = parts_->checked(condition);
  const auto frame = parts_->frame(view, length).features();
  return {{frame.begin(), frame.end()}, parts_->answers(view)};
}

}  // namespace geng
