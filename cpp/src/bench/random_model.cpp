#include "bench/random_model.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <numbers>
#include <utility>
#include <vector>

#include "bench/gguf_writer.h"
#include "core/philox.h"
#include "cpu/pack.h"
#include "format/gguf.h"
#include "format/model_layout.h"
#include "geng/error.h"

namespace geng::random_model {
namespace {

/// Fills a gguf::File with a model of `sizes`.
class Builder {
 public:
  explicit Builder(const Sizes& sizes) : sizes_(sizes), seed_(sizes.seed) {
    metadata();
    text();
    linear("reader.up", 16, sizes_.hidden + 32, false);
    linear("reader.mix", 12, std::size_t{17} * 16, false);
    linear("reader.down", 13, 12, false);
    if (sizes_.claims) claims();
    bridge("bridge");
    if (sizes_.student) bridge("student");
    latent();
  }
  [[nodiscard]] std::string build() const { return file_.build(); }

 private:
  void tensor(const std::string& name, const std::vector<std::uint64_t>& shape, std::uint32_t type,
              const void* bytes, std::size_t count) {
    file_.tensors.push_back({name,
                             {shape.rbegin(), shape.rend()},
                             type,
                             std::string(static_cast<const char*>(bytes), count),
                             {}});
  }
  void f32(const std::string& name, const std::vector<std::uint64_t>& shape,
           const std::vector<float>& values) {
    tensor(name, shape, 0, values.data(), values.size() * sizeof(float));
  }
  std::vector<float> random(std::size_t count, double scale) {
    std::vector<float> values(count);
    fill_normal(seed_++, NoiseStream::initial_latent, 0, values);
    for (float& value : values) value = static_cast<float>(value * scale);
    return values;
  }
  void vector(const std::string& name, std::size_t count, double scale) {
    f32(name, {count}, random(count, scale));
  }
  void matrix(const std::string& name, std::size_t out, std::size_t in, bool int8) {
    const std::vector<float> w = random(out * in, 1.0 / std::sqrt(static_cast<double>(in)));
    if (!int8) return f32(name, {out, in}, w);
    std::vector<std::int8_t> q(w.size());
    std::vector<float> scale(out);
    cpu::quantize_weights(w.data(), out, in, q.data(), scale.data());
    tensor(name, {out, in}, 24, q.data(), q.size());
    f32(name + ".scale", {out}, scale);
  }
  void linear(const std::string& name, std::size_t out, std::size_t in, bool int8) {
    matrix(name + ".weight", out, in, int8);
    vector(name + ".bias", out, 0.1);
  }
  void norm(const std::string& name) {
    f32(name + ".weight", {sizes_.hidden}, std::vector<float>(sizes_.hidden, 1.0f));
    vector(name + ".bias", sizes_.hidden, 0.1);
  }

  void metadata() {
    const std::pair<const char*, const char*> strings[] = {{"general.architecture", "geng"},
                                                           {"general.name", "random"},
                                                           {"geng.preset", "random"},
                                                           {"geng.bridge.prediction", "v"}};
    for (const auto& [key, value] : strings) file_.fields.emplace_back(key, gguf::string(value));
    const Sizes& s = sizes_;
    // The decoder renders at most 480 cosines beyond the trend's.
    const std::uint32_t per_token = std::clamp(480 / (s.tokens - 5), 1u, s.width);
    const std::pair<const char*, std::uint32_t> numbers[] = {
        {"geng.format_version", 1},
        {"geng.window", 512},
        {"geng.number_width", 32},
        {"geng.roles", 13},
        {"geng.text.hidden", s.hidden},
        {"geng.text.heads", s.text_heads},
        {"geng.text.ffn", s.ffn},
        {"geng.text.layers", s.layers},
        {"geng.text.max_tokens", s.max_tokens},
        {"geng.text.vocab", s.vocab},
        {"geng.bridge.tokens", s.tokens},
        {"geng.bridge.width", s.width},
        {"geng.bridge.dim", s.dim},
        {"geng.bridge.depth", s.depth},
        {"geng.bridge.heads", s.heads},
        {"geng.bridge.train_steps", s.train_steps},
        {"geng.decoder.harmonics", 14},
        {"geng.decoder.trend", 31},
        {"geng.decoder.residual_tokens", s.tokens - 5},
        {"geng.decoder.residual_per_token", per_token},
        {"geng.decoder.residual_total", per_token * (s.tokens - 5)}};
    for (const auto& [key, value] : numbers) file_.fields.emplace_back(key, gguf::u32(value));
    std::vector<std::string> words = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    while (words.size() < s.vocab) words.push_back("w" + std::to_string(words.size()));
    file_.fields.emplace_back("tokenizer.ggml.tokens", gguf::strings(words));
    if (s.claims) {
      file_.fields.emplace_back("geng.claims", gguf::string("{}"));
      file_.fields.emplace_back("geng.claims.fields", gguf::strings({"a", "a", "a", "b", "b"}));
    }
    if (s.student) file_.fields.emplace_back("geng.student.guidance", gguf::f32(1.5f));
  }

  void text() {
    const std::size_t h = sizes_.hidden;
    matrix("text.word", sizes_.vocab, h, sizes_.int8);
    f32("text.position", {sizes_.max_tokens, h}, random(sizes_.max_tokens * h, 0.1));
    norm("text.norm");
    for (std::uint32_t i = 0; i < sizes_.layers; ++i) {
      const std::string at = "text." + std::to_string(i) + ".";
      for (const char* name : {"q", "k", "v", "o"}) linear(at + name, h, h, sizes_.int8);
      linear(at + "up", sizes_.ffn, h, sizes_.int8);
      linear(at + "down", h, sizes_.ffn, sizes_.int8);
      norm(at + "norm1");
      norm(at + "norm2");
    }
  }

  /// Two fields, of three answers and of two.
  void claims() {
    linear("claims.up", 8, sizes_.hidden + 32, false);
    linear("claims.down", kAnswers, 16, false);
  }

  /// The bridge, or the student beside it.
  void bridge(const std::string& name) {
    const std::size_t d = sizes_.dim;
    linear(name + ".condition", d, sizes_.hidden + 32, sizes_.int8);
    linear(name + ".frame", d, 16, false);
    if (sizes_.claims) linear(name + ".claims", d, kAnswers, false);
    linear(name + ".in", d, sizes_.width, false);
    linear(name + ".time1", d, 256, false);
    linear(name + ".time2", d, d, false);
    linear(name + ".mod", 6 * d, d, false);
    linear(name + ".fin", 2 * d, d, false);
    matrix(name + ".out.weight", sizes_.width, d, false);
    f32(name + ".out.bias", {sizes_.width}, std::vector<float>(sizes_.width, sizes_.out_bias));
    vector(name + ".null", d, 1.0);
    f32(name + ".position", {sizes_.tokens, d}, random(sizes_.tokens * d, 0.1));
    for (std::uint32_t i = 0; i < sizes_.depth; ++i) {
      const std::string at = name + "." + std::to_string(i) + ".";
      linear(at + "qkv", 3 * d, d, sizes_.int8);
      linear(at + "o", d, d, sizes_.int8);
      linear(at + "cq", d, d, sizes_.int8);
      linear(at + "ckv", 2 * d, d, sizes_.int8);
      linear(at + "co", d, d, sizes_.int8);
      linear(at + "up", 4 * d, d, sizes_.int8);
      linear(at + "down", d, 4 * d, sizes_.int8);
      vector(at + "table", 6 * d, 0.1);
    }
  }

  void latent() {
    const std::vector<std::uint64_t> shape = {sizes_.tokens, sizes_.width};
    const std::size_t size = std::size_t{sizes_.tokens} * sizes_.width;
    f32("latent.mean", shape, std::vector<float>(size, 0.0f));
    f32("latent.std", shape, std::vector<float>(size, 1.0f));
    f32("schedule.alpha_bar", {sizes_.train_steps}, cosine_alpha_bar(sizes_.train_steps));
  }

  static constexpr std::size_t kAnswers = 5;

  Sizes sizes_;
  std::uint64_t seed_;
  gguf::File file_;
};

}  // namespace

std::vector<float> cosine_alpha_bar(std::size_t steps) {
  const auto f = [&](std::size_t i) {
    const double u = static_cast<double>(i) / static_cast<double>(steps);
    return std::pow(std::cos((u + 0.008) / 1.008 * std::numbers::pi / 2), 2);
  };
  std::vector<float> alpha_bar;
  double product = 1.0;
  for (std::size_t i = 0; i < steps; ++i) {
    product *= 1.0 - std::fmin(1.0 - f(i + 1) / f(i), 0.999);
    alpha_bar.push_back(static_cast<float>(product));
  }
  return alpha_bar;
}

std::string bytes(const Sizes& sizes) { return Builder(sizes).build(); }

void write(const Sizes& sizes, const std::string& path) {
  if (sizes.tokens < 6 || sizes.heads == 0 || sizes.dim % sizes.heads != 0) {
    throw Error(Code::invalid_argument,
                "tokens is " + std::to_string(sizes.tokens) + ", dim " + std::to_string(sizes.dim) +
                    ", heads " + std::to_string(sizes.heads) +
                    "; tokens must be 6 or more, and dim a multiple of heads");
  }
  const std::string temporary = path + ".tmp";
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    const std::string model = bytes(sizes);
    out.write(model.data(), static_cast<std::streamsize>(model.size()));
    out.close();
    if (!out.good()) {
      std::remove(temporary.c_str());
      throw Error(Code::invalid_argument, path + ": cannot be written; it must be writable");
    }
  }
  try {
    check_layout(ModelFile::open(temporary));
  } catch (const Error& error) {
    std::remove(temporary.c_str());
    throw Error(Code::invalid_argument, error.what());
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    std::remove(temporary.c_str());
    throw Error(Code::invalid_argument, path + ": cannot be written; it must be writable");
  }
}

}  // namespace geng::random_model
