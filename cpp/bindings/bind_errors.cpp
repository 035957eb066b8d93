#include <pybind11/gil_safe_call_once.h>

#include <exception>

#include "bindings.h"
#include "geng/error.h"

namespace py = pybind11;

namespace {

/// The classes of geng_edge.errors that a core error can become.
struct ErrorClasses {
  py::object argument, model_file, not_finite, cancelled;
};

PYBIND11_CONSTINIT py::gil_safe_call_once_and_store<ErrorClasses> storage;

PyObject* class_of(geng::Code code) {
  const ErrorClasses& classes = storage.get_stored();
  switch (code) {
    case geng::Code::invalid_argument:
      return classes.argument.ptr();
    case geng::Code::model_file:
      return classes.model_file.ptr();
    case geng::Code::not_finite:
      return classes.not_finite.ptr();
    case geng::Code::cancelled:
      return classes.cancelled.ptr();
    case geng::Code::out_of_memory:
      return PyExc_MemoryError;
    case geng::Code::internal:
      break;
  }
  return PyExc_RuntimeError;
}

}  // namespace

void bind_errors(py::module_& /*m*/) {
  storage.call_once_and_store_result([] {
    const py::module_ errors = py::module_::import("geng_edge.errors");
    return ErrorClasses{errors.attr("ArgumentError"), errors.attr("ModelFileError"),
                        errors.attr("NotFiniteError"), errors.attr("CancelledError")};
  });
  py::register_local_exception_translator([](std::exception_ptr raised) {
    try {
      if (raised) std::rethrow_exception(raised);
    } catch (const geng::Error& error) {
      py::set_error(class_of(error.code()), error.what());
    }
  });
}
