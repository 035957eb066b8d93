#include "format/model_layout.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/utf8.h"
#include "geng/error.h"

namespace geng {
namespace {

constexpr std::size_t kTimeWidth = 256;
constexpr std::size_t kFrameFeatures = 16;

/// Walks the tensors a model must have, and remembers which it has seen.
class LayoutCheck {
 public:
  explicit LayoutCheck(const ModelFile& file) : file_(file) {}

  [[noreturn]] void refuse(const std::string& sentence) const {
    throw Error(Code::model_file, file_.path() + ": " + sentence);
  }

  /// The metadata integer `key`, which must lie in [low, high].
  std::size_t size(const std::string& key, std::size_t low, std::size_t high) const {
    const std::size_t value = file_.u32(key);
    if (value < low || value > high) {
      refuse(key + " is " + std::to_string(value) + "; it must be " + std::to_string(low) + " to " +
             std::to_string(high));
    }
    return value;
  }

  void f32(const std::string& name, std::initializer_list<std::size_t> shape) {
    static_cast<void>(file_.f32_tensor(name, {shape.begin(), shape.size()}));
    seen_.push_back(file_.find_tensor(name));
  }

  /// float32, or int8 with one float32 scale a row beside it.
  void matrix(const std::string& name, std::size_t rows, std::size_t cols) {
    if (file_.tensor(name).type == TensorType::f32) return f32(name, {rows, cols});
    const TensorView& found = file_.tensor(name);
    const std::size_t shape[] = {rows, cols};
    if (!std::ranges::equal(found.dims(), shape)) {
      refuse("tensor '" + name + "' is " + describe(found) + "; it must be int8 [" +
             std::to_string(rows) + ", " + std::to_string(cols) + "]");
    }
    seen_.push_back(&found);
    f32(name + ".scale", {rows});
  }

  void linear(const std::string& name, std::size_t out, std::size_t in) {
    matrix(name + ".weight", out, in);
    f32(name + ".bias", {out});
    // Only what is quantised has columns to even out.
    const bool int8 = file_.tensor(name + ".weight").type == TensorType::i8;
    if (int8 && file_.find_tensor(name + ".smooth") != nullptr) f32(name + ".smooth", {in});
  }

  void norm(const std::string& name, std::size_t width) {
    f32(name + ".weight", {width});
    f32(name + ".bias", {width});
  }

  /// Every tensor was asked for.
  void nothing_left_over() const {
    for (const TensorView& tensor : file_.tensors()) {
      if (std::ranges::find(seen_, &tensor) == seen_.end()) {
        refuse("tensor '" + shortened(tensor.name) +
               "' belongs to no part of a model of these sizes");
      }
    }
  }

 private:
  const ModelFile& file_;
  std::vector<const TensorView*> seen_;
};

std::string numbered(const std::string& part, std::size_t i, const char* name) {
  return part + "." + std::to_string(i) + "." + name;
}

void check_text(const ModelFile& file, LayoutCheck& check, std::size_t hidden) {
  const std::size_t heads = check.size("geng.text.heads", 1, 64);
  const std::size_t ffn = check.size("geng.text.ffn", 1, 16384);
  const std::size_t layers = check.size("geng.text.layers", 1, 48);
  const std::size_t vocabulary = check.size("geng.text.vocab", 1, 131072);
  const std::size_t words = file.strings("tokenizer.ggml.tokens").size();
  if (hidden % heads != 0) check.refuse("geng.text.heads does not divide geng.text.hidden");
  if (words != vocabulary) {
    check.refuse("tokenizer.ggml.tokens has " + std::to_string(words) +
                 " entries; geng.text.vocab says " + std::to_string(vocabulary));
  }
  check.matrix("text.word", vocabulary, hidden);
  check.f32("text.position", {check.size("geng.text.max_tokens", 1, 512), hidden});
  check.norm("text.norm", hidden);
  for (std::size_t i = 0; i < layers; ++i) {
    for (const char* name : {"q", "k", "v", "o"}) {
      check.linear(numbered("text", i, name), hidden, hidden);
    }
    check.linear(numbered("text", i, "up"), ffn, hidden);
    check.linear(numbered("text", i, "down"), hidden, ffn);
    check.norm(numbered("text", i, "norm1"), hidden);
    check.norm(numbered("text", i, "norm2"), hidden);
  }
}

/// The bridge, or the student distilled from it, whose sizes are the same. `answers` are told to it
/// in a token of their own, where there are any.
void check_bridge(LayoutCheck& check, const std::string& name, std::size_t condition,
                  std::size_t answers) {
  const std::size_t tokens = check.size("geng.bridge.tokens", 1, 256);
  const std::size_t width = check.size("geng.bridge.width", 1, 1024);
  const std::size_t dim = check.size("geng.bridge.dim", 1, 4096);
  const std::size_t depth = check.size("geng.bridge.depth", 1, 64);
  if (dim % check.size("geng.bridge.heads", 1, 64) != 0) {
    check.refuse("geng.bridge.heads does not divide geng.bridge.dim");
  }
  check.linear(name + ".condition", dim, condition);
  check.linear(name + ".frame", dim, kFrameFeatures);
  if (answers > 0) check.linear(name + ".claims", dim, answers);
  check.linear(name + ".in", dim, width);
  check.linear(name + ".time1", dim, kTimeWidth);
  check.linear(name + ".time2", dim, dim);
  check.linear(name + ".mod", 6 * dim, dim);
  check.linear(name + ".fin", 2 * dim, dim);
  check.linear(name + ".out", width, dim);
  check.f32(name + ".null", {dim});
  check.f32(name + ".position", {tokens, dim});
  for (std::size_t i = 0; i < depth; ++i) {
    check.linear(numbered(name, i, "qkv"), 3 * dim, dim);
    check.linear(numbered(name, i, "o"), dim, dim);
    check.linear(numbered(name, i, "cq"), dim, dim);
    check.linear(numbered(name, i, "ckv"), 2 * dim, dim);
    check.linear(numbered(name, i, "co"), dim, dim);
    check.linear(numbered(name, i, "up"), 4 * dim, dim);
    check.linear(numbered(name, i, "down"), dim, 4 * dim);
    check.f32(numbered(name, i, "table"), {6 * dim});
  }
}

void check_latent(LayoutCheck& check) {
  const std::size_t tokens = check.size("geng.bridge.tokens", 1, 256);
  const std::size_t width = check.size("geng.bridge.width", 1, 1024);
  check.f32("latent.mean", {tokens, width});
  check.f32("latent.std", {tokens, width});
  check.f32("schedule.alpha_bar", {check.size("geng.bridge.train_steps", 1, 4096)});
}

/// Tokens that the number reader sees at once: its own and eight on each side.
constexpr std::size_t kReaderSpan = 17;

/// The reader's widths are nowhere but in its own tensors.
void check_reader(const ModelFile& file, LayoutCheck& check, std::size_t condition,
                  std::size_t roles) {
  const std::size_t width = file.tensor("reader.up.weight").shape[0];
  const std::size_t hidden = file.tensor("reader.mix.weight").shape[0];
  check.linear("reader.up", width, condition);
  check.linear("reader.mix", hidden, kReaderSpan * width);
  check.linear("reader.down", roles, hidden);
}

/// Which answers speak of a trend or of no cycle.
constexpr const char* kClaimScores[] = {"geng.claims.trend_up", "geng.claims.trend_down",
                                        "geng.claims.trend_none", "geng.claims.no_cycle"};

/// The claims reader, where a model carries one; its answers are counted by its own tensors.
///
/// @return  How many answers the bridge is told.
std::size_t check_claims(const ModelFile& file, LayoutCheck& check, std::size_t condition) {
  const bool told = file.has("geng.claims.fields");
  for (const std::string key : kClaimScores) {
    // Without fields there are no shares that these could index.
    if (!told && file.has(key)) {
      check.refuse(key + " is there; geng.claims.fields must be beside it");
    }
  }
  if (!file.has("geng.claims")) {
    if (told) check.refuse("geng.claims.fields is there; geng.claims must be beside it");
    return 0;
  }
  const std::size_t width = file.tensor("claims.up.weight").shape[0];
  const std::size_t answers = file.tensor("claims.down.weight").shape[0];
  check.linear("claims.up", width, condition);
  check.linear("claims.down", answers, 2 * width);
  if (!told) return 0;
  const std::size_t fields = file.strings("geng.claims.fields").size();
  if (fields != answers) {
    check.refuse("geng.claims.fields has " + std::to_string(fields) +
                 " entries; claims.down.weight has " + std::to_string(answers) + " rows");
  }
  if (file.has("geng.claims.trend_up")) {
    for (const char* key : kClaimScores) static_cast<void>(check.size(key, 0, answers - 1));
  }
  return answers;
}

/// The series encoder, where a model carries one: its outputs are two period slots of 96 classes
/// and a presence, and two event slots of 5 kinds, 64 places, width and size.
void check_encoder(const ModelFile& file, LayoutCheck& check) {
  if (!file.has("geng.encoder.dim")) return;
  constexpr std::size_t kPatch = 16;
  constexpr std::size_t kOutputs = 2 * (96 + 1) + 2 * (5 + 64 + 2);
  const std::size_t dim = check.size("geng.encoder.dim", 1, 1024);
  const std::size_t heads = check.size("geng.encoder.heads", 1, dim);
  if (dim % heads != 0) {
    check.refuse("geng.encoder.heads is " + std::to_string(heads) + "; it must divide " +
                 std::to_string(dim));
  }
  const std::size_t window = check.size("geng.window", kPatch, 4096);
  if (window % kPatch != 0) {
    check.refuse("geng.window is " + std::to_string(window) + "; it must be a multiple of 16");
  }
  check.linear("encoder.patch", dim, kPatch);
  check.linear("encoder.band", dim, kPatch);
  check.linear("encoder.output", kOutputs, dim);
  check.f32("encoder.position", {2 * (window / kPatch) + 1, dim});
  const std::size_t depth = check.size("geng.encoder.depth", 1, 64);
  for (std::size_t i = 0; i < depth; ++i) {
    check.linear(numbered("encoder", i, "qkv"), 3 * dim, dim);
    check.linear(numbered("encoder", i, "o"), dim, dim);
    check.linear(numbered("encoder", i, "up"), 4 * dim, dim);
    check.linear(numbered("encoder", i, "down"), dim, 4 * dim);
  }
}

/// float32 values are finite; int8 ones are never -128, whose products could overflow the int16
/// pair sums of the smaller CPUs.
void check_values(const LayoutCheck& report, const TensorView& tensor) {
  const std::string what = "tensor '" + shortened(tensor.name) + "' holds ";
  if (tensor.type == TensorType::f32) {
    const auto values = tensor.f32();
    const auto bad = std::ranges::find_if(values, [](float v) { return !std::isfinite(v); });
    if (bad == values.end()) return;
    report.refuse(what + "a NaN or an infinity at element " + std::to_string(bad - values.begin()));
  }
  const auto values = tensor.i8();
  const auto bad = std::ranges::find(values, std::int8_t{-128});
  if (bad == values.end()) return;
  report.refuse(what + "-128 at element " + std::to_string(bad - values.begin()) +
                "; it must be -127 to 127");
}

/// What latents are divided by, on the way from a series.
void check_deviations(const LayoutCheck& report, std::span<const float> deviations) {
  constexpr float kLeast = 1e-12f;
  const auto bad = std::ranges::find_if(deviations, [](float value) { return !(value >= kLeast); });
  if (bad == deviations.end()) return;
  report.refuse("tensor 'latent.std' is below 1e-12 at element " +
                std::to_string(bad - deviations.begin()) + "; it must be 1e-12 or more");
}

}  // namespace

void check_layout(const ModelFile& file) {
  LayoutCheck check(file);
  if (const auto name = file.string("general.architecture"); name != "geng") {
    check.refuse("general.architecture is '" + shortened(name) + "'; it must be 'geng'");
  }
  if (const auto version = file.u32("geng.format_version"); version != 1) {
    check.refuse("format " + std::to_string(version) + "; this build reads 1");
  }
  if (const auto meaning = file.string("geng.bridge.prediction"); meaning != "v") {
    check.refuse("geng.bridge.prediction is '" + shortened(meaning) + "'; it must be 'v'");
  }
  check.size("geng.window", 64, 4096);
  const std::size_t hidden = check.size("geng.text.hidden", 1, 4096);
  const std::size_t condition = hidden + check.size("geng.number_width", 32, 32);
  check_text(file, check, hidden);
  check_reader(file, check, condition, check.size("geng.roles", 13, 13));
  const std::size_t answers = check_claims(file, check, condition);
  check_bridge(check, "bridge", condition, answers);
  if (file.has("geng.student.guidance")) check_bridge(check, "student", condition, answers);
  check_latent(check);
  check_encoder(file, check);
  check.nothing_left_over();
  for (const TensorView& tensor : file.tensors()) check_values(check, tensor);
  check_deviations(check, file.tensor("latent.std").f32());
}

}  // namespace geng
