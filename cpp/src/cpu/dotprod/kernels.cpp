// armv8.2-a with the dot-product extension: every core since 2018, A76 and A78AE among them.
#include <arm_neon.h>

#include "cpu/kernel_set.h"

namespace geng::cpu::dotprod {
// clang-format off: each builds on the ones before
#include "cpu/neon/vec.h"
#include "cpu/neon/int8.h"
#include "cpu/generic/elementwise.inl"
#include "cpu/neon/quantize.inl"
#include "cpu/generic/finish.inl"
#include "cpu/neon/matmul_f32.inl"
#include "cpu/generic/from_matmul_f32.inl"
#include "cpu/dotprod/matmul_i8.inl"
#include "cpu/neon/matmul_i8_driver.inl"
#include "cpu/neon/peak_i8.inl"
// clang-format on

extern const KernelSet kernels;
constinit const KernelSet kernels{
    .name = "dotprod",
    .needs = kDotprod,
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
}  // namespace geng::cpu::dotprod
