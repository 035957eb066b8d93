#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "arrays.h"
#include "bindings.h"
#include "format/gguf.h"
#include "geng/generator.h"
#include "request_checks.h"

namespace py = pybind11;
using namespace py::literals;
using namespace geng;

Precision precision_of(const std::string& name) {
  if (name == "int8") return Precision::int8;
  if (name == "fp32") return Precision::float32;
  throw Error(Code::invalid_argument,
              "precision is '" + name.substr(0, 64) + "'; it must be int8 or fp32");
}

namespace {

std::span<const float> borrow_latent(const Generator& self, const char* name,
                                     const py::object& latent) {
  return borrow<float>(name, latent,
                       {kAny, static_cast<py::ssize_t>(self.latent_tokens()),
                        static_cast<py::ssize_t>(self.latent_width())},
                       {"n"});
}

std::size_t rows_of(const Generator& self, std::span<const float> latents) {
  return latents.size() / (self.latent_tokens() * self.latent_width());
}

Array encode_text(const Generator& self, const py::object& ids, const py::object& numbers) {
  const auto pieces = borrow<std::int32_t>("ids", ids, {kAny}, {"tokens"});
  const auto channels = borrow<float>("numbers", numbers, {kAny, 32}, {"tokens"});
  Array condition({pieces.size(), self.condition_width()});
  const std::span<float> out = values_of(condition);
  {
    const py::gil_scoped_release unlocked;
    self.encode_text(pieces, channels, out);
  }
  return condition;
}

py::dict read_numbers(const Generator& self, const py::object& condition, py::ssize_t length) {
  const auto values = borrow_condition(self, condition);
  const NumberReading reading = self.read_numbers(values, size_of("length", length));
  py::dict roles;
  for (const auto& number : reading.numbers) {
    roles[py::str(std::string(number.role))] =
        py::dict("value"_a = number.value, "steps"_a = number.steps);
  }
  py::dict frame;
  for (const auto& [name, value] : reading.frame) frame[py::str(std::string(name))] = value;
  return py::dict("roles"_a = roles, "frame"_a = frame);
}

Array read_claims(const Generator& self, const py::object& condition) {
  const std::vector<float> scores = self.read_claims(borrow_condition(self, condition));
  Array out({static_cast<py::ssize_t>(scores.size())});
  std::copy(scores.begin(), scores.end(), values_of(out).begin());
  return out;
}

/// A callback that takes the GIL for itself only; what it raises ends the sampling.
Progress with_gil(const std::optional<py::function>& callback) {
  if (!callback) return {};
  return [callback](int done, int total) {
    const py::gil_scoped_acquire locked;
    const py::object answer = (*callback)(done, total);
    return answer.is_none() || static_cast<bool>(py::bool_(answer));  // a callback may only look
  };
}

/// The arguments that sample and sample_latent share.
struct Request {
  std::span<const float> condition;
  std::size_t count, length;
  SamplerConfig config;
};

/// (latent, release, innovations, follow), or None.
Reference borrow_reference(const Generator& self, const py::object& given) {
  if (given.is_none()) return {};
  const auto [latent, release, innovations, follow] =
      given.cast<std::tuple<py::object, py::object, py::object, double>>();
  const auto tokens = static_cast<py::ssize_t>(self.latent_tokens());
  const auto width = static_cast<py::ssize_t>(self.latent_width());
  return {borrow<float>("reference", latent, {tokens, width}, {}),
          borrow<std::int32_t>("release", release, {tokens, width}, {}),
          borrow<float>("innovations", innovations, {kAny}, {"length"}), follow};
}

Request request_of(const Generator& self, const py::object& condition, py::ssize_t count,
                   py::ssize_t length, const std::string& solver, int steps, double guidance,
                   std::pair<double, double> interval, double eta, const py::int_& seed,
                   const py::object& reference) {
  const Request request{borrow_condition(self, condition),
                        size_of("count", count),
                        size_of("length", length),
                        {solver, steps, guidance, interval.first, interval.second, eta,
                         seed_of(seed), borrow_reference(self, reference)}};
  // Before the result is allocated; the core checks everything again, the rest included.
  check_length(request.length);
  check_count(request.count, self.latent_tokens() * self.latent_width());
  return request;
}

Array sample(const Generator& self, const py::object& condition, py::ssize_t count,
             py::ssize_t length, const std::string& solver, int steps, double guidance,
             std::pair<double, double> interval, double eta, const py::int_& seed,
             const std::optional<py::function>& progress, const py::object& reference) {
  const Request r = request_of(self, condition, count, length, solver, steps, guidance, interval,
                               eta, seed, reference);
  Array series({r.count, r.length});
  const std::span<float> out = values_of(series);
  const Progress observer = with_gil(progress);
  {
    const py::gil_scoped_release unlocked;
    self.sample(r.condition, r.count, r.length, r.config, observer, out);
  }
  return series;
}

Array sample_latent(const Generator& self, const py::object& condition, py::ssize_t count,
                    py::ssize_t length, const std::string& solver, int steps, double guidance,
                    std::pair<double, double> interval, double eta, const py::int_& seed,
                    const std::optional<py::function>& progress, const py::object& reference) {
  const Request r = request_of(self, condition, count, length, solver, steps, guidance, interval,
                               eta, seed, reference);
  Array latents({r.count, self.latent_tokens(), self.latent_width()});
  const std::span<float> out = values_of(latents);
  const Progress observer = with_gil(progress);
  {
    const py::gil_scoped_release unlocked;
    self.sample_latents(r.condition, r.count, r.length, r.config, observer, out);
  }
  return latents;
}

Array decode(const Generator& self, const py::object& latent, const py::object& condition,
             py::ssize_t length, const py::int_& seed) {
  const auto latents = borrow_latent(self, "latent", latent);
  const auto values = borrow_condition(self, condition);
  const std::size_t steps = size_of("length", length);
  const std::uint64_t first = seed_of(seed);
  check_length(steps);
  Array series({rows_of(self, latents), steps});
  const std::span<float> out = values_of(series);
  {
    const py::gil_scoped_release unlocked;
    self.decode(latents, values, steps, first, out);
  }
  return series;
}

Array decode_with_noise(const Generator& self, const py::object& latent,
                        const py::object& condition, const py::object& noise, bool calibrate) {
  const auto latents = borrow_latent(self, "latent", latent);
  const auto values = borrow_condition(self, condition);
  const std::size_t rows = rows_of(self, latents);
  const auto white =
      borrow<float>("noise", noise, {static_cast<py::ssize_t>(rows), kAny}, {"length"});
  Array series({rows, rows == 0 ? 0 : white.size() / rows});
  const std::span<float> out = values_of(series);
  {
    const py::gil_scoped_release unlocked;
    self.decode_with_noise(latents, values, white, calibrate, out);
  }
  return series;
}

Array predict_v(const Generator& self, const py::object& x, int t, const py::object& condition) {
  const auto latents = borrow_latent(self, "x", x);
  std::span<const float> values;
  if (!condition.is_none()) values = borrow_condition(self, condition);
  Array v({rows_of(self, latents), self.latent_tokens(), self.latent_width()});
  const std::span<float> out = values_of(v);
  {
    const py::gil_scoped_release unlocked;
    self.predict_v(latents, t, values, out);
  }
  return v;
}

py::tuple network_facts(const Generator& self, const py::object& condition, py::ssize_t length) {
  const NetworkFacts facts =
      self.network_facts(borrow_condition(self, condition), size_of("length", length));
  const auto row = [](const std::vector<float>& values) {
    return Array(static_cast<py::ssize_t>(values.size()), values.data());
  };
  return py::make_tuple(row(facts.frame), row(facts.answers));
}

Array encode_series(const Generator& self, const py::object& x) {
  const auto windows =
      borrow<float>("x", x, {kAny, static_cast<py::ssize_t>(self.window())}, {"n"});
  Array raw({windows.size() / self.window(), self.latent_tokens(), self.latent_width()});
  const std::span<float> out = values_of(raw);
  {
    const py::gil_scoped_release unlocked;
    self.encode_series(windows, out);
  }
  return raw;
}

/// express() and restate() take and give arrays of the same shape.
using Translate = void (Generator::*)(std::span<const float>, std::span<const float>, std::size_t,
                                      std::span<float>) const;

template <Translate translate>
Array translated(const Generator& self, const py::object& latent, const py::object& condition,
                 py::ssize_t length) {
  const auto rows = borrow_latent(self, "latent", latent);
  const auto values = borrow_condition(self, condition);
  const std::size_t steps = size_of("length", length);
  Array out({rows_of(self, rows), self.latent_tokens(), self.latent_width()});
  const std::span<float> into = values_of(out);
  {
    const py::gil_scoped_release unlocked;
    (self.*translate)(rows, values, steps, into);
  }
  return out;
}

std::span<const float> borrow_rows(const char* name, const py::object& values, std::size_t rows,
                                   std::size_t length) {
  return borrow<float>(name, values,
                       {static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(length)}, {});
}

Array reconstruct(const Generator& self, const py::object& raw, py::ssize_t length,
                  const py::object& innovations) {
  const auto latents = borrow_latent(self, "raw", raw);
  const std::size_t steps = size_of("length", length);
  check_length(steps);
  const std::size_t rows = rows_of(self, latents);
  std::span<const float> white;
  if (!innovations.is_none()) white = borrow_rows("innovations", innovations, rows, steps);
  Array series({rows, steps});
  const std::span<float> out = values_of(series);
  {
    const py::gil_scoped_release unlocked;
    self.reconstruct(latents, steps, white, out);
  }
  return series;
}

Array innovations(const Generator& self, const py::object& raw, const py::object& x) {
  const auto latents = borrow_latent(self, "raw", raw);
  const std::size_t rows = rows_of(self, latents);
  const auto windows = borrow_rows("x", x, rows, self.window());
  Array white({rows, self.window()});
  const std::span<float> out = values_of(white);
  {
    const py::gil_scoped_release unlocked;
    self.innovations(latents, windows, out);
  }
  return white;
}

std::vector<std::string> vocabulary(const Generator& self) {
  std::vector<std::string> words;
  for (const std::string_view word : self.file().strings("tokenizer.ggml.tokens")) {
    words.emplace_back(word);
  }
  return words;
}

void bind_facts(py::class_<Generator>& model) {
  model
      .def_property_readonly(
          "precision",
          [](const Generator& g) { return g.precision() == Precision::int8 ? "int8" : "fp32"; },
          "What the large matrices are multiplied in: int8 or fp32.")
      .def_property_readonly("threads", &Generator::threads, "Threads that share the work.")
      .def_property_readonly("isa", &Generator::isa, "Kernel set in use.")
      .def_property_readonly("window", &Generator::window, "Steps of a series in training.")
      .def_property_readonly("train_steps", &Generator::train_steps, "Diffusion timesteps.")
      .def_property_readonly(
          "latent_shape",
          [](const Generator& g) { return std::make_pair(g.latent_tokens(), g.latent_width()); },
          "(tokens, width) of a latent.")
      .def_property_readonly("text_width", &Generator::text_width,
                             "Text columns of a condition; 32 number channels follow them.")
      .def_property_readonly("max_tokens", &Generator::max_tokens, "Longest condition.")
      .def_property_readonly(
          "fingerprint", [](const Generator& g) { return g.file().fingerprint(); },
          "sha256 of the weights, in hexadecimal.")
      .def_property_readonly(
          "metadata", [](const Generator& g) { return metadata_of(g.file()); },
          "Every scalar and string of the model file, by key.")
      .def_property_readonly("vocabulary", &vocabulary, "Word pieces, in the order of their ids.");
}

}  // namespace

void bind_model(py::module_& m) {
  py::class_<Generator> model(m, "Model", "A loaded model. Immutable: share it between threads.");
  model.def(
      py::init([](const std::string& path, const std::string& precision, int threads,
                  const std::string& isa, const std::string& cache, const py::object& network) {
        const Precision chosen = precision_of(precision);
        Network callers = network_of(network);
        const py::gil_scoped_release unlocked;
        return Generator(path, chosen, threads, isa, cache, std::move(callers));
      }),
      "path"_a, "precision"_a = "int8", "threads"_a = 0, "isa"_a = "", "cache"_a = "",
      "network"_a = py::none());
  model.def("encode_text", &encode_text, "ids"_a, "numbers"_a);
  model.def("read_numbers", &read_numbers, "condition"_a, "length"_a = 512);
  model.def("read_claims", &read_claims, "condition"_a);
  const SamplerConfig defaults;
  const auto whole = std::make_pair(defaults.guidance_low, defaults.guidance_high);
  const auto def_sampling = [&](const char* name, const auto& function) {
    model.def(name, function, "condition"_a, "count"_a, "length"_a = 512,
              "solver"_a = std::string(defaults.solver), "steps"_a = defaults.steps,
              "guidance"_a = defaults.guidance_scale, "guidance_interval"_a = whole,
              "eta"_a = defaults.eta, "seed"_a = 0, "progress"_a = py::none(),
              "reference"_a = py::none());
  };
  def_sampling("sample", &sample);
  def_sampling("sample_latent", &sample_latent);
  bind_long_series(m, model);
  model.def("decode", &decode, "latent"_a, "condition"_a, "length"_a = 512, "seed"_a = 0);
  model.def("decode_with_noise", &decode_with_noise, "latent"_a, "condition"_a, "noise"_a,
            "calibrate"_a);
  model.def("network_facts", &network_facts, "condition"_a, "length"_a = 512);
  model.def("bridge", &predict_v, "x"_a, "t"_a, "condition"_a);
  model.def("encode_series", &encode_series, "x"_a);
  model.def("express", &translated<&Generator::express>, "latent"_a, "condition"_a,
            "length"_a = 512);
  model.def("restate", &translated<&Generator::restate>, "latent"_a, "condition"_a,
            "length"_a = 512);
  model.def("innovations", &innovations, "raw"_a, "x"_a);
  model.def("reconstruct", &reconstruct, "raw"_a, "length"_a = 512, "innovations"_a = py::none());
  bind_facts(model);
}
