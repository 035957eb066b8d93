#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "bench/gguf_writer.h"

// A whole model of the smallest sizes, for tests of what reads one. Its weights mean nothing.

inline geng::gguf::Tensor* find(geng::gguf::File& file, const std::string& name) {
  const auto found = std::ranges::find(file.tensors, name, &geng::gguf::Tensor::name);
  return found == file.tensors.end() ? nullptr : &*found;
}

inline void set(geng::gguf::File& file, const std::string& key, const std::string& value) {
  for (auto& field : file.fields) {
    if (field.first == key) field.second = value;
  }
}

/// Makes the matrix `name` int8, with its scales behind the last tensor.
inline void quantize(geng::gguf::File& file, const std::string& name) {
  geng::gguf::Tensor& tensor = *find(file, name);
  const std::vector<std::uint64_t> shape(tensor.ne.rbegin(), tensor.ne.rend());
  tensor = geng::gguf::i8_tensor(name, shape);
  file.tensors.push_back(geng::gguf::f32_tensor(name + ".scale", {shape[0]}, 0.01f));
}

inline void add_linear(geng::gguf::File& file, const std::string& name, std::uint64_t out,
                       std::uint64_t in) {
  file.tensors.push_back(geng::gguf::f32_tensor(name + ".weight", {out, in}, 0.02f));
  file.tensors.push_back(geng::gguf::f32_tensor(name + ".bias", {out}, 0.01f));
}

inline void add_sizes(geng::gguf::File& file) {
  const std::pair<const char*, std::uint32_t> sizes[] = {{"geng.format_version", 1},
                                                         {"geng.window", 512},
                                                         {"geng.text.hidden", 8},
                                                         {"geng.text.heads", 2},
                                                         {"geng.text.ffn", 12},
                                                         {"geng.text.layers", 1},
                                                         {"geng.text.max_tokens", 16},
                                                         {"geng.text.vocab", 6},
                                                         {"geng.number_width", 32},
                                                         {"geng.roles", 13},
                                                         {"geng.bridge.tokens", 6},
                                                         {"geng.bridge.width", 32},
                                                         {"geng.bridge.dim", 8},
                                                         {"geng.bridge.depth", 1},
                                                         {"geng.bridge.heads", 2},
                                                         {"geng.bridge.train_steps", 20},
                                                         {"geng.decoder.harmonics", 14},
                                                         {"geng.decoder.trend", 31},
                                                         {"geng.decoder.residual_tokens", 1},
                                                         {"geng.decoder.residual_per_token", 32},
                                                         {"geng.decoder.residual_total", 32}};
  for (const auto& [key, value] : sizes) file.fields.emplace_back(key, geng::gguf::u32(value));
  file.fields.emplace_back("general.architecture", geng::gguf::string("geng"));
  file.fields.emplace_back("geng.bridge.prediction", geng::gguf::string("v"));
  file.fields.emplace_back("tokenizer.ggml.tokens",
                           geng::gguf::strings({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "##b"}));
}

inline geng::gguf::File tiny_model() {
  geng::gguf::File file;
  add_sizes(file);
  const std::uint64_t hidden = 8, ffn = 12, dim = 8, condition = hidden + 32;
  file.tensors = {geng::gguf::f32_tensor("text.word", {6, hidden}),
                  geng::gguf::f32_tensor("text.position", {16, hidden}),
                  geng::gguf::f32_tensor("text.norm.weight", {hidden}),
                  geng::gguf::f32_tensor("text.norm.bias", {hidden})};
  for (const char* name : {"q", "k", "v", "o"})
    add_linear(file, std::string("text.0.") + name, hidden, hidden);
  add_linear(file, "text.0.up", ffn, hidden);
  add_linear(file, "text.0.down", hidden, ffn);
  for (const char* name : {"text.0.norm1", "text.0.norm2"}) {
    file.tensors.push_back(geng::gguf::f32_tensor(std::string(name) + ".weight", {hidden}));
    file.tensors.push_back(geng::gguf::f32_tensor(std::string(name) + ".bias", {hidden}));
  }
  add_linear(file, "reader.up", 10, condition);
  add_linear(file, "reader.mix", 12, 17 * 10);
  add_linear(file, "reader.down", 13, 12);
  const struct {
    const char* name;
    std::uint64_t out, in;
  } linears[] = {{"condition", dim, condition},
                 {"frame", dim, 16},
                 {"in", dim, 32},
                 {"time1", dim, 256},
                 {"time2", dim, dim},
                 {"mod", 6 * dim, dim},
                 {"fin", 2 * dim, dim},
                 {"out", 32, dim},
                 {"0.qkv", 3 * dim, dim},
                 {"0.o", dim, dim},
                 {"0.cq", dim, dim},
                 {"0.ckv", 2 * dim, dim},
                 {"0.co", dim, dim},
                 {"0.up", 4 * dim, dim},
                 {"0.down", dim, 4 * dim}};
  for (const auto& [name, out, in] : linears)
    add_linear(file, std::string("bridge.") + name, out, in);
  file.tensors.push_back(geng::gguf::f32_tensor("bridge.0.table", {6 * dim}));
  file.tensors.push_back(geng::gguf::f32_tensor("bridge.null", {dim}));
  file.tensors.push_back(geng::gguf::f32_tensor("bridge.position", {6, dim}));
  file.tensors.push_back(geng::gguf::f32_tensor("latent.mean", {6, 32}, 0.0f));
  file.tensors.push_back(geng::gguf::f32_tensor("latent.std", {6, 32}, 1.0f));
  geng::gguf::Tensor schedule = geng::gguf::f32_tensor("schedule.alpha_bar", {20});
  for (std::size_t t = 0; t < 20; ++t) {
    schedule.data.replace(4 * t, 4, geng::gguf::raw(0.99f - 0.045f * static_cast<float>(t)));
  }
  file.tensors.push_back(schedule);
  return file;
}
