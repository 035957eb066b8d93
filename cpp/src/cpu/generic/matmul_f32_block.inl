// The float32 block of every set that spreads an input over a register. Needs F32, kBlockRows and
// kBlockVectors (vec.h) and put (store.inl).
// Each output is one accumulator that takes its products in the order of depth: the shape of the
// block, the tile and the number of rows change the speed and never a bit of the result.

/// Rows [row, row + Rows) of the first `Vectors` registers of a panel whose first column is `col`.
template <std::size_t Rows, std::size_t Vectors>
static void block_f32(const MatmulF32& a, const float* w, std::size_t row, std::size_t col,
                      std::size_t cols) noexcept {
  const float* x = a.x + row * a.x_stride;
  F32 total[Rows][Vectors];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (std::size_t c = 0; c < Vectors; ++c) total[r][c] = F32::set(0.0f);

  for (std::size_t k = 0; k < a.depth; ++k, w += kF32Cols) {
    F32 weight[Vectors];
#pragma GCC unroll 8
    for (std::size_t c = 0; c < Vectors; ++c) weight[c] = F32::load(w + c * F32::width);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r) {
      const F32 input = F32::set(x[r * a.x_stride + k]);
#pragma GCC unroll 8
      for (std::size_t c = 0; c < Vectors; ++c) total[r][c] = fma(input, weight[c], total[r][c]);
    }
  }

  alignas(64) float sums[Rows * Vectors * F32::width];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (std::size_t c = 0; c < Vectors; ++c) {
      total[r][c].store(sums + (r * Vectors + c) * F32::width);
    }
  finish_f32<Vectors>(a, sums, row, Rows, col, cols);
}
