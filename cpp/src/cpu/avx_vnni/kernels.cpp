// AVX2 with FMA and VNNI.
#include <immintrin.h>

#include "cpu/kernel_set.h"

namespace geng::cpu::avx_vnni {
// clang-format off: each builds on the ones before
#include "cpu/avx2/vec.h"
#include "cpu/avx_vnni/int8.h"
#include "cpu/generic/float_kernels.inl"
#include "cpu/generic/matmul_i8.inl"
// clang-format on

extern const KernelSet kernels;
constinit const KernelSet kernels{
    .name = "avx_vnni",
    .needs = kAvx2 | kFma | kAvxVnni,
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
}  // namespace geng::cpu::avx_vnni
