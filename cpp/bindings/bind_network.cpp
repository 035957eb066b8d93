#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "bindings.h"
#include "geng/network.h"

namespace py = pybind11;
using namespace geng;

namespace {

/// Shared between threads that hold the GIL and threads that do not; let go of with it held.
using Callable = std::shared_ptr<py::object>;

Callable shared(py::object value) {
  return {new py::object(std::move(value)), [](py::object* held) {
            const py::gil_scoped_acquire locked;
            delete held;
          }};
}

py::object backend_error() { return py::module_::import("geng_edge.errors").attr("BackendError"); }

/// What a callable raises becomes a BackendError that names it; our own errors, and what is no
/// Exception (an interrupt), go on as they are.
[[noreturn]] void rethrow(py::error_already_set& raised) {
  const py::object ours = py::module_::import("geng_edge.errors").attr("GengError");
  if (raised.matches(ours) || !raised.matches(PyExc_Exception)) throw raised;
  const std::string kind = py::str(raised.type().attr("__name__")).cast<std::string>();
  const std::string words = py::str(raised.value()).cast<std::string>();
  py::raise_from(raised, backend_error().ptr(),
                 ("the backend raised " + kind + ": " + words.substr(0, 500) +
                  "; it must give v, and nothing was written")
                     .c_str());
  throw py::error_already_set();
}

py::array_t<float> copied(std::span<const float> values, std::vector<py::ssize_t> shape) {
  return py::array_t<float>(std::move(shape), values.data());
}

/// v of one call, checked.
void ask(const py::object& step, const NetworkBatch& batch, std::span<float> v) {
  const auto tokens = static_cast<py::ssize_t>(batch.tokens);
  const auto width = static_cast<py::ssize_t>(batch.width);
  const auto rows = static_cast<py::ssize_t>(batch.x.size()) / (tokens * width);
  const py::object answer =
      step(copied(batch.x, {rows, tokens, width}), batch.t, batch.conditional);
  try {
    const auto values = borrow<float>("v of the backend", answer, {rows, tokens, width}, {});
    std::copy(values.begin(), values.end(), v.begin());
  } catch (const Error& error) {
    py::set_error(backend_error(), (std::string(error.what()) + "; nothing was written").c_str());
    throw py::error_already_set();
  }
}

NetworkStep step_of(const Callable& callable, const NetworkCondition& told) {
  const py::gil_scoped_acquire locked;
  try {
    py::object condition = py::none();
    if (told.tokens > 0) {
      const auto width = static_cast<py::ssize_t>(told.condition.size() / told.tokens);
      condition = copied(told.condition, {static_cast<py::ssize_t>(told.tokens), width});
    }
    const auto row = [](std::span<const float> values) {
      return copied(values, {static_cast<py::ssize_t>(values.size())});
    };
    const Callable step =
        shared((*callable)(told.distilled, condition, row(told.frame), row(told.answers)));
    return [step](const NetworkBatch& batch, std::span<float> v) {
      const py::gil_scoped_acquire held;
      try {
        ask(*step, batch, v);
      } catch (py::error_already_set& raised) {
        rethrow(raised);
      }
    };
  } catch (py::error_already_set& raised) {
    rethrow(raised);
  }
}

}  // namespace

Network network_of(const py::object& callable) {
  if (callable.is_none()) return {};
  if (PyCallable_Check(callable.ptr()) == 0) {
    throw Error(Code::invalid_argument,
                "network is " + described(callable) + "; it must be a function, or None");
  }
  return [held = shared(callable)](const NetworkCondition& told) { return step_of(held, told); };
}
