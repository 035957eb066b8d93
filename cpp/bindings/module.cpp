#include "bindings.h"

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
  m.doc() = "The compiled core of geng_edge. Private: use geng_edge.Generator.";
  bind_errors(m);
  bind_cpu(m);
  bind_model_file(m);
  bind_model(m);
}
