// The float32 block of every Arm set: ten rows by eight columns, an input named by its lane, so
// that it is loaded once for four depths. 20 accumulators and the 8 registers of four depths of
// weights stay put while the rows pass. Each output takes its products in the order of depth.

/// total[c] += lane `Lane` of x times the registers of one depth of weights.
template <int Lane, std::size_t Vectors>
[[gnu::always_inline]] static inline void add_depth(float32x4_t (&total)[Vectors], float32x4_t x,
                                                    const float32x4_t (&weight)[Vectors]) noexcept {
#pragma GCC unroll 2
  for (std::size_t c = 0; c < Vectors; ++c) {
    total[c] = vfmaq_laneq_f32(total[c], weight[c], x, Lane);
  }
}

template <std::size_t Rows, std::size_t Vectors>
static void block_f32(const MatmulF32& a, const float* w, std::size_t row, std::size_t col,
                      std::size_t cols) noexcept {
  const float* x[Rows];
  float32x4_t total[Rows][Vectors];
#pragma GCC unroll 10
  for (std::size_t r = 0; r < Rows; ++r) {
    x[r] = a.x + (row + r) * a.x_stride;
#pragma GCC unroll 2
    for (std::size_t c = 0; c < Vectors; ++c) total[r][c] = vdupq_n_f32(0.0f);
  }
  std::size_t k = 0;
  for (; k + 4 <= a.depth; k += 4, w += 4 * kF32Cols) {
    float32x4_t weight[4][Vectors];
#pragma GCC unroll 4
    for (std::size_t d = 0; d < 4; ++d)
#pragma GCC unroll 2
      for (std::size_t c = 0; c < Vectors; ++c) {
        weight[d][c] = vld1q_f32(w + d * kF32Cols + c * F32::width);
      }
#pragma GCC unroll 10
    for (std::size_t r = 0; r < Rows; ++r) {
      const float32x4_t input = vld1q_f32(x[r] + k);
      add_depth<0>(total[r], input, weight[0]);
      add_depth<1>(total[r], input, weight[1]);
      add_depth<2>(total[r], input, weight[2]);
      add_depth<3>(total[r], input, weight[3]);
    }
  }
  for (; k < a.depth; ++k, w += kF32Cols) {
    float32x4_t weight[Vectors];
#pragma GCC unroll 2
    for (std::size_t c = 0; c < Vectors; ++c) weight[c] = vld1q_f32(w + c * F32::width);
#pragma GCC unroll 10
    for (std::size_t r = 0; r < Rows; ++r) {
      add_depth<0>(total[r], vld1q_dup_f32(x[r] + k), weight);
    }
  }
  // Attention asks for the plain sums, and its blocks are small: they skip the tile.
  const bool plain = a.bias == nullptr && !a.out.adds && a.epilogue == Epilogue::none;
  const bool direct = plain && cols >= Vectors * F32::width;
  float sums[Rows * Vectors * F32::width];
  float* out = direct ? a.out.y + row * a.out.stride + col : sums;
  const std::size_t stride = direct ? a.out.stride : Vectors * F32::width;
#pragma GCC unroll 10
  for (std::size_t r = 0; r < Rows; ++r, out += stride)
#pragma GCC unroll 2
    for (std::size_t c = 0; c < Vectors; ++c) vst1q_f32(out + c * F32::width, total[r][c]);
  if (!direct) finish_f32<Vectors>(a, sums, row, Rows, col, cols);
}
