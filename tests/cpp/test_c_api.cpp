// The C interface: codes, sentences, and the same bytes as the C++ one.

#include <cstring>
#include <string>
#include <vector>

#include "check.h"
#include "geng/generator.h"
#include "geng/geng.h"
#include "random_model.h"

namespace {

struct Opened {
  geng::random_model::TempFile file;
  geng_model* model = nullptr;

  Opened() : file(geng::random_model::bytes({})) {
    char sentence[256];
    CHECK_EQ(geng_open(file.path().c_str(), GENG_INT8, 1, &model, sentence, sizeof sentence),
             GENG_OK);
    CHECK_EQ(std::string(sentence), "");
  }
  ~Opened() { geng_close(model); }

  [[nodiscard]] bool says(const char* text) const {
    return std::strstr(geng_last_error(model), text) != nullptr;
  }
};

struct Fixture : Opened {
  std::vector<float> condition = geng::random_model::condition(6, 32);
  std::vector<float> series = std::vector<float>(2 * 64, -7.0f);
  geng_request request{};

  Fixture() {
    geng_request_init(&request);
    request.condition = condition.data();
    request.tokens = 6;
    request.count = 2;
    request.length = 64;
    request.steps = 4;
    request.seed = 11;
  }
};

}  // namespace

TEST(CApi, DrawsTheBytesOfTheGenerator) {
  Fixture f;
  CHECK_EQ(geng_sample(f.model, &f.request, f.series.data()), GENG_OK);
  const geng::Generator generator(f.file.path(), geng::Precision::int8, 2);
  geng::SamplerConfig config;
  config.steps = 4;
  config.seed = 11;
  std::vector<float> expected(f.series.size());
  generator.sample(f.condition, 2, 64, config, {}, expected);
  CHECK_EQ(f.series, expected);
}

TEST(CApi, EncodesText) {
  const Opened f;
  CHECK_EQ(geng_condition_width(f.model), 64u);
  CHECK_EQ(geng_max_tokens(f.model), 128u);
  const std::vector<std::int32_t> ids = {2, 9, 3};
  const std::vector<float> numbers(3 * 32, 0.0f);
  std::vector<float> condition(3 * 64);
  CHECK_EQ(geng_encode_text(f.model, ids.data(), numbers.data(), 3, condition.data()), GENG_OK);
  const std::vector<std::int32_t> unknown = {2, 64, 3};
  CHECK_EQ(geng_encode_text(f.model, unknown.data(), numbers.data(), 3, condition.data()),
           GENG_INVALID_ARGUMENT);
  CHECK(f.says("id 1 is 64; it must be 0 to 63"));
}

TEST(CApi, RefusesNullPointersAndSizesNoMemoryHolds) {
  Fixture f;
  CHECK_EQ(geng_sample(f.model, nullptr, f.series.data()), GENG_INVALID_ARGUMENT);
  CHECK(f.says("request is NULL"));
  CHECK_EQ(geng_sample(f.model, &f.request, nullptr), GENG_INVALID_ARGUMENT);
  CHECK(f.says("series is NULL"));
  f.request.tokens = SIZE_MAX / 8;
  CHECK_EQ(geng_sample(f.model, &f.request, f.series.data()), GENG_INVALID_ARGUMENT);
  CHECK(f.says("condition has"));
  f.request.tokens = 6;
  f.request.count = SIZE_MAX / 2;
  CHECK_EQ(geng_sample(f.model, &f.request, f.series.data()), GENG_INVALID_ARGUMENT);
  CHECK_EQ(f.series, std::vector<float>(f.series.size(), -7.0f));
}

TEST(CApi, StopsWhenProgressSaysSo) {
  Fixture f;
  int calls = 0;
  f.request.user = &calls;
  f.request.progress = [](int done, int total, void* user) {
    ++*static_cast<int*>(user);
    return done < 2 && total == 4 ? 1 : 0;
  };
  CHECK_EQ(geng_sample(f.model, &f.request, f.series.data()), GENG_CANCELLED);
  CHECK_EQ(calls, 2);
  CHECK_EQ(f.series, std::vector<float>(f.series.size(), -7.0f));
}

TEST(CApi, SaysWhyAFileCannotBeOpened) {
  geng_model* model = nullptr;
  char sentence[24];
  CHECK_EQ(geng_open("/nowhere/model.gguf", GENG_INT8, 1, &model, sentence, sizeof sentence),
           GENG_MODEL_FILE);
  CHECK(model == nullptr);
  CHECK_EQ(std::strlen(sentence), sizeof sentence - 1);  // cut, and closed
  CHECK_EQ(geng_open(nullptr, GENG_INT8, 1, &model, nullptr, 0), GENG_INVALID_ARGUMENT);
  CHECK_EQ(geng_open("model.gguf", 7, 1, &model, nullptr, 0), GENG_INVALID_ARGUMENT);
  geng_close(nullptr);
}

CHECK_MAIN()
