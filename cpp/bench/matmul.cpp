#include "matmul.h"

#include <chrono>
#include <cstdint>
#include <cstdio>

#include "core/aligned_buffer.h"
#include "core/philox.h"
#include "cpu/kernel_set.h"
#include "cpu/pack.h"
#include "cpu/peak.h"
#include "measure.h"

namespace geng::bench {
namespace {

constexpr std::size_t kRows = 20;
constexpr std::size_t kMatrices = 24;
constexpr int kRounds = 2000;

struct Weights {
  AlignedBuffer packed;
  std::vector<float> scale, bias;

  Weights(const cpu::KernelSet& set, std::size_t cols, std::size_t depth)
      : packed(cpu::packed_i8_bytes(set, cols, depth)), scale(cols), bias(cols, 0.1f) {
    std::vector<float> w(cols * depth);
    fill_normal(cols + depth, NoiseStream::initial_latent, 0, w);
    std::vector<std::int8_t> q(w.size());
    cpu::quantize_weights(w.data(), cols, depth, q.data(), scale.data());
    cpu::pack_i8(set, q.data(), cols, depth, packed.data());
  }
};

MatmulRow measure_shape(const cpu::KernelSet& set, double peak, std::size_t cols,
                        std::size_t depth) {
  std::vector<Weights> weights;
  for (std::size_t i = 0; i < kMatrices; ++i) weights.emplace_back(set, cols, depth);
  std::vector<float> x(kRows * depth), x_scale(kRows), y(kRows * cols);
  fill_normal(1, NoiseStream::initial_latent, 0, x);
  const AlignedBuffer q(cpu::activation_bytes(set, kRows, depth));
  set.quantize_rows({x.data(), q.data(), x_scale.data(), kRows, depth});
  std::vector<double> seconds;
  for (int round = 0; round < kRounds; ++round) {
    const Weights& w = weights[static_cast<std::size_t>(round) % kMatrices];
    const auto began = std::chrono::steady_clock::now();
    set.matmul_i8({q.data(),
                   x_scale.data(),
                   w.packed.data(),
                   w.scale.data(),
                   w.bias.data(),
                   cols,
                   depth,
                   cpu::Epilogue::none,
                   {y.data(), cols, false, nullptr}},
                  {0, kRows, 0, cols});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    seconds.push_back(took.count());
  }
  const double median = spread_of(seconds).median;
  const double work = static_cast<double>(kRows * cols * depth);
  return {std::string(set.name),         kRows, cols, depth, median * 1e6, 2e-9 * work / median,
          100.0 * work / (median * peak)};
}

}  // namespace

std::vector<MatmulRow> measure_matmul(const std::string& isa) {
  const cpu::KernelSet& set = cpu::select(cpu::detect(), isa);
  const double peak = cpu::measure_peak(set, Precision::int8);
  std::vector<MatmulRow> rows;
  for (const auto& [cols, depth] :
       {std::pair<std::size_t, std::size_t>{768, 256}, {256, 256}, {1024, 256}, {256, 1024}}) {
    rows.push_back(measure_shape(set, peak, cols, depth));
  }
  return rows;
}

std::string table(const std::vector<MatmulRow>& rows) {
  std::string out = "| isa | rows x cols x depth | us | GOPS | % of int8 peak |\n";
  out += "| --- | --- | --- | --- | --- |\n";
  for (const MatmulRow& row : rows) {
    char line[160];
    std::snprintf(line, sizeof line, "| %s | %zu x %zu x %zu | %.2f | %.0f | %.1f |\n",
                  row.isa.c_str(), row.rows, row.cols, row.depth, row.microseconds, row.gops,
                  row.peak_percent);
    out += line;
  }
  return out;
}

}  // namespace geng::bench
