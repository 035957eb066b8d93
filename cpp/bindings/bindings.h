#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "geng/network.h"
#include "geng/precision.h"

namespace geng {
class Generator;
class ModelFile;
}  // namespace geng

// One function a page of the module; module.cpp lists them.
void bind_errors(pybind11::module_& m);
void bind_cpu(pybind11::module_& m);
void bind_model_file(pybind11::module_& m);
void bind_model(pybind11::module_& m);

/// Model.chain, and what it gives.
void bind_long_series(pybind11::module_& m, pybind11::class_<geng::Generator>& model);

/// Every scalar and string of a file's metadata, by key.
pybind11::dict metadata_of(const geng::ModelFile& file);

/// "int8" or "fp32" as a Precision.
///
/// @throws Error{invalid_argument}  It is neither.
geng::Precision precision_of(const std::string& name);

/// A Python function as a network: (distilled, condition, frame, answers) -> step, and
/// step(x, t, conditional) -> v of the shape of x. None gives an empty one.
///
/// @throws Error{invalid_argument}  It is neither.
geng::Network network_of(const pybind11::object& callable);
