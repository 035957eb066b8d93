// Plain C++, compiled without vectorisation: runs anywhere, and is what the others are held
// against.
#include "cpu/kernel_set.h"

namespace geng::cpu::scalar {
// clang-format off: each builds on the ones before
#include "cpu/scalar/vec.h"
#include "cpu/scalar/int8.h"
#include "cpu/generic/float_kernels.inl"
#include "cpu/generic/matmul_i8.inl"
// clang-format on

extern const KernelSet kernels;
constinit const KernelSet kernels{
    .name = "scalar",
    .needs = 0,
    .i8_cols = kI8Cols,
    .i8_depth = kI8Depth,
    .activation_width = sizeof(Activation),
    .i8_shifted = kI8Shifted,
    .f32_cols = kF32Cols,
    .quantize_rows = quantize_rows,
    .matmul_i8 = matmul_i8,
    .matmul_f32 = matmul_f32,
    .layernorm = layernorm_f32,
    .attention = attention_f32,
    .peak_i8 = peak_i8,
    .peak_f32 = peak_f32,
    .silu = silu_f32,
    .axpby = axpby_f32,
};
}  // namespace geng::cpu::scalar
