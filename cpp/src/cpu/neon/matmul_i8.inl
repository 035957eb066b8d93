// The int8 matmul for CPUs without the dot-product extension: four rows by four columns, 32 depths
// at a time. smull and smlal multiply eight int8 into int16 lanes; sadalp adds pairs of those lanes
// to int32.
//
// Two products fit a lane always, as both sides stay in [-127, 127] (2 * 127^2 = 32258), and then
// one instruction in three is a sadalp. Four products fit when they are bounded: by Cauchy and
// Schwarz (sum of w x)^2 <= (sum of w^2)(sum of x^2), so a lane is safe where the squares of its
// four weights times those of its four inputs stay below 32767^2. Every panel carries the largest
// such sum of its weights for each group of 32 depths, the inputs are squared once a call, and a
// block takes the short way where all its groups are safe: of the bridge's, all but a few in a
// hundred. Either way the sums are exact.

constexpr std::size_t kI8Rows = 4;
constexpr std::size_t kI8Cols = 16;
constexpr std::size_t kI8Depth = 32;
constexpr std::size_t kI8Wide = 4;  // columns at a time; a panel is finished all at once
constexpr std::size_t kParts = kI8Cols / kI8Wide;

constexpr std::size_t kBoundedDepth = 4096;  // beyond it the long way is always taken
constexpr std::size_t kRowsAtOnce = 48;      // whose limits are kept on the stack

/// Groups of 32 depths that have a bound, rounded up to whole registers of bounds.
static std::size_t bounds_of(std::size_t depth) noexcept {
  return (activation_stride(depth) / kI8Depth + 7) / 8 * 8;
}

/// Bytes of bounds before the columns of a panel: uint16 [bounds_of(depth) / 8, kParts, 8].
static std::size_t bound_bytes(std::size_t depth) noexcept {
  return kParts * bounds_of(depth) * sizeof(std::uint16_t);
}

/// The largest sum of four squares that meet in a lane: 32 depths of `rows` rows, `stride` apart.
static std::uint16_t largest_squares(const std::int8_t* p, std::size_t rows,
                                     std::size_t stride) noexcept {
  uint16x8_t most = vdupq_n_u16(0);
  for (std::size_t r = 0; r < rows; ++r, p += stride) {
    const int8x16_t a = vld1q_s8(p);
    const int8x16_t b = vld1q_s8(p + 16);
    int16x8_t squares = vmull_s8(vget_low_s8(a), vget_low_s8(a));
    squares = vmlal_high_s8(squares, a, a);
    squares = vmlal_s8(squares, vget_low_s8(b), vget_low_s8(b));
    squares = vmlal_high_s8(squares, b, b);
    most = vmaxq_u16(most, vreinterpretq_u16_s16(squares));  // 4 * 127^2 fits without a sign
  }
  return vmaxvq_u16(most);
}

/// Bounds of a panel: `count` <= kI8Cols columns w [count, depth].
static void write_bounds(const std::int8_t* w, std::size_t count, std::size_t depth,
                         void* header) noexcept {
  auto* bounds = static_cast<std::uint16_t*>(header);  // zero so far: what is not there is safe
  for (std::size_t c = 0; c < count; c += kI8Wide, bounds += 8) {
    const std::size_t wide = count - c < kI8Wide ? count - c : kI8Wide;
    std::size_t g = 0;
    for (; (g + 1) * kI8Depth <= depth; ++g) {
      bounds[g / 8 * 8 * kParts + g % 8] =
          largest_squares(w + c * depth + g * kI8Depth, wide, depth);
    }
    // A last group that is not whole is met by zeros; its bound is that of any four weights.
    if (depth % kI8Depth > 16) bounds[g / 8 * 8 * kParts + g % 8] = 4 * 127 * 127;
  }
}

/// What the bounds of a panel may be at most for these rows.
static void write_limits(const std::int8_t* x, std::size_t rows, std::size_t stride,
                         std::uint16_t* limits) noexcept {
  const std::size_t groups = stride / kI8Depth;
  for (std::size_t g = 0; g < groups; ++g) {
    const std::uint32_t squares = largest_squares(x + g * kI8Depth, rows, stride);
    const std::uint32_t limit = squares == 0 ? 65535 : 32767u * 32767u / squares;
    limits[g] = static_cast<std::uint16_t>(limit < 65535 ? limit : 65535);
  }
  for (std::size_t g = groups; g % 8 != 0; ++g) limits[g] = 65535;
}

/// Which parts of a panel stay below the limits in all groups: sixteen bits each, all ones or none.
static std::uint64_t safe_parts(const std::uint16_t* bounds, const std::uint16_t* limits,
                                std::size_t groups) noexcept {
  uint16x8_t safe[kParts];
#pragma GCC unroll 4
  for (std::size_t p = 0; p < kParts; ++p) safe[p] = vdupq_n_u16(65535);
  for (std::size_t g = 0; g < groups; g += 8, bounds += 8 * kParts) {
    const uint16x8_t limit = vld1q_u16(limits + g);
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) {
      safe[p] = vandq_u16(safe[p], vcleq_u16(vld1q_u16(bounds + 8 * p), limit));
    }
  }
  const uint16x8_t four = vpminq_u16(vpminq_u16(safe[0], safe[1]), vpminq_u16(safe[2], safe[3]));
  return vgetq_lane_u64(vreinterpretq_u64_u16(vpminq_u16(four, four)), 0);
}

/// total[r][c] += sum over sixteen depths of input[r] * w, spread over the four lanes. The rows go
/// side by side, because each instruction waits for the one before it in its row.
template <std::size_t Rows>
[[gnu::always_inline]] static inline void add_column(int32x4_t (&total)[Rows][kI8Wide],
                                                     std::size_t c, const int8x16_t (&input)[Rows],
                                                     int8x16_t w) noexcept {
  int16x8_t product[Rows];
#pragma GCC unroll 4
  for (std::size_t r = 0; r < Rows; ++r) {
    product[r] = vmull_s8(vget_low_s8(input[r]), vget_low_s8(w));
  }
#pragma GCC unroll 4
  for (std::size_t r = 0; r < Rows; ++r) product[r] = vmlal_high_s8(product[r], input[r], w);
#pragma GCC unroll 4
  for (std::size_t r = 0; r < Rows; ++r) total[r][c] = vpadalq_s16(total[r][c], product[r]);
}

/// The same over 32 depths at once, where four products fit a lane.
template <std::size_t Rows>
[[gnu::always_inline]] static inline void add_safe_column(int32x4_t (&total)[Rows][kI8Wide],
                                                          std::size_t c,
                                                          const int8x16_t (&input)[Rows],
                                                          const int8x16_t (&next)[Rows],
                                                          const Pair& w) noexcept {
  int16x8_t product[Rows];
  if constexpr (Rows == 4) {
    // With 30 of 32 registers in use, compilers put a move beside every tenth product; written out,
    // there is none, and a core that issues in order finds the rows in this order.
    asm("smull %4.8h, %8.8b, %16.8b\n\t"
        "smull %5.8h, %9.8b, %16.8b\n\t"
        "smull %6.8h, %10.8b, %16.8b\n\t"
        "smull %7.8h, %11.8b, %16.8b\n\t"
        "smlal2 %4.8h, %8.16b, %16.16b\n\t"
        "smlal2 %5.8h, %9.16b, %16.16b\n\t"
        "smlal2 %6.8h, %10.16b, %16.16b\n\t"
        "smlal2 %7.8h, %11.16b, %16.16b\n\t"
        "smlal %4.8h, %12.8b, %17.8b\n\t"
        "smlal %5.8h, %13.8b, %17.8b\n\t"
        "smlal %6.8h, %14.8b, %17.8b\n\t"
        "smlal %7.8h, %15.8b, %17.8b\n\t"
        "smlal2 %4.8h, %12.16b, %17.16b\n\t"
        "smlal2 %5.8h, %13.16b, %17.16b\n\t"
        "smlal2 %6.8h, %14.16b, %17.16b\n\t"
        "smlal2 %7.8h, %15.16b, %17.16b\n\t"
        "sadalp %0.4s, %4.8h\n\t"
        "sadalp %1.4s, %5.8h\n\t"
        "sadalp %2.4s, %6.8h\n\t"
        "sadalp %3.4s, %7.8h"
        : "+w"(total[0][c]), "+w"(total[1][c]), "+w"(total[2][c]), "+w"(total[3][c]),
          "=&w"(product[0]), "=&w"(product[1]), "=&w"(product[2]), "=&w"(product[3])
        : "w"(input[0]), "w"(input[1]), "w"(input[2]), "w"(input[3]), "w"(next[0]), "w"(next[1]),
          "w"(next[2]), "w"(next[3]), "w"(w.first), "w"(w.second));
  } else {
#pragma GCC unroll 3
    for (std::size_t r = 0; r < Rows; ++r) {
      product[r] = vmull_s8(vget_low_s8(input[r]), vget_low_s8(w.first));
    }
#pragma GCC unroll 3
    for (std::size_t r = 0; r < Rows; ++r) {
      product[r] = vmlal_high_s8(product[r], input[r], w.first);
    }
#pragma GCC unroll 3
    for (std::size_t r = 0; r < Rows; ++r) {
      product[r] = vmlal_s8(product[r], vget_low_s8(next[r]), vget_low_s8(w.second));
    }
#pragma GCC unroll 3
    for (std::size_t r = 0; r < Rows; ++r) {
      product[r] = vmlal_high_s8(product[r], next[r], w.second);
    }
#pragma GCC unroll 3
    for (std::size_t r = 0; r < Rows; ++r) total[r][c] = vpadalq_s16(total[r][c], product[r]);
  }
}

/// sums [Rows, kI8Cols]: kI8Wide columns of rows x, from the weights at w.
template <std::size_t Rows, bool Safe>
static void sum_columns(const std::int8_t* first, std::size_t stride, const std::int8_t* w,
                        std::int32_t* sums) noexcept {
  const std::int8_t* x[Rows];
  int32x4_t total[Rows][kI8Wide];
  int8x16_t input[Rows], next[Rows];
#pragma GCC unroll 4
  for (std::size_t r = 0; r < Rows; ++r) {
    x[r] = first + r * stride;
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kI8Wide; ++c) total[r][c] = vdupq_n_s32(0);
  }
  for (std::size_t left = stride / kI8Depth; left != 0; --left) {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < Rows; ++r) {
      const Pair pair = next_pair(x[r]);
      input[r] = pair.first;
      next[r] = pair.second;
    }
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kI8Wide; ++c) {
      const Pair weight = next_pair(w);
      if constexpr (Safe) {
        add_safe_column(total, c, input, next, weight);
      } else {
        add_column(total, c, input, weight.first);
        add_column(total, c, next, weight.second);
      }
    }
    w += (kI8Cols - kI8Wide) * kI8Depth;
  }
  if (stride % kI8Depth != 0) {  // a row may end after sixteen depths, its weights do not
#pragma GCC unroll 4
    for (std::size_t r = 0; r < Rows; ++r) input[r] = vld1q_s8(x[r]);
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kI8Wide; ++c) {
      add_column(total, c, input, vld1q_s8(w + c * kI8Depth));
    }
  }
#pragma GCC unroll 4
  for (std::size_t r = 0; r < Rows; ++r) {
    vst1q_s32(sums + r * kI8Cols, vpaddq_s32(vpaddq_s32(total[r][0], total[r][1]),
                                             vpaddq_s32(total[r][2], total[r][3])));
  }
}

/// sums [rows, kI8Cols] of rows <= Rows rows x of one panel.
template <std::size_t Rows>
static void sum_block(const std::int8_t* x, std::size_t rows, std::size_t depth,
                      const std::int8_t* panel, const std::uint16_t* limits,
                      std::int32_t* sums) noexcept {
  if constexpr (Rows > 1) {
    if (rows < Rows) return sum_block<Rows - 1>(x, rows, depth, panel, limits, sums);
  }
  const std::size_t stride = activation_stride(depth);
  const std::int8_t* w = panel + bound_bytes(depth);
  const auto* bounds = reinterpret_cast<const std::uint16_t*>(panel);
  std::uint64_t safe = limits != nullptr ? safe_parts(bounds, limits, bounds_of(depth)) : 0;
  for (std::size_t c = 0; c < kI8Cols; c += kI8Wide, safe >>= 16) {
    if (safe % 2 == 1) {
      sum_columns<Rows, true>(x, stride, w + c * kI8Depth, sums + c);
    } else {
      sum_columns<Rows, false>(x, stride, w + c * kI8Depth, sums + c);
    }
  }
}

/// Panel by panel, so that a panel of weights is read from the cache by every block of rows.
static void matmul_some_rows(const MatmulI8& a, const Tile& tile) noexcept {
  const std::size_t stride = activation_stride(a.depth);
  const std::size_t groups = bounds_of(a.depth);
  const std::size_t rows = tile.row_end - tile.row_begin;
  const std::int8_t* x = static_cast<const std::int8_t*>(a.x) + tile.row_begin * stride;
  const bool bounded = a.depth <= kBoundedDepth;
  std::uint16_t limits[kRowsAtOnce / kI8Rows * kBoundedDepth / kI8Depth];
  for (std::size_t r = 0; bounded && r < rows; r += kI8Rows) {
    const std::size_t count = rows - r < kI8Rows ? rows - r : kI8Rows;
    write_limits(x + r * stride, count, stride, limits + r / kI8Rows * groups);
  }
  const std::size_t depth = (a.depth + kI8Depth - 1) / kI8Depth * kI8Depth;
  const std::size_t bytes = bound_bytes(a.depth) + depth * kI8Cols;
  const std::int8_t* panel =
      static_cast<const std::int8_t*>(a.w) + tile.col_begin / kI8Cols * bytes;
  std::int32_t sums[kRowsAtOnce * kI8Cols];
  for (std::size_t col = tile.col_begin; col < tile.col_end; col += kI8Cols, panel += bytes) {
    for (std::size_t r = 0; r < rows; r += kI8Rows) {
      const std::size_t count = rows - r < kI8Rows ? rows - r : kI8Rows;
      sum_block<kI8Rows>(x + r * stride, count, a.depth, panel,
                         bounded ? limits + r / kI8Rows * groups : nullptr, sums + r * kI8Cols);
    }
    const std::size_t cols = tile.col_end - col < kI8Cols ? tile.col_end - col : kI8Cols;
    finish_i8<kI8Cols / F32::width>(a, sums, tile.row_begin, rows, col, cols);
  }
}

static void matmul_i8(const MatmulI8& a, const Tile& tile) noexcept {
  for (std::size_t row = tile.row_begin; row < tile.row_end; row += kRowsAtOnce) {
    const std::size_t end = row + kRowsAtOnce < tile.row_end ? row + kRowsAtOnce : tile.row_end;
    matmul_some_rows(a, {row, end, tile.col_begin, tile.col_end});
  }
}

/// One link of the chains that peak_i8.inl measures.
static int32x4_t peak_link(int32x4_t total, int8x16_t x, int8x16_t w) noexcept {
  return vpadalq_s16(total, vmlal_high_s8(vmull_s8(vget_low_s8(x), vget_low_s8(w)), x, w));
}
constexpr std::size_t kPeakProducts = 16;
