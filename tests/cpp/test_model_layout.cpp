#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "format/model_layout.h"
#include "geng/error.h"
#include "model/certain_claims.h"
#include "model/latent_layout.h"
#include "tiny_model.h"

using geng::Code;
using geng::ModelFile;

namespace {

std::string verdict(const geng::gguf::File& file) {
  const geng::gguf::Image image(file.build());
  try {
    geng::check_layout(ModelFile::from_bytes(image.bytes(), "x.gguf"));
    return "";
  } catch (const geng::Error& error) {
    return error.what();
  }
}

void check_refused(const std::string& text, const std::function<void(geng::gguf::File&)>& spoil) {
  geng::gguf::File file = tiny_model();
  spoil(file);
  const std::string said = verdict(file);
  if (said.find(text) == std::string::npos) {
    check::fail(__FILE__, __LINE__, "wanted '" + text + "', got '" + said + "'");
  }
}

}  // namespace

TEST(ModelLayout, TakesAWholeModelInFloat32AndInt8) {
  CHECK_EQ(verdict(tiny_model()), "");
  geng::gguf::File file = tiny_model();
  quantize(file, "bridge.0.up.weight");
  quantize(file, "text.word");
  CHECK_EQ(verdict(file), "");
}

TEST(ModelLayout, RefusesAnEncoderTensorWithoutItsSizes) {
  check_refused("tensor 'encoder.patch.bias' belongs to no part of a model of these sizes",
                [](geng::gguf::File& f) {
                  f.tensors.push_back(geng::gguf::f32_tensor("encoder.patch.bias", {3}));
                });
}

TEST(ModelLayout, RefusesAnotherArchitectureFormatOrPrediction) {
  check_refused("general.architecture is 'llama'; it must be 'geng'", [](geng::gguf::File& f) {
    set(f, "general.architecture", geng::gguf::string("llama"));
  });
  check_refused("format 2; this build reads 1",
                [](geng::gguf::File& f) { set(f, "geng.format_version", geng::gguf::u32(2)); });
  check_refused("geng.bridge.prediction is 'eps'; it must be 'v'", [](geng::gguf::File& f) {
    set(f, "geng.bridge.prediction", geng::gguf::string("eps"));
  });
}

TEST(ModelLayout, RefusesSizesOutOfRange) {
  for (const char* key : {"geng.window", "geng.text.hidden", "geng.text.layers", "geng.bridge.dim",
                          "geng.bridge.heads", "geng.number_width", "geng.roles"}) {
    check_refused(std::string(key) + " is 0; it must be ",
                  [&](geng::gguf::File& f) { set(f, key, geng::gguf::u32(0)); });
  }
  check_refused("geng.bridge.heads does not divide geng.bridge.dim",
                [](geng::gguf::File& f) { set(f, "geng.bridge.heads", geng::gguf::u32(3)); });
  check_refused("geng.text.heads does not divide geng.text.hidden",
                [](geng::gguf::File& f) { set(f, "geng.text.heads", geng::gguf::u32(5)); });
  check_refused("tokenizer.ggml.tokens has 6 entries; geng.text.vocab says 7",
                [](geng::gguf::File& f) { set(f, "geng.text.vocab", geng::gguf::u32(7)); });
}

TEST(LatentLayout, RefusesSizesThatWrapIn32Bits) {
  const auto layout_of = [](const std::vector<std::pair<const char*, std::uint32_t>>& sizes) {
    geng::gguf::File file = tiny_model();
    for (const auto& [key, value] : sizes) set(file, key, geng::gguf::u32(value));
    const geng::gguf::Image image(file.build());
    return geng::LatentLayout::of(ModelFile::from_bytes(image.bytes(), "x.gguf"));
  };
  CHECK_EQ(layout_of({}).size(), 6u * 32u);
  const char* const sentence = "it must hold what geng.decoder.* declares";
  CHECK_ERROR(layout_of({{"geng.decoder.harmonics", 0x8000000eu}}), Code::model_file, sentence);
  CHECK_ERROR(layout_of({{"geng.decoder.trend", 0xffffffffu}}), Code::model_file, sentence);
  CHECK_ERROR(layout_of({{"geng.bridge.tokens", 4}, {"geng.decoder.residual_tokens", 0xffffffffu}}),
              Code::model_file, sentence);
}

TEST(ModelLayout, RefusesClaimsThatNoReaderMakes) {
  const auto fields = geng::gguf::strings({"trend", "trend", "wave"});
  check_refused("geng.claims.fields is there; geng.claims must be beside it",
                [&](geng::gguf::File& f) { f.fields.emplace_back("geng.claims.fields", fields); });
  const auto claims = [&](geng::gguf::File& f) {
    f.fields.emplace_back("geng.claims", geng::gguf::string("{}"));
    f.fields.emplace_back("geng.claims.fields", fields);
    add_linear(f, "claims.up", 4, 8 + 32);
  };
  check_refused("geng.claims.fields has 3 entries; claims.down.weight has 2 rows",
                [&](geng::gguf::File& f) {
                  claims(f);
                  add_linear(f, "claims.down", 2, 8);
                });
  check_refused("geng.claims.trend_up is 3; it must be 0 to 2", [&](geng::gguf::File& f) {
    claims(f);
    add_linear(f, "claims.down", 3, 8);
    f.fields.emplace_back("geng.claims.trend_up", geng::gguf::u32(3));
  });
  for (const std::string key : {"geng.claims.trend_up", "geng.claims.trend_down",
                                "geng.claims.trend_none", "geng.claims.no_cycle"}) {
    check_refused(key + " is there; geng.claims.fields must be beside it",
                  [&](geng::gguf::File& f) {
                    f.fields.emplace_back("geng.claims", geng::gguf::string("{}"));
                    f.fields.emplace_back(key, geng::gguf::u32(5));
                    add_linear(f, "claims.up", 4, 8 + 32);
                    add_linear(f, "claims.down", 3, 8);
                  });
  }
  check_refused("tensor 'bridge.claims.weight' is missing", [&](geng::gguf::File& f) {
    claims(f);
    add_linear(f, "claims.down", 3, 8);
  });
}

TEST(ModelLayout, RefusesEachTensorThatIsMissing) {
  const std::size_t count = tiny_model().tensors.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = tiny_model().tensors[i].name;
    check_refused("tensor '" + name + "' is missing", [&](geng::gguf::File& f) {
      f.tensors.erase(f.tensors.begin() + static_cast<std::ptrdiff_t>(i));
    });
  }
}

TEST(ModelLayout, RefusesTensorsOfAnotherShapeOrType) {
  check_refused("tensor 'bridge.0.o.weight' is float32 [8, 9]; it must be float32 [8, 8]",
                [](geng::gguf::File& f) {
                  *find(f, "bridge.0.o.weight") =
                      geng::gguf::f32_tensor("bridge.0.o.weight", {8, 9});
                });
  check_refused(
      "tensor 'bridge.0.o.weight' is int8 [9, 8]; it must be int8 [8, 8]", [](geng::gguf::File& f) {
        *find(f, "bridge.0.o.weight") = geng::gguf::i8_tensor("bridge.0.o.weight", {9, 8});
      });
  check_refused("tensor 'bridge.0.o.weight.scale' is missing", [](geng::gguf::File& f) {
    *find(f, "bridge.0.o.weight") = geng::gguf::i8_tensor("bridge.0.o.weight", {8, 8});
  });
  check_refused("tensor 'bridge.0.o.bias' is int8 [8]; it must be float32 [8]",
                [](geng::gguf::File& f) {
                  *find(f, "bridge.0.o.bias") = geng::gguf::i8_tensor("bridge.0.o.bias", {8});
                });
  check_refused(
      "tensor 'stowaway' belongs to no part of a model of these sizes",
      [](geng::gguf::File& f) { f.tensors.push_back(geng::gguf::f32_tensor("stowaway", {1})); });
}

TEST(ModelLayout, RefusesValuesThatNoModelHas) {
  check_refused("tensor 'latent.std' holds a NaN or an infinity at element 0",
                [](geng::gguf::File& f) {
                  geng::gguf::Tensor& tensor = *find(f, "latent.std");
                  tensor.data.replace(0, 4, geng::gguf::raw(NAN));
                });
  for (const float value : {0.0f, -1.0f, 1e-13f}) {
    check_refused("tensor 'latent.std' is below 1e-12 at element 1; it must be 1e-12 or more",
                  [&](geng::gguf::File& f) {
                    find(f, "latent.std")->data.replace(4, 4, geng::gguf::raw(value));
                  });
  }
  check_refused("tensor 'bridge.0.up.weight' holds -128 at element 2; it must be -127 to 127",
                [](geng::gguf::File& f) {
                  quantize(f, "bridge.0.up.weight");
                  find(f, "bridge.0.up.weight")->data[2] = '\x80';
                });
}

TEST(ModelLayout, TakesTheModelThatTheFuzzerSpoils) {
  // tiny_model() with a claims reader and one int8 matrix; a refused one would be fuzzed in vain.
  const ModelFile file = ModelFile::open("cpp/fuzz/corpus/gguf/model_int8.gguf");
  geng::check_layout(file);
  CHECK_EQ(geng::LatentLayout::of(file).size(), 6u * 32u);
  CHECK(geng::ClaimScores::of(file).has_value());
}

CHECK_MAIN()
