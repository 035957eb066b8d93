#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "bindings.h"
#include "core/thread_pool.h"
#include "cpu/kernel_set.h"
#include "cpu/peak.h"

namespace py = pybind11;
using namespace geng;

namespace {

/// Kernel sets of this binary, best first.
py::list kernel_sets() {
  const cpu::KernelSet& active = cpu::active();
  const std::uint32_t have = cpu::detect();
  py::list sets;
  for (const cpu::KernelSet* set : cpu::kernel_sets()) {
    py::dict entry;
    entry["name"] = py::str(std::string(set->name));
    entry["available"] = (set->needs & ~have) == 0;
    entry["active"] = set == &active;
    sets.append(entry);
  }
  return sets;
}

std::vector<std::string> cpu_features() {
  const std::uint32_t have = cpu::detect();
  std::vector<std::string> names;
  for (const auto& [bit, name] : cpu::named_features()) {
    if ((have & bit) != 0) names.emplace_back(name);
  }
#if defined(__aarch64__)
  names.emplace_back("neon");  // part of the ABI
#endif
  return names;
}

double measure_peak(const std::string& precision, const std::string& isa) {
  const cpu::KernelSet& set = isa.empty() ? cpu::active() : cpu::select(cpu::detect(), isa);
  const Precision chosen = precision_of(precision);
  const py::gil_scoped_release release;
  return cpu::measure_peak(set, chosen);
}

}  // namespace

void bind_cpu(py::module_& m) {
  m.def("kernel_sets", &kernel_sets, R"doc(Kernel sets of this binary, best first.

Returns:
    One dict a set: name (str), available on this CPU (bool), active (bool).

Raises:
    ArgumentError: GENG_FORCE_ISA names a set that is not there, or that this CPU cannot run.
)doc");
  m.def("cpu_features", &cpu_features, "Instruction-set extensions of this CPU that kernels use.");
  m.def("measure_peak", &measure_peak, py::arg("precision"), py::arg("isa") = "",
        R"doc(What one thread could reach: multiply-adds a second of a loop that does nothing else.

Args:
    precision: int8 or fp32.
    isa: Kernel set whose instruction is measured; the active one by default.

Takes about a tenth of a second.

Raises:
    ArgumentError: There is no such precision, or this CPU cannot run the set.
)doc");
  m.def("default_threads", &default_threads,
        "Threads this process may use: CPU affinity, cut by the cgroup quota.");
  m.def("version", [] { return GENG_VERSION; }, "Version of the compiled core.");
  m.def("build_flags", [] { return GENG_BUILD_FLAGS; }, "Compiler and build type of the core.");
}
