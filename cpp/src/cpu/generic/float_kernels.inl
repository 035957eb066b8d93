// Every kernel that is written once, for an F32 of any width (vec.h of the including folder). A set
// with a float32 block of its own includes the parts.
// clang-format off: each builds on the ones before
#include "cpu/generic/elementwise.inl"
#include "cpu/generic/quantize.inl"
#include "cpu/generic/finish.inl"
#include "cpu/generic/matmul_f32_block.inl"
#include "cpu/generic/from_matmul_f32.inl"
// clang-format on
