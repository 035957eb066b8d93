// The kernels that need nothing but F32.
// clang-format off: each builds on the ones before
#include "cpu/generic/map.inl"
#include "cpu/generic/activation.inl"
#include "cpu/generic/combine.inl"
#include "cpu/generic/layernorm.inl"
// clang-format on

constexpr std::size_t kF32Cols = kBlockVectors * F32::width;
