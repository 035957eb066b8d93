#include "request_checks.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "diffusion/solver.h"
#include "geng/error.h"
#include "geng/generator.h"
#include "geng/long_series.h"

namespace geng {
namespace {

/// "subject is value; it must be rule"
[[noreturn]] void refuse(std::string_view subject, const std::string& value,
                         const std::string& rule) {
  throw Error(Code::invalid_argument,
              std::string(subject) + " is " + value + "; it must be " + rule);
}

std::string shown(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

void check_inside(std::string_view name, double value, double low, double high) {
  if (value >= low && value <= high) return;  // NaN is not inside
  refuse(name, shown(value), shown(low) + " to " + shown(high));
}

void check_tokens(std::string_view name, std::size_t tokens, std::size_t max_tokens) {
  if (tokens >= 1 && tokens <= max_tokens) return;
  throw Error(Code::invalid_argument, std::string(name) + " has " + std::to_string(tokens) +
                                          " tokens; it must have 1 to " +
                                          std::to_string(max_tokens));
}

void check_finite(std::string_view name, std::span<const float> values, std::size_t width) {
  const auto bad =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (bad == values.end()) return;
  const auto index = static_cast<std::size_t>(bad - values.begin());
  throw Error(Code::invalid_argument,
              std::string(name) + " holds " + (std::isnan(*bad) ? "NaN" : "infinity") + " at row " +
                  std::to_string(index / width) + ", column " + std::to_string(index % width) +
                  "; every value must be finite");
}

}  // namespace

void check_length(std::size_t length) {
  if (length >= kMinLength && length <= kMaxLength && length % kLengthMultiple == 0) return;
  refuse("length", std::to_string(length),
         "a multiple of " + std::to_string(kLengthMultiple) + " from " +
             std::to_string(kMinLength) + " to " + std::to_string(kMaxLength));
}

void check_chain_steps(std::size_t length) {
  if (length >= kMinLength && length <= kMaxChainLength && length % kLengthMultiple == 0) return;
  refuse("length", std::to_string(length),
         "a multiple of " + std::to_string(kLengthMultiple) + " from " +
             std::to_string(kMinLength) + " to " + std::to_string(kMaxChainLength));
}

void check_chain(std::size_t count, std::size_t length, std::size_t window) {
  if (count < 1 || count > kMaxChains) {
    refuse("count", std::to_string(count), "1 to " + std::to_string(kMaxChains) + " for chains");
  }
  if (length < window || length > kMaxChainLength || length % kLengthMultiple != 0) {
    refuse("length", std::to_string(length),
           "a multiple of " + std::to_string(kLengthMultiple) + " from " + std::to_string(window) +
               " to " + std::to_string(kMaxChainLength) + " for chains");
  }
}

void check_count(std::size_t count, std::size_t latent) {
  constexpr std::size_t kMostValues = std::size_t{1} << 28;  // 1 GiB of float32
  static_assert(kMaxCount * kMaxLength <= kMostValues);
  const std::size_t most = std::min(kMaxCount, kMostValues / latent);
  if (count >= 1 && count <= most) return;
  refuse("count", std::to_string(count), "1 to " + std::to_string(most));
}

void check_config(const SamplerConfig& config, int train_steps) {
  const Solver& solver = find_solver(config.solver);
  if (solver.distilled && config.guidance_scale != 0.0) {
    refuse("guidance", shown(config.guidance_scale),
           "0 with solver " + std::string(solver.name) + ", whose network has it built in");
  }
  if (config.steps < 1 || config.steps > train_steps) {
    refuse("steps", std::to_string(config.steps), "1 to " + std::to_string(train_steps));
  }
  check_inside("guidance", config.guidance_scale, 0.0, 20.0);
  check_inside("eta", config.eta, 0.0, 1.0);
  const double low = config.guidance_low;
  const double high = config.guidance_high;
  if (!(low >= 0.0 && low < high && high <= 1.0)) {
    refuse("guidance_interval", shown(low) + " to " + shown(high),
           "low to high with 0 <= low < high <= 1");
  }
}

void check_reference(const Reference& reference, std::size_t latent, std::size_t length) {
  if (!reference.given()) return;
  check_size("reference", reference.latent.size(), latent);
  check_rows("reference", reference.latent, latent);
  check_size("release", reference.release.size(), latent);
  if (!reference.innovations.empty()) {
    check_size("innovations", reference.innovations.size(), length);
    check_rows("innovations", reference.innovations, length);
  }
  if (!(reference.follow >= 0.0 && reference.follow <= 1.0)) {
    refuse("follow", std::to_string(reference.follow), "0 to 1");
  }
}

void check_timestep(int t, int train_steps) {
  if (t < 0 || t >= train_steps) {
    refuse("t", std::to_string(t), "0 to " + std::to_string(train_steps - 1));
  }
}

void check_condition(std::span<const float> condition, std::size_t width, std::size_t max_tokens) {
  if (condition.size() % width != 0) {
    throw Error(Code::invalid_argument, "condition has " + std::to_string(condition.size()) +
                                            " values; it must have tokens x " +
                                            std::to_string(width));
  }
  check_tokens("condition", condition.size() / width, max_tokens);
  check_finite("condition", condition, width);
}

void check_ids(std::span<const std::int32_t> ids, std::size_t vocabulary, std::size_t max_tokens) {
  check_tokens("ids", ids.size(), max_tokens);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || std::cmp_greater_equal(ids[i], vocabulary)) {
      throw Error(Code::invalid_argument, "id " + std::to_string(i) + " is " +
                                              std::to_string(ids[i]) + "; it must be 0 to " +
                                              std::to_string(vocabulary - 1));
    }
  }
}

std::size_t check_rows(std::string_view name, std::span<const float> values, std::size_t width) {
  if (values.empty() || values.size() % width != 0) {
    throw Error(Code::invalid_argument, std::string(name) + " has " +
                                            std::to_string(values.size()) +
                                            " values; it must have n x " + std::to_string(width));
  }
  check_finite(name, values, width);
  return values.size() / width;
}

void check_size(std::string_view name, std::size_t size, std::size_t wanted) {
  if (size == wanted) return;
  throw Error(Code::invalid_argument, std::string(name) + " has " + std::to_string(size) +
                                          " values; it must have " + std::to_string(wanted));
}

}  // namespace geng
