#include "measure.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "bench/random_model.h"
#include "core/philox.h"
#include "cpu/peak.h"
#include "format/gguf.h"
#include "format/npy.h"
#include "geng/error.h"
#include "geng/generator.h"

namespace geng::bench {
namespace {

constexpr std::size_t kLength = 512;
constexpr std::size_t kTokens = 24;  // of a condition that nobody named: a short sentence
constexpr std::size_t kNumberWidth = 32;

double now_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(since).count();
}

/// A model file of random weights, gone with this object.
class RandomFile {
 public:
  explicit RandomFile(const std::string& shape) {
    random_model::Sizes s;
    s.int8 = true;
    if (shape != "tiny") s.tokens = 10, s.dim = 256, s.depth = 6, s.heads = 4;
    if (shape == "paper") s.tokens = 64, s.width = 64, s.dim = 640, s.depth = 12, s.heads = 10;
    const char* folder = std::getenv("TMPDIR");
    path_ = std::string(folder != nullptr ? folder : "/tmp") + "/geng-bench-" +
            std::to_string(::getpid()) + ".gguf";
    random_model::write(s, path_);
  }
  RandomFile(const RandomFile&) = delete;
  RandomFile& operator=(const RandomFile&) = delete;
  ~RandomFile() { std::remove(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Multiply-adds of the bridge's linear layers in one step of `batch` series.
double work_of(const ModelFile& file, bool guided, int batch) {
  const double dim = file.u32("geng.bridge.dim");
  const double rows = static_cast<double>(batch) * file.u32("geng.bridge.tokens");
  const double depth = file.u32("geng.bridge.depth");
  const double own = 12.0 * dim * dim;   // q k v, o, up, down of every row
  const double cross = 2.0 * dim * dim;  // cq, co: the branch without a condition needs neither
  const double shared = guided ? 4.0 * dim * dim : 0.0;  // its first q k v and o are the other's
  return rows * (depth * (own * (guided ? 2.0 : 1.0) + cross) - shared);
}

std::vector<float> condition_of(const Options& options, const Generator& generator) {
  if (!options.condition.empty()) return read_npy(options.condition).values;
  const std::size_t width = generator.condition_width();
  std::vector<float> rows(kTokens * width);
  fill_normal(99, NoiseStream::initial_latent, 0, rows);
  for (std::size_t i = 0; i < kTokens; ++i) {  // no word of it is a number
    std::fill_n(rows.data() + (i + 1) * width - kNumberWidth, kNumberWidth, 0.0f);
  }
  return rows;
}

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string temperature() {
  const std::string milli = first_line("/sys/class/thermal/thermal_zone0/temp");
  char text[16] = "unknown";
  if (!milli.empty()) {
    std::snprintf(text, sizeof text, "%.1f", std::strtod(milli.c_str(), nullptr) / 1000.0);
  }
  return text;
}

std::string throttled() {
  const std::string flags = first_line("/sys/devices/platform/soc/soc:firmware/get_throttled");
  if (flags.empty()) return "unknown";
  return flags == "0" ? "no" : flags;
}

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

/// One whole sample; marks gets the moment before it and after every step.
void draw(const Generator& generator, const std::vector<float>& condition, const Row& row,
          std::vector<double>& marks) {
  SamplerConfig config;
  config.steps = row.steps;
  config.guidance_scale = row.guidance;
  std::vector<float> series(static_cast<std::size_t>(row.batch) * kLength);
  marks.assign(1, now_ms());
  const Progress progress = [&](int, int) {
    marks.push_back(now_ms());
    return true;
  };
  generator.sample(condition, static_cast<std::size_t>(row.batch), kLength, config, progress,
                   series);
}

void fill_times(const Generator& generator, const std::vector<float>& condition, int repetitions,
                Row& row) {
  std::vector<double> marks;
  marks.reserve(static_cast<std::size_t>(row.steps) * (static_cast<std::size_t>(row.batch) + 1));
  for (int i = 0; i <= repetitions; ++i) {
    draw(generator, condition, row, marks);
    const double whole = now_ms() - marks.front();
    if (i == 0) {
      row.first_step = marks[1] - marks[0];
      continue;  // the caches were cold
    }
    row.sample.push_back(whole);
    for (std::size_t k = 2; k < marks.size(); ++k) row.step.push_back(marks[k] - marks[k - 1]);
    if (marks.size() == 2) row.step.push_back(marks[1] - marks[0]);
  }
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
  };
  return {at(0.25), at(0.5), at(0.75)};
}

void measure(const Options& options, const std::function<void(const Row&)>& tell) {
  const bool random = options.model.empty();
  const RandomFile made(random ? options.shape : "tiny");
  const std::string path = random ? made.path() : options.model;
  for (const std::string& isa : options.isa)
    for (const Precision precision : options.precision)
      for (const int threads : options.threads) {
        const double began = now_ms();
        const Generator generator(path, precision, threads, isa);
        const double load = now_ms() - began;
        const std::vector<float> condition = condition_of(options, generator);
        const cpu::KernelSet& set = cpu::select(cpu::detect(), generator.isa());
        for (const int batch : options.batch)
          for (const double guidance : options.guidance)
            for (const int steps : options.steps) {
              std::this_thread::sleep_for(std::chrono::duration<double>(options.cooldown));
              Row row;
              row.model = random ? "random " + options.shape : options.model;
              row.isa = generator.isa();
              row.precision = precision == Precision::int8 ? "int8" : "fp32";
              row.threads = generator.threads();
              row.steps = steps;
              row.batch = batch;
              row.guidance = guidance;
              row.load = load;
              const double peak = cpu::measure_peak(set, precision) * row.threads;
              fill_times(generator, condition, options.repetitions, row);
              const double work = work_of(generator.file(), guidance != 0.0, std::min(batch, 32));
              row.peak_share = 1e5 * work / (spread_of(row.step).median * peak);
              row.peak_rss_mb = peak_rss_mb();
              row.temperature = temperature();
              row.throttled = throttled();
              tell(row);
            }
      }
}

}  // namespace geng::bench
