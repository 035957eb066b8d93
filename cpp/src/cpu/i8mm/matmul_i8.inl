// Ten rows by eight columns with smmla, which multiplies two rows of eight depths by two columns of
// eight depths into a 2 x 2 tile. 20 accumulators and 8 weights (sixteen depths of eight columns)
// stay in registers; a pair of rows is loaded and laid together at a time.

constexpr std::size_t kI8Rows = 10;
constexpr std::size_t kI8Cols = 8;
constexpr std::size_t kI8Depth = 8;
constexpr std::size_t kColPairs = kI8Cols / 2;

struct TwoRows {
  int8x16_t low, high;  ///< Eight depths of both rows, then the next eight.
};
static TwoRows two_rows(int8x16_t first, int8x16_t second) noexcept {
  const int64x2_t a = vreinterpretq_s64_s8(first);
  const int64x2_t b = vreinterpretq_s64_s8(second);
  return {vreinterpretq_s8_s64(vzip1q_s64(a, b)), vreinterpretq_s8_s64(vzip2q_s64(a, b))};
}

template <std::size_t Rows>
static void sum_block(const std::int8_t* first, std::size_t stride, std::size_t depth,
                      const std::int8_t* w, std::int32_t* sums) noexcept {
  constexpr std::size_t kPairs = (Rows + 1) / 2;
  const std::int8_t* x[2 * kPairs];
  int32x4_t total[kPairs][kColPairs];
#pragma GCC unroll 10
  for (std::size_t r = 0; r < 2 * kPairs; ++r) {
    x[r] = first + (r < Rows ? r : Rows - 1) * stride;  // an odd last row is its own partner
  }
#pragma GCC unroll 5
  for (std::size_t p = 0; p < kPairs; ++p)
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kColPairs; ++c) total[p][c] = vdupq_n_s32(0);

  for (std::size_t left = depth / 16; left != 0; --left) {
    Pair weight[kColPairs];
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kColPairs; ++c) weight[c] = next_pair(w);
#pragma GCC unroll 5
    for (std::size_t p = 0; p < kPairs; ++p) {
      const TwoRows input = two_rows(vld1q_s8(x[2 * p]), vld1q_s8(x[2 * p + 1]));
      x[2 * p] += 16;
      x[2 * p + 1] += 16;
#pragma GCC unroll 2
      for (std::size_t c = 0; c < kColPairs; c += 2) {
        total[p][c] = vmmlaq_s32(total[p][c], input.low, weight[c / 2].first);
        total[p][c + 1] = vmmlaq_s32(total[p][c + 1], input.low, weight[c / 2].second);
        total[p][c] = vmmlaq_s32(total[p][c], input.high, weight[c / 2 + 2].first);
        total[p][c + 1] = vmmlaq_s32(total[p][c + 1], input.high, weight[c / 2 + 2].second);
      }
    }
  }
  for (std::size_t k = depth / 16 * 16; k < depth; k += kI8Depth) {
#pragma GCC unroll 5
    for (std::size_t p = 0; p < kPairs; ++p) {
      const int8x16_t input = vcombine_s8(vld1_s8(x[2 * p]), vld1_s8(x[2 * p + 1]));
      x[2 * p] += kI8Depth;
      x[2 * p + 1] += kI8Depth;
#pragma GCC unroll 4
      for (std::size_t c = 0; c < kColPairs; ++c) {
        total[p][c] = vmmlaq_s32(total[p][c], input, vld1q_s8(w + c * 2 * kI8Depth));
      }
    }
    w += kI8Cols * kI8Depth;
  }

#pragma GCC unroll 5
  for (std::size_t p = 0; p < kPairs; ++p) {
    std::int32_t* out = sums + 2 * p * kI8Cols;
#pragma GCC unroll 2
    for (std::size_t c = 0; c < kColPairs; c += 2) {
      const int64x2_t left = vreinterpretq_s64_s32(total[p][c]);
      const int64x2_t right = vreinterpretq_s64_s32(total[p][c + 1]);
      vst1q_s32(out + 2 * c, vreinterpretq_s32_s64(vzip1q_s64(left, right)));
      vst1q_s32(out + 2 * c + kI8Cols, vreinterpretq_s32_s64(vzip2q_s64(left, right)));
    }
  }
}

/// One link of the chains that peak_i8.inl measures.
static int32x4_t peak_link(int32x4_t total, int8x16_t x, int8x16_t w) noexcept {
  return vmmlaq_s32(total, x, w);
}
constexpr std::size_t kPeakProducts = 32;
