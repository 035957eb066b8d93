// usage: guided_step MODEL CONDITION X T STEPS OUT
// Evaluates the bridge for a condition and for none, together, STEPS times on one thread, and
// writes v [2, latent]. What count_step.py counts: as for the peers, the memories of the condition
// and the modulation of the timestep are ready before. Files are raw float32.
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "format/gguf.h"
#include "model/bridge.h"
#include "model/bridge_denoiser.h"
#include "model/claims_reader.h"
#include "model/frame.h"
#include "model/number_reader.h"
#include "model/text_expert.h"

namespace {

constexpr std::size_t kWindow = 512;

std::vector<float> read_floats(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  if (bytes.empty()) throw std::runtime_error(std::string(path) + ": is empty or missing");
  const auto* first = reinterpret_cast<const float*>(bytes.data());
  return {first, first + bytes.size() / sizeof(float)};
}

void write_floats(const char* path, const std::vector<float>& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(float)));
  if (!file.flush()) throw std::runtime_error(std::string(path) + ": could not be written");
}

void run(char** argv) {
  using namespace geng;
  const ModelFile file = ModelFile::open(argv[1]);
  const std::vector<float> condition = read_floats(argv[2]);
  const std::vector<float> x = read_floats(argv[3]);
  const int timesteps[] = {std::atoi(argv[4])};

  ThreadPool pool(1);
  const Compute compute{cpu::active(), pool};
  PackedWeights packed;
  const WeightReader weights{file, compute.kernels, Precision::int8, packed};
  const TextExpert text(weights);
  const NumberReader reader(weights);
  const std::optional<ClaimsReader> claims =
      ClaimsReader::is_in(file) ? std::optional<ClaimsReader>(weights) : std::nullopt;
  const Bridge bridge(weights);

  const ConditionView view{condition, text.hidden()};
  const Frame frame = frame_of(reader.read(compute, view), kWindow);
  const std::vector<float> answers = claims ? claims->shares(compute, view) : std::vector<float>{};
  const BridgeMemory memory = bridge.remember(compute, view, frame.features(), answers);
  const BridgeMemory nothing = bridge.remember_nothing(compute);
  const BridgeDenoiser denoiser(bridge, compute, timesteps, {&memory, &nothing}, 1);
  std::vector<float> v(2 * x.size());
  for (int left = std::atoi(argv[5]); left > 0; --left) denoiser.predict_v(0, x, 2, v);
  write_floats(argv[6], v);
  std::cout << compute.kernels.name << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::cerr << "usage: guided_step MODEL CONDITION X T STEPS OUT\n";
    return 2;
  }
  try {
    run(argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
