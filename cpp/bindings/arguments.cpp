#include "arguments.h"

#include <string>

#include "arrays.h"
#include "geng/error.h"

namespace py = pybind11;
using namespace geng;

std::size_t size_of(const char* name, py::ssize_t value) {
  if (value >= 0) return static_cast<std::size_t>(value);
  throw Error(Code::invalid_argument,
              std::string(name) + " is " + std::to_string(value) + "; it must be positive");
}

std::uint64_t seed_of(const py::int_& seed) {
  const auto value = PyLong_AsUnsignedLongLong(seed.ptr());
  if (PyErr_Occurred() == nullptr) return value;
  PyErr_Clear();
  throw Error(Code::invalid_argument, "seed is " + py::str(seed).cast<std::string>() +
                                          "; it must be 0 to 18446744073709551615");
}

std::span<float> values_of(Array& array) {
  return {array.mutable_data(), static_cast<std::size_t>(array.size())};
}

std::span<const float> borrow_condition(const Generator& self, const py::object& condition) {
  return borrow<float>("condition", condition,
                       {kAny, static_cast<py::ssize_t>(self.condition_width())}, {"tokens"});
}
