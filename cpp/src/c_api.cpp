#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string>

#include "format/gguf.h"
#include "format/npy.h"
#include "geng/error.h"
#include "geng/generator.h"
#include "geng/geng.h"

struct geng_model {
  geng::Generator generator;
  std::string error;
  std::string isa;
};

namespace {

/// Runs `body`; an exception becomes its code, and its sentence goes to `sentence`.
template <typename Body>
int guarded(std::string& sentence, Body&& body) noexcept {
  int code = GENG_INTERNAL;
  try {
    try {
      body();
      return GENG_OK;
    } catch (const geng::Error& error) {
      code = static_cast<int>(error.code());
      sentence = error.what();
    } catch (const std::bad_alloc&) {
      code = GENG_OUT_OF_MEMORY;
      sentence = "memory is used up; a smaller count or length needs less";
    } catch (const std::exception& error) {
      sentence = error.what();
    }
  } catch (...) {  // no memory for the sentence either: the code has to do
    sentence.clear();
  }
  return code;
}

std::string text_of(const char* text) { return text != nullptr ? text : ""; }

void require(const void* pointer, const char* name) {
  if (pointer != nullptr) return;
  throw geng::Error(geng::Code::invalid_argument,
                    std::string(name) + " is NULL; it must point to memory of the caller");
}

/// `count` values at `values`, unless the product would not fit an address space.
template <typename T>
std::span<T> span_of(T* values, std::size_t rows, std::size_t width, const char* name) {
  require(values, name);
  if (rows > PTRDIFF_MAX / sizeof(T) / width) {
    throw geng::Error(
        geng::Code::invalid_argument,
        std::string(name) + " has " + std::to_string(rows) + " rows; it must fit in memory");
  }
  return {values, rows * width};
}

void sample(const geng::Generator& generator, const geng_request& request, float* series) {
  require(request.solver, "solver");
  geng::Progress progress;
  if (request.progress != nullptr) {
    progress = [&request](int done, int total) {
      return request.progress(done, total, request.user) != 0;
    };
  }
  const geng::SamplerConfig config{request.solver,       request.steps,         request.guidance,
                                   request.guidance_low, request.guidance_high, request.eta,
                                   request.seed};
  const std::size_t length = request.length;
  const auto out = span_of(series, request.count, length == 0 ? 1 : length, "series");
  generator.sample(
      span_of(request.condition, request.tokens, generator.condition_width(), "condition"),
      request.count, length, config, progress, out);
}

}  // namespace

extern "C" {

void geng_request_init(geng_request* request) {
  const geng::SamplerConfig config;
  *request = geng_request{};
  request->count = 1;
  request->length = 512;
  request->solver = config.solver.data();
  request->steps = config.steps;
  request->guidance = config.guidance_scale;
  request->guidance_low = config.guidance_low;
  request->guidance_high = config.guidance_high;
  request->eta = config.eta;
}

const char* geng_version(void) { return GENG_VERSION; }

int geng_open(const char* path, int precision, int threads, geng_model** model, char* error,
              size_t error_size) {
  const geng_options options{precision, threads, nullptr, nullptr};
  return geng_open_with(path, &options, model, error, error_size);
}

int geng_open_with(const char* path, const geng_options* options, geng_model** model, char* error,
                   size_t error_size) {
  std::string sentence;
  const int code = guarded(sentence, [&] {
    require(static_cast<const void*>(model), "model");
    *model = nullptr;
    require(path, "path");
    require(options, "options");
    const int precision = options->precision;
    if (precision != GENG_INT8 && precision != GENG_FLOAT32) {
      throw geng::Error(geng::Code::invalid_argument, "precision is " + std::to_string(precision) +
                                                          "; it must be GENG_INT8 or GENG_FLOAT32");
    }
    const auto chosen = precision == GENG_INT8 ? geng::Precision::int8 : geng::Precision::float32;
    *model = new geng_model{geng::Generator(path, chosen, options->threads, text_of(options->isa),
                                            text_of(options->cache_folder)),
                            {},
                            {}};
    (*model)->isa = (*model)->generator.isa();
  });
  if (error != nullptr && error_size > 0) {
    const std::size_t size = std::min(sentence.size(), error_size - 1);
    std::memcpy(error, sentence.data(), size);
    error[size] = '\0';
  }
  return code;
}

// NOLINTNEXTLINE(misc-const-correctness): C owns what it closes.
void geng_close(geng_model* model) { delete model; }

const char* geng_last_error(const geng_model* model) { return model->error.c_str(); }

size_t geng_condition_width(const geng_model* model) { return model->generator.condition_width(); }

size_t geng_max_tokens(const geng_model* model) { return model->generator.max_tokens(); }

size_t geng_window(const geng_model* model) { return model->generator.window(); }

const char* geng_isa(const geng_model* model) { return model->isa.c_str(); }

const char* geng_fingerprint(const geng_model* model) {
  return model->generator.file().fingerprint().c_str();
}

int geng_read_condition(geng_model* model, const char* path, float** condition, size_t* tokens) {
  return guarded(model->error, [&] {
    require(static_cast<const void*>(condition), "condition");
    *condition = nullptr;
    require(tokens, "tokens");
    require(path, "path");
    const geng::NpyMatrix matrix = geng::read_npy(path);
    const std::size_t width = model->generator.condition_width();
    if (matrix.cols != width) {
      throw geng::Error(geng::Code::invalid_argument,
                        std::string(path) + ": is " + std::to_string(matrix.cols) +
                            " wide; this model needs " + std::to_string(width));
    }
    *condition = new float[matrix.values.size()];
    std::copy(matrix.values.begin(), matrix.values.end(), *condition);
    *tokens = matrix.rows;
  });
}

// NOLINTNEXTLINE(misc-const-correctness,readability-non-const-parameter): C owns what it frees.
void geng_free(float* condition) { delete[] condition; }

int geng_encode_text(geng_model* model, const int32_t* ids, const float* numbers, size_t tokens,
                     float* condition) {
  return guarded(model->error, [&] {
    const std::size_t width = model->generator.condition_width();
    model->generator.encode_text(span_of(ids, tokens, 1, "ids"),
                                 span_of(numbers, tokens, 32, "numbers"),
                                 span_of(condition, tokens, width, "condition"));
  });
}

int geng_sample(geng_model* model, const geng_request* request, float* series) {
  return guarded(model->error, [&] {
    require(request, "request");
    sample(model->generator, *request, series);
  });
}

}  // extern "C"
