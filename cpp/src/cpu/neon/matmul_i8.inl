// Four rows by four columns at a time for CPUs without the dot-product extension. smull and smlal2
// add two int8 products into an int16 lane, which cannot overflow because both sides stay in [-127,
// 127] (2 * 127^2 = 32258); sadalp adds pairs of those lanes to int32. 32 depths at a time, so that
// every load is of a pair of registers: 16 accumulators, 8 inputs and 2 weights leave 6 for
// products.

constexpr std::size_t kI8Rows = 4;
constexpr std::size_t kI8Cols = 16;
constexpr std::size_t kI8Wide = 4;  // columns at a time; a panel is finished all at once
constexpr std::size_t kI8Depth = 16;

/// total[r][c] += sum over sixteen depths of input[r] * w, spread over the four lanes. The rows go
/// side by side, because each instruction waits for the one before it in its row.
template <std::size_t Rows>
[[gnu::always_inline]] static inline void add_column(int32x4_t (&total)[Rows][kI8Wide],
                                                     std::size_t c, const int8x16_t (&input)[Rows],
                                                     int8x16_t w) noexcept {
  int16x8_t product[Rows];
  if constexpr (Rows == 4) {
    // With 30 of 32 registers in use, compilers put a move beside every tenth product; written out,
    // there is none, and a core that issues in order finds the rows in this order.
    asm("smull %4.8h, %8.8b, %12.8b\n\t"
        "smull %5.8h, %9.8b, %12.8b\n\t"
        "smull %6.8h, %10.8b, %12.8b\n\t"
        "smull %7.8h, %11.8b, %12.8b\n\t"
        "smlal2 %4.8h, %8.16b, %12.16b\n\t"
        "smlal2 %5.8h, %9.16b, %12.16b\n\t"
        "smlal2 %6.8h, %10.16b, %12.16b\n\t"
        "smlal2 %7.8h, %11.16b, %12.16b\n\t"
        "sadalp %0.4s, %4.8h\n\t"
        "sadalp %1.4s, %5.8h\n\t"
        "sadalp %2.4s, %6.8h\n\t"
        "sadalp %3.4s, %7.8h"
        : "+w"(total[0][c]), "+w"(total[1][c]), "+w"(total[2][c]), "+w"(total[3][c]),
          "=&w"(product[0]), "=&w"(product[1]), "=&w"(product[2]), "=&w"(product[3])
        : "w"(input[0]), "w"(input[1]), "w"(input[2]), "w"(input[3]), "w"(w));
  } else {
#pragma GCC unroll 3
    for (std::size_t r = 0; r < Rows; ++r) {
      product[r] = vmull_s8(vget_low_s8(input[r]), vget_low_s8(w));
    }
#pragma GCC unroll 3
    for (std::size_t r = 0; r < Rows; ++r) product[r] = vmlal_high_s8(product[r], input[r], w);
#pragma GCC unroll 3
    for (std::size_t r = 0; r < Rows; ++r) total[r][c] = vpadalq_s16(total[r][c], product[r]);
  }
}

/// The same for columns [0, kI8Wide), whose weights begin at w.
template <std::size_t Rows>
[[gnu::always_inline]] static inline void add_columns(int32x4_t (&total)[Rows][kI8Wide],
                                                      const int8x16_t (&input)[Rows],
                                                      const std::int8_t*& w) noexcept {
#pragma GCC unroll 2
  for (std::size_t c = 0; c < kI8Wide; c += 2) {
    const Pair weight = next_pair(w);
    add_column(total, c, input, weight.first);
    add_column(total, c + 1, input, weight.second);
  }
  w += (kI8Cols - kI8Wide) * kI8Depth;
}

/// sums [Rows, kI8Cols]: the first kI8Wide columns, from weights w of `groups` groups of depths.
template <std::size_t Rows>
static void sum_columns(const std::int8_t* first, std::size_t stride, const std::int8_t* w,
                        std::int32_t* sums) noexcept {
  const std::int8_t* x[Rows];
  int32x4_t total[Rows][kI8Wide];
#pragma GCC unroll 4
  for (std::size_t r = 0; r < Rows; ++r) {
    x[r] = first + r * stride;
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kI8Wide; ++c) total[r][c] = vdupq_n_s32(0);
  }
  for (std::size_t left = stride / 32; left != 0; --left) {
    int8x16_t input[Rows], next[Rows];
#pragma GCC unroll 4
    for (std::size_t r = 0; r < Rows; ++r) {
      const Pair pair = next_pair(x[r]);
      input[r] = pair.first;
      next[r] = pair.second;
    }
    add_columns(total, input, w);
    add_columns(total, next, w);
  }
  if (stride % 32 != 0) {
    int8x16_t input[Rows];
#pragma GCC unroll 4
    for (std::size_t r = 0; r < Rows; ++r) input[r] = vld1q_s8(x[r]);
    add_columns(total, input, w);
  }
#pragma GCC unroll 4
  for (std::size_t r = 0; r < Rows; ++r) {
    vst1q_s32(sums + r * kI8Cols, vpaddq_s32(vpaddq_s32(total[r][0], total[r][1]),
                                             vpaddq_s32(total[r][2], total[r][3])));
  }
}

template <std::size_t Rows>
static void block_i8(const MatmulI8& a, const std::int8_t* w, std::size_t row, std::size_t col,
                     std::size_t cols) noexcept {
  const std::size_t stride = activation_stride(a.depth);
  const std::int8_t* x = static_cast<const std::int8_t*>(a.x) + row * stride;
  std::int32_t sums[Rows * kI8Cols];
  for (std::size_t c = 0; c < kI8Cols; c += kI8Wide) {
    sum_columns<Rows>(x, stride, w + c * kI8Depth, sums + c);
  }
  finish_i8<kI8Cols / F32::width>(a, sums, row, Rows, col, cols);
}

/// One link of the chains that peak_i8.inl measures.
static int32x4_t peak_link(int32x4_t total, int8x16_t x, int8x16_t w) noexcept {
  return vpadalq_s16(total, vmlal_high_s8(vmull_s8(vget_low_s8(x), vget_low_s8(w)), x, w));
}
constexpr std::size_t kPeakProducts = 16;
