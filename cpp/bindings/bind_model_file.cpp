#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "bench/random_model.h"
#include "bindings.h"
#include "format/gguf.h"

namespace py = pybind11;
using namespace geng;

namespace {

py::object to_python(const MetadataValue& value) {
  return std::visit(
      [](const auto& v) -> py::object {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, MetadataArray>) {
          return py::none();
        } else if constexpr (std::is_same_v<T, std::string_view>) {
          return py::str(v.data(), v.size());
        } else {
          return py::cast(v);
        }
      },
      value);
}

py::list tensors_of(const ModelFile& file) {
  py::list tensors;
  for (const TensorView& tensor : file.tensors()) {
    py::list shape;
    for (std::uint32_t i = 0; i < tensor.rank; ++i) shape.append(tensor.shape[i]);
    tensors.append(py::make_tuple(py::str(tensor.name.data(), tensor.name.size()),
                                  tensor.type == TensorType::i8 ? "int8" : "float32",
                                  py::tuple(shape), tensor.bytes.size()));
  }
  return tensors;
}

py::dict inspect(const std::string& path) {
  const ModelFile file = [&path] {
    const py::gil_scoped_release unlocked;
    return ModelFile::open(path);
  }();
  py::dict report;
  report["metadata"] = metadata_of(file);
  report["tensors"] = tensors_of(file);
  report["file_bytes"] = file.file_bytes();
  report["sums_ok"] = true;  // open() refuses a file whose sum is wrong
  return report;
}

void write_random_model(const std::string& path, std::uint32_t tokens, std::uint32_t width,
                        std::uint32_t dim, std::uint32_t depth, std::uint32_t heads,
                        std::uint64_t seed) {
  random_model::Sizes sizes;
  sizes.tokens = tokens;
  sizes.width = width;
  sizes.dim = dim;
  sizes.depth = depth;
  sizes.heads = heads;
  sizes.seed = seed;
  sizes.int8 = true;
  const py::gil_scoped_release unlocked;
  random_model::write(sizes, path);
}

}  // namespace

py::dict metadata_of(const ModelFile& file) {
  py::dict metadata;
  for (const MetadataField& field : file.metadata()) {
    if (std::holds_alternative<MetadataArray>(field.value)) continue;
    metadata[py::str(field.key.data(), field.key.size())] = to_python(field.value);
  }
  return metadata;
}

void bind_model_file(py::module_& m) {
  m.def("inspect", &inspect, py::arg("path"), R"doc(Read a model file's table of contents.

Returns:
    metadata: every scalar and string, by key. tensors: (name, "int8" or "float32", shape, bytes) each.
    file_bytes: size of the file. sums_ok: the sha256 of the tensor data is the stated one.

Raises:
    ModelFileError: The file is not whole or not a model.
)doc");
  m.def(
      "write_random_model", &write_random_model, py::arg("path"), py::arg("tokens"),
      py::arg("width"), py::arg("dim"), py::arg("depth"), py::arg("heads"), py::arg("seed") = 1,
      R"doc(Write a model with random int8 weights and a bridge of these sizes: to measure, not to use.

Raises:
    ArgumentError: The sizes are none that a model may have, or the file cannot be written.
)doc");
}
