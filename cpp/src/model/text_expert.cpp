#include "model/text_expert.h"

#include <algorithm>
#include <string>

#include "core/arena_meter.h"
#include "model/attention.h"

namespace geng {

using cpu::Epilogue;

namespace {

constexpr float kNormEps = 1e-12f;

}  // namespace

struct TextExpert::Scratch {
  std::size_t rows = 0;
  std::span<float> projected;  ///< [rows, 3 hidden], q k v
  std::span<float> packed;     ///< [heads, packed keys and values]
  std::span<float> scores;     ///< [heads, scratch of attention]
  LinearInput x, attended, wide;

  template <typename Source>
  static Scratch cut(Source& arena, const cpu::KernelSet& kernels, const TextExpert& f,
                     std::size_t rows) {
    Scratch s;
    s.rows = rows;
    s.projected = arena.template take<float>(rows * 3 * f.hidden_);
    s.packed = arena.template take<float>(f.heads_ *
                                          packed_head_floats(kernels, rows, f.hidden_ / f.heads_));
    s.scores = arena.template take<float>(f.heads_ * score_floats(kernels, rows, rows));
    s.x = LinearInput::cut(arena, kernels, rows, f.hidden_);
    s.attended = LinearInput::cut(arena, kernels, rows, f.hidden_);
    s.wide = LinearInput::cut(arena, kernels, rows, f.ffn_);
    return s;
  }
};

TextExpert::Norm TextExpert::norm_of(const WeightReader& weights, const std::string& name) {
  return {weights.values(name + ".weight"), weights.values(name + ".bias")};
}

TextExpert::Layer TextExpert::layer_of(const WeightReader& weights, std::size_t index) {
  const std::string at = "text." + std::to_string(index) + ".";
  return {weights.linear(at + "q"),       weights.linear(at + "k"),
          weights.linear(at + "v"),       weights.linear(at + "o"),
          weights.linear(at + "up"),      weights.linear(at + "down"),
          norm_of(weights, at + "norm1"), norm_of(weights, at + "norm2")};
}

TextExpert::TextExpert(const WeightReader& weights)
    : hidden_(weights.file.u32("geng.text.hidden")),
      heads_(weights.file.u32("geng.text.heads")),
      ffn_(weights.file.u32("geng.text.ffn")),
      max_tokens_(weights.file.u32("geng.text.max_tokens")),
      vocabulary_size_(weights.file.u32("geng.text.vocab")),
      words_(weights.file.tensor("text.word")),
      positions_(weights.values("text.position")),
      norm_(norm_of(weights, "text.norm")) {
  if (words_.type == TensorType::i8) word_scales_ = weights.values("text.word.scale");
  const std::size_t layers = weights.file.u32("geng.text.layers");
  layers_.reserve(layers);
  for (std::size_t i = 0; i < layers; ++i) layers_.push_back(layer_of(weights, i));
}

void TextExpert::embed(std::int32_t id, std::size_t place, float* out) const noexcept {
  const auto word = static_cast<std::size_t>(id);
  const float* position = positions_.data() + place * hidden_;
  for (std::size_t i = 0; i < hidden_; ++i) {
    const std::size_t at = word * hidden_ + i;
    const float value = word_scales_.empty()
                            ? words_.f32()[at]
                            : static_cast<float>(words_.i8()[at]) * word_scales_[word];
    out[i] = value + position[i];
  }
}

void TextExpert::normalise(const Compute& compute, const Norm& norm, float* x,
                           std::size_t rows) const noexcept {
  compute.kernels.layernorm(
      {x, x, norm.weight.data(), norm.bias.data(), 0.0f, kNormEps, rows, hidden_});
}

void TextExpert::run_layer(const Compute& compute, const Layer& layer, const Scratch& s) const {
  const std::size_t rows = s.rows;
  const auto prepare = [&](const LinearInput& input, const Linear& reader) {
    for_row_blocks(compute.pool, rows, [&](std::size_t first, std::size_t last) {
      input.prepare(reader, compute.kernels, first, last);
    });
  };
  const auto close = [&](const Norm& norm) {
    for_row_blocks(compute.pool, rows, [&](std::size_t first, std::size_t last) {
      normalise(compute, norm, s.x.values.data() + first * hidden_, last - first);
    });
  };
  prepare(s.x, layer.q);
  const std::size_t stride = 3 * hidden_;
  float* q = s.projected.data();
  layer.q.apply(compute, s.x, rows, Epilogue::none, into(q, stride));
  layer.k.apply(compute, s.x, rows, Epilogue::none, into(q + hidden_, stride));
  layer.v.apply(compute, s.x, rows, Epilogue::none, into(q + 2 * hidden_, stride));
  const MultiHead heads{q, s.attended.values.data(), stride, hidden_, rows, rows, hidden_, heads_};
  compute.pool.parallel_for(heads_, [&](std::size_t head) {
    const std::span<float> packed = s.packed.subspan(head * (s.packed.size() / heads_));
    pack_head(compute.kernels, {q + hidden_, q + 2 * hidden_, stride}, rows, heads.head_width(),
              head, packed);
    attend_head(compute.kernels, heads, head, packed,
                s.scores.subspan(head * (s.scores.size() / heads_)));
  });
  prepare(s.attended, layer.o);
  layer.o.apply(compute, s.attended, rows, Epilogue::none,
                added_to(s.x.values.data(), hidden_, nullptr));
  close(layer.norm1);
  prepare(s.x, layer.up);
  layer.up.apply(compute, s.x, rows, Epilogue::gelu_erf, into(s.wide.values.data(), ffn_));
  prepare(s.wide, layer.down);
  layer.down.apply(compute, s.wide, rows, Epilogue::none,
                   added_to(s.x.values.data(), hidden_, nullptr));
  close(layer.norm2);
}

void TextExpert::encode(const Compute& compute, std::span<const std::int32_t> ids, float* states,
                        std::size_t stride) const {
  const std::size_t rows = ids.size();
  ArenaMeter meter;
  Scratch::cut(meter, compute.kernels, *this, rows);
  Arena arena(meter.bytes());
  const Scratch s = Scratch::cut(arena, compute.kernels, *this, rows);
  float* x = s.x.values.data();
  for (std::size_t i = 0; i < rows; ++i) embed(ids[i], i, x + i * hidden_);
  normalise(compute, norm_, x, rows);
  for (const Layer& layer : layers_) run_layer(compute, layer, s);
  for (std::size_t i = 0; i < rows; ++i) std::copy_n(x + i * hidden_, hidden_, states + i * stride);
}

}  // namespace geng
