// Four rows by four columns, sixteen depths at a time, for CPUs without the dot-product extension.
// smull and smlal add two int8 products into an int16 lane, which cannot overflow because both
// sides stay in [-127, 127] (2 * 127^2 = 32258); sadalp adds pairs of those lanes to int32.

constexpr std::size_t kI8Rows = 4;
constexpr std::size_t kI8Cols = 4;
constexpr std::size_t kI8Depth = 16;
constexpr bool kI8Shifted = false;

template <std::size_t Rows>
static void block_i8(const MatmulI8& a, const std::int8_t* w, std::size_t row, std::size_t col,
                     std::size_t cols) noexcept {
  const std::size_t stride = activation_stride(a.depth);
  const std::int8_t* x = static_cast<const std::int8_t*>(a.x) + row * stride;
  int32x4_t total[Rows][kI8Cols];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (std::size_t c = 0; c < kI8Cols; ++c) total[r][c] = vdupq_n_s32(0);

  for (std::size_t k = 0; k < a.depth; k += kI8Depth, w += kI8Cols * kI8Depth) {
    int8x16_t input[Rows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < Rows; ++r) input[r] = vld1q_s8(x + r * stride + k);
#pragma GCC unroll 8
    for (std::size_t c = 0; c < kI8Cols; ++c) {
      const int8x16_t weight = vld1q_s8(w + c * kI8Depth);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < Rows; ++r) {
        int16x8_t pairs = vmull_s8(vget_low_s8(input[r]), vget_low_s8(weight));
        pairs = vmlal_high_s8(pairs, input[r], weight);
        total[r][c] = vpadalq_s16(total[r][c], pairs);
      }
    }
  }

#pragma GCC unroll 8
  for (std::size_t r = 0; r < Rows; ++r) {
    const int32x4_t sums =
        vpaddq_s32(vpaddq_s32(total[r][0], total[r][1]), vpaddq_s32(total[r][2], total[r][3]));
    store_scaled(a, {vcvtq_f32_s32(sums)}, row + r, col, cols);
  }
}

/// Independent chains of smull, smlal and sadalp, as many as hide their latency.
static std::uint64_t peak_i8(std::size_t rounds) noexcept {
  constexpr std::size_t kChains = 8;
  const int8x16_t input = vdupq_n_s8(static_cast<std::int8_t>(rounds));
  int8x16_t weight = vdupq_n_s8(3);
  int32x4_t total[kChains];
  for (std::size_t i = 0; i < kChains; ++i) total[i] = vdupq_n_s32(static_cast<std::int32_t>(i));
  for (std::size_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+w"(weight));  // or the products would be computed once
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kChains; ++i) {
      int16x8_t pairs = vmull_s8(vget_low_s8(input), vget_low_s8(weight));
      pairs = vmlal_high_s8(pairs, input, weight);
      total[i] = vpadalq_s16(total[i], pairs);
    }
  }
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < kChains; ++i) sum ^= vaddvq_s32(total[i]);
  const std::uint64_t never = sum == 0x5EED5EED ? 1 : 0;
  return rounds * kChains * 16 + never;
}
