#include <pybind11/stl.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "arguments.h"
#include "bindings.h"
#include "geng/error.h"
#include "geng/generator.h"
#include "geng/long_series.h"

namespace py = pybind11;
using namespace py::literals;
using namespace geng;

namespace {

/// A LongSeries that Python's threads may share: who finds it busy is told so.
struct Blocks {
  explicit Blocks(LongSeries given) : series(std::move(given)) {}

  LongSeries series;
  std::atomic_flag busy;
};

std::unique_ptr<Blocks> chained(const Generator& self, const py::object& condition,
                                py::ssize_t count, py::ssize_t length, const std::string& solver,
                                int steps, double guidance, std::pair<double, double> interval,
                                double eta, const py::int_& seed) {
  const auto values = borrow_condition(self, condition);
  const std::size_t rows = size_of("count", count);
  const std::size_t total = size_of("length", length);
  const SamplerConfig config{solver,          steps, guidance,     interval.first,
                             interval.second, eta,   seed_of(seed)};
  const py::gil_scoped_release unlocked;
  return std::make_unique<Blocks>(LongSeries(self, values, rows, total, config));
}

Array next_block(Blocks& self) {
  if (self.busy.test_and_set()) {
    throw Error(Code::invalid_argument,
                "this chain is being read by another thread; it must be read by one at a time");
  }
  const std::unique_ptr<std::atomic_flag, void (*)(std::atomic_flag*)> held(
      &self.busy, [](std::atomic_flag* flag) { flag->clear(); });
  if (self.series.block() == 0) throw py::stop_iteration();
  Array series({self.series.count(), self.series.block()});
  const std::span<float> out = values_of(series);
  {
    const py::gil_scoped_release unlocked;
    self.series.next(out);
  }
  return series;
}

}  // namespace

void bind_long_series(py::module_& m, py::class_<Generator>& model) {
  const SamplerConfig defaults;
  py::class_<Blocks>(m, "LongSeries", "Blocks [count, steps] of chained series, in order.")
      .def("__iter__", [](Blocks& self) -> Blocks& { return self; })
      .def("__next__", &next_block);
  model.def("chain", &chained, py::keep_alive<0, 1>(), "condition"_a, "count"_a, "length"_a,
            "solver"_a = std::string(defaults.solver), "steps"_a = defaults.steps,
            "guidance"_a = defaults.guidance_scale,
            "guidance_interval"_a = std::make_pair(defaults.guidance_low, defaults.guidance_high),
            "eta"_a = defaults.eta, "seed"_a = 0);
}
