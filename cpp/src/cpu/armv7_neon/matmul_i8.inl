// Exact int8 products for 32-bit Arm: smull and smlal put two products of a lane into an int16,
// which holds them because no weight and no activation is -128, and spadal adds neighbours to the
// int32 sums. A column's sum is spread over the four lanes of its register until a block is done.

constexpr std::size_t kI8Rows =
    2;  ///< 8 sums, 2 inputs, a weight and 2 products: 13 of 16 registers.
constexpr std::size_t kI8Cols = 4;
constexpr std::size_t kI8Depth = 16;

/// One link of the chains that peak_i8.inl measures: sixteen depths of a column.
static int32x4_t peak_link(int32x4_t total, int8x16_t x, int8x16_t w) noexcept {
  const int16x8_t product = vmull_s8(vget_low_s8(x), vget_low_s8(w));
  return vpadalq_s16(total, vmlal_s8(product, vget_high_s8(x), vget_high_s8(w)));
}
constexpr std::size_t kPeakProducts = 16;

/// The lanes of four registers, each added up.
static int32x4_t across(const int32x4_t (&v)[kI8Cols]) noexcept {
  int32x2_t two[kI8Cols];
#pragma GCC unroll 4
  for (std::size_t c = 0; c < kI8Cols; ++c) {
    two[c] = vpadd_s32(vget_low_s32(v[c]), vget_high_s32(v[c]));
  }
  return vcombine_s32(vpadd_s32(two[0], two[1]), vpadd_s32(two[2], two[3]));
}

/// sums [Rows, kI8Cols] of rows x of one panel.
template <std::size_t Rows>
static void sum_block(const std::int8_t* x, std::size_t stride, std::size_t depth,
                      const std::int8_t* w, std::int32_t* sums) noexcept {
  int32x4_t total[Rows][kI8Cols];
#pragma GCC unroll 2
  for (std::size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kI8Cols; ++c) total[r][c] = vdupq_n_s32(0);
  for (std::size_t k = 0; k < depth; k += kI8Depth, w += kI8Cols * kI8Depth) {
    int8x16_t input[Rows];
#pragma GCC unroll 2
    for (std::size_t r = 0; r < Rows; ++r) input[r] = vld1q_s8(x + r * stride + k);
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kI8Cols; ++c) {
      const int8x16_t weight = vld1q_s8(w + c * kI8Depth);
#pragma GCC unroll 2
      for (std::size_t r = 0; r < Rows; ++r) total[r][c] = peak_link(total[r][c], input[r], weight);
    }
  }
#pragma GCC unroll 2
  for (std::size_t r = 0; r < Rows; ++r) vst1q_s32(sums + r * kI8Cols, across(total[r]));
}
