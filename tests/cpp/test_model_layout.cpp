#include <cmath>
#include <functional>
#include <string>

#include "check.h"
#include "format/model_layout.h"
#include "geng/error.h"
#include "tiny_model.h"

using geng::Code;
using geng::ModelFile;

namespace {

std::string verdict(const gguf::File& file) {
  const gguf::Image image(file.build());
  try {
    geng::check_layout(ModelFile::from_bytes(image.bytes(), "x.gguf"));
    return "";
  } catch (const geng::Error& error) {
    return error.what();
  }
}

void check_refused(const std::string& text, const std::function<void(gguf::File&)>& spoil) {
  gguf::File file = tiny_model();
  spoil(file);
  const std::string said = verdict(file);
  if (said.find(text) == std::string::npos) {
    check::fail(__FILE__, __LINE__, "wanted '" + text + "', got '" + said + "'");
  }
}

}  // namespace

TEST(ModelLayout, TakesAWholeModelInFloat32AndInt8) {
  CHECK_EQ(verdict(tiny_model()), "");
  gguf::File file = tiny_model();
  quantize(file, "bridge.0.up.weight");
  quantize(file, "text.word");
  CHECK_EQ(verdict(file), "");
}

TEST(ModelLayout, RefusesAnEncoderTensorWithoutItsSizes) {
  check_refused(
      "tensor 'encoder.patch.bias' belongs to no part of a model of these sizes",
      [](gguf::File& f) { f.tensors.push_back(gguf::f32_tensor("encoder.patch.bias", {3})); });
}

TEST(ModelLayout, RefusesAnotherArchitectureFormatOrPrediction) {
  check_refused("general.architecture is 'llama'; it must be 'geng'",
                [](gguf::File& f) { set(f, "general.architecture", gguf::string("llama")); });
  check_refused("format 2; this build reads 1",
                [](gguf::File& f) { set(f, "geng.format_version", gguf::u32(2)); });
  check_refused("geng.bridge.prediction is 'eps'; it must be 'v'",
                [](gguf::File& f) { set(f, "geng.bridge.prediction", gguf::string("eps")); });
}

TEST(ModelLayout, RefusesSizesOutOfRange) {
  for (const char* key : {"geng.window", "geng.text.hidden", "geng.text.layers", "geng.bridge.dim",
                          "geng.bridge.heads", "geng.number_width", "geng.roles"}) {
    check_refused(std::string(key) + " is 0; it must be ",
                  [&](gguf::File& f) { set(f, key, gguf::u32(0)); });
  }
  check_refused("geng.bridge.heads does not divide geng.bridge.dim",
                [](gguf::File& f) { set(f, "geng.bridge.heads", gguf::u32(3)); });
  check_refused("geng.text.heads does not divide geng.text.hidden",
                [](gguf::File& f) { set(f, "geng.text.heads", gguf::u32(5)); });
  check_refused("tokenizer.ggml.tokens has 6 entries; geng.text.vocab says 7",
                [](gguf::File& f) { set(f, "geng.text.vocab", gguf::u32(7)); });
}

TEST(ModelLayout, RefusesEachTensorThatIsMissing) {
  const std::size_t count = tiny_model().tensors.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = tiny_model().tensors[i].name;
    check_refused("tensor '" + name + "' is missing", [&](gguf::File& f) {
      f.tensors.erase(f.tensors.begin() + static_cast<std::ptrdiff_t>(i));
    });
  }
}

TEST(ModelLayout, RefusesTensorsOfAnotherShapeOrType) {
  check_refused("tensor 'bridge.0.o.weight' is float32 [8, 9]; it must be float32 [8, 8]",
                [](gguf::File& f) {
                  *find(f, "bridge.0.o.weight") = gguf::f32_tensor("bridge.0.o.weight", {8, 9});
                });
  check_refused("tensor 'bridge.0.o.weight' is int8 [9, 8]; it must be int8 [8, 8]",
                [](gguf::File& f) {
                  *find(f, "bridge.0.o.weight") = gguf::i8_tensor("bridge.0.o.weight", {9, 8});
                });
  check_refused("tensor 'bridge.0.o.weight.scale' is missing", [](gguf::File& f) {
    *find(f, "bridge.0.o.weight") = gguf::i8_tensor("bridge.0.o.weight", {8, 8});
  });
  check_refused("tensor 'bridge.0.o.bias' is int8 [8]; it must be float32 [8]", [](gguf::File& f) {
    *find(f, "bridge.0.o.bias") = gguf::i8_tensor("bridge.0.o.bias", {8});
  });
  check_refused("tensor 'stowaway' belongs to no part of a model of these sizes",
                [](gguf::File& f) { f.tensors.push_back(gguf::f32_tensor("stowaway", {1})); });
}

TEST(ModelLayout, RefusesValuesThatNoModelHas) {
  check_refused("tensor 'latent.std' holds a NaN or an infinity at element 0", [](gguf::File& f) {
    gguf::Tensor& tensor = *find(f, "latent.std");
    tensor.data.replace(0, 4, gguf::raw(NAN));
  });
  check_refused("tensor 'bridge.0.up.weight' holds -128 at element 2; it must be -127 to 127",
                [](gguf::File& f) {
                  quantize(f, "bridge.0.up.weight");
                  find(f, "bridge.0.up.weight")->data[2] = '\x80';
                });
}

CHECK_MAIN()
