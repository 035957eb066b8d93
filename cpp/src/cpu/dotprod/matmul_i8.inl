// Four rows by sixteen columns with sdot: each lane of a register of weights holds four depths of
// one column, and four depths of a row are named by their lane. 32 depths at a time, so that inputs
// are loaded in pairs and weights in fours: 16 accumulators, 8 inputs and 4 weights.

constexpr std::size_t kI8Rows = 4;
constexpr std::size_t kI8Vectors = 4;
constexpr std::size_t kI8Cols = kI8Vectors * F32::width;
constexpr std::size_t kI8Depth = 4;

/// Each lane of total += its four depths of w times the four depths that `Lane` of x holds. Written
/// out, because compilers otherwise move accumulators about when nearly every register is in use.
template <int Lane>
static void add_dot(int32x4_t& total, int8x16_t w, int8x16_t x) noexcept {
  asm("sdot %0.4s, %1.16b, %2.4b[%3]" : "+w"(total) : "w"(w), "w"(x), "n"(Lane));
}

/// The same for all rows, and for the registers of weights that begin at w.
template <int Lane, std::size_t Rows>
[[gnu::always_inline]] static inline void add_lane(int32x4_t (&total)[Rows][kI8Vectors],
                                                   const int8x16_t (&input)[Rows],
                                                   const std::int8_t*& w) noexcept {
  const int8x16x4_t weight = vld1q_s8_x4(w);
  w += 64;
  asm("" : "+r"(w));  // keeps w in one register, so that the load itself moves it on
#pragma GCC unroll 4
  for (std::size_t c = 0; c < kI8Vectors; ++c) {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < Rows; ++r) add_dot<Lane>(total[r][c], weight.val[c], input[r]);
  }
}

template <std::size_t Rows>
static void sum_block(const std::int8_t* first, std::size_t stride, std::size_t depth,
                      const std::int8_t* w, std::int32_t* sums) noexcept {
  const std::int8_t* x[Rows];
  int8x16_t input[Rows];
  int32x4_t total[Rows][kI8Vectors];
#pragma GCC unroll 4
  for (std::size_t r = 0; r < Rows; ++r) {
    x[r] = first + r * stride;
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kI8Vectors; ++c) total[r][c] = vdupq_n_s32(0);
  }

  int8x16_t next[Rows];
  for (std::size_t left = depth / 32; left != 0; --left) {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < Rows; ++r) {
      const Pair pair = next_pair(x[r]);
      input[r] = pair.first;
      next[r] = pair.second;
    }
    add_lane<0>(total, input, w);
    add_lane<1>(total, input, w);
    add_lane<2>(total, input, w);
    add_lane<3>(total, input, w);
    add_lane<0>(total, next, w);
    add_lane<1>(total, next, w);
    add_lane<2>(total, next, w);
    add_lane<3>(total, next, w);
  }
  for (std::size_t k = depth / 32 * 32; k < depth; k += kI8Depth) {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < Rows; ++r, x[r - 1] += kI8Depth) {
      std::int32_t four;
      __builtin_memcpy(&four, x[r], sizeof four);
      input[r] = vreinterpretq_s8_s32(vdupq_n_s32(four));
    }
    add_lane<0>(total, input, w);
  }

#pragma GCC unroll 4
  for (std::size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kI8Vectors; ++c) {
      vst1q_s32(sums + r * kI8Cols + c * F32::width, total[r][c]);
    }
}

/// One link of the chains that peak_i8.inl measures.
static int32x4_t peak_link(int32x4_t total, int8x16_t x, int8x16_t w) noexcept {
  add_dot<0>(total, w, x);
  return total;
}
constexpr std::size_t kPeakProducts = 16;
