// armv8-a as every 64-bit Arm has it: no dot product, no int8 matrix instructions.
#include <arm_neon.h>

#include "cpu/kernel_set.h"

namespace geng::cpu::neon {
#include "cpu/neon/vec.h"

#include "cpu/generic/map.inl"

#include "cpu/generic/activation.inl"
#include "cpu/generic/combine.inl"
#include "cpu/generic/layernorm.inl"
#include "cpu/generic/attention.inl"
#include "cpu/generic/quantize.inl"
#include "cpu/generic/matmul_f32.inl"
#include "cpu/generic/matmul_i8_store.inl"
#include "cpu/neon/matmul_i8.inl"
#include "cpu/generic/matmul_i8_driver.inl"

extern const KernelSet kernels;
constinit const KernelSet kernels{
    .name = "neon",
    .needs = 0,
    .i8_cols = kI8Cols,
    .i8_depth = kI8Depth,
    .activation_width = sizeof(Activation),
    .f32_cols = kF32Cols,
    .quantize_rows = quantize_rows,
    .matmul_i8 = matmul_i8,
    .matmul_f32 = matmul_f32,
    .layernorm = layernorm_f32,
    .attention = attention_f32,
    .softmax_rows = softmax_rows_f32,
    .gelu_tanh = gelu_tanh_f32,
    .gelu_erf = gelu_erf_f32,
    .silu = silu_f32,
    .axpby = axpby_f32,
    .add_gated = add_gated_f32,
};
}  // namespace geng::cpu::neon
