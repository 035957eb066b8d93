// The int8 matmul of a set whose int8.h gives I32. A set with another shape of its own includes
// matmul_i8_driver.inl alone, after a block_i8.
// clang-format off: each builds on the ones before
#include "cpu/generic/matmul_i8_block.inl"
#include "cpu/generic/matmul_i8_driver.inl"
#include "cpu/generic/peak_i8.inl"
// clang-format on
