// The kernels that need a block_f32.
// clang-format off: each builds on the ones before
#include "cpu/generic/matmul_f32.inl"
#include "cpu/generic/attention.inl"
#include "cpu/generic/peak.inl"
// clang-format on
