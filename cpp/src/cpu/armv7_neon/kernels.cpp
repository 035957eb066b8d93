// 32-bit Arm with NEON and VFPv4: a Pi 2 and later under a 32-bit system.
#include <arm_neon.h>

#include "cpu/kernel_set.h"

namespace geng::cpu::armv7_neon {
// clang-format off: each builds on the ones before
#include "cpu/armv7_neon/vec.h"
#include "cpu/armv7_neon/int8.h"
#include "cpu/generic/float_kernels.inl"
#include "cpu/armv7_neon/matmul_i8.inl"
#include "cpu/neon/matmul_i8_driver.inl"
#include "cpu/neon/peak_i8.inl"
// clang-format on

extern const KernelSet kernels;
constinit const KernelSet kernels{
    .name = "armv7_neon",
    .needs = kNeonFma,
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
}  // namespace geng::cpu::armv7_neon
