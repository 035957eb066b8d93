#pragma once

#include "format/gguf.h"

namespace geng {

/// Checks that `file` is a geng model whole in itself: architecture and format version, every
/// size in its range, every tensor there with the type and shape the sizes ask for, float32
/// values finite, int8 values in [-127, 127], no tensor left over.
///
/// After it, a reader may take tensors by name without looking at their shapes again.
/// Cost: one pass over the tensor data.
///
/// @throws Error{model_file}
void check_layout(const ModelFile& file);

}  // namespace geng
