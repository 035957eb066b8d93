#pragma once

#include "cpu/kernel_set.h"
#include "geng/precision.h"

namespace geng::cpu {

/// Multiply-adds a second that one thread of this core reaches in a loop that does nothing else:
/// what the matmuls of `set` are measured against. Takes about a tenth of a second.
double measure_peak(const KernelSet& set, Precision precision) noexcept;

}  // namespace geng::cpu
