#pragma once

#include <pybind11/pybind11.h>

namespace geng {
class ModelFile;
}

// One function a page of the module; module.cpp lists them.
void bind_errors(pybind11::module_& m);
void bind_cpu(pybind11::module_& m);
void bind_model_file(pybind11::module_& m);
void bind_model(pybind11::module_& m);

/// Every scalar and string of a file's metadata, by key.
pybind11::dict metadata_of(const geng::ModelFile& file);
