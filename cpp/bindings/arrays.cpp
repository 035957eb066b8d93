#include "arrays.h"

namespace py = pybind11;

std::string described(const py::object& value) {
  if (!py::isinstance<py::array>(value)) {
    return py::str(py::type::of(value).attr("__name__")).cast<std::string>();
  }
  const auto array = py::reinterpret_borrow<py::array>(value);
  const bool contiguous = (array.flags() & py::array::c_style) != 0;
  return py::str(array.dtype()).cast<std::string>() + " " +
         py::str(array.attr("shape")).cast<std::string>() +
         (contiguous ? "" : ", not C-contiguous");
}

std::string wanted_shape(std::initializer_list<py::ssize_t> shape,
                         std::initializer_list<const char*> names) {
  std::string text = "(";
  auto name = names.begin();
  for (const py::ssize_t size : shape) {
    if (text.size() > 1) text += ", ";
    text += size == kAny ? std::string(*name++) : std::to_string(size);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

bool has_shape(const py::array& array, std::initializer_list<py::ssize_t> shape) {
  if (array.ndim() != static_cast<py::ssize_t>(shape.size())) return false;
  py::ssize_t axis = 0;
  for (const py::ssize_t size : shape) {
    if (size != kAny && array.shape(axis) != size) return false;
    ++axis;
  }
  return true;
}
