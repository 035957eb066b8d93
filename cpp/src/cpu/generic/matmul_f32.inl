// Needs F32, kBlockRows and kBlockVectors (vec.h) and apply (activation.inl).
// Each output is one accumulator that takes its products in the order of depth: the shape of the
// block, the tile and the number of rows change the speed and never a bit of the result.

constexpr std::size_t kF32Cols = kBlockVectors * F32::width;

/// Adds bias, applies the epilogue, stores `count` <= width columns.
static void store_outputs(F32 total, const float* bias, Epilogue epilogue, float* y,
                          std::size_t count) noexcept {
  if (bias != nullptr) total = total + F32::load(bias, count);
  apply(epilogue, total).store(y, count);
}

/// Rows [row, row + Rows) of one panel of weights, whose first column is `col`.
template <std::size_t Rows>
static void block_f32(const MatmulF32& a, const float* w, std::size_t row, std::size_t col,
                      std::size_t cols) noexcept {
  const float* x = a.x + row * a.x_stride;
  F32 total[Rows][kBlockVectors];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (std::size_t c = 0; c < kBlockVectors; ++c) total[r][c] = F32::set(0.0f);

  for (std::size_t k = 0; k < a.depth; ++k, w += kF32Cols) {
    F32 weight[kBlockVectors];
#pragma GCC unroll 8
    for (std::size_t c = 0; c < kBlockVectors; ++c) weight[c] = F32::load(w + c * F32::width);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < Rows; ++r) {
      const F32 input = F32::set(x[r * a.x_stride + k]);
#pragma GCC unroll 8
      for (std::size_t c = 0; c < kBlockVectors; ++c)
        total[r][c] = fma(input, weight[c], total[r][c]);
    }
  }

#pragma GCC unroll 8
  for (std::size_t c = 0; c < kBlockVectors; ++c) {
    const std::size_t begin = c * F32::width;
    if (begin >= cols) break;
    const std::size_t count = cols - begin < F32::width ? cols - begin : F32::width;
    const float* bias = a.bias != nullptr ? a.bias + col + begin : nullptr;
#pragma GCC unroll 8
    for (std::size_t r = 0; r < Rows; ++r) {
      store_outputs(total[r][c], bias, a.epilogue, a.y + (row + r) * a.y_stride + col + begin,
                    count);
    }
  }
}

/// The last rows of a tile, fewer than a block.
template <std::size_t Rows>
static void rest_f32(const MatmulF32& a, const float* w, std::size_t row, std::size_t rows,
                     std::size_t col, std::size_t cols) noexcept {
  if constexpr (Rows > 0) {
    if (rows == Rows) {
      block_f32<Rows>(a, w, row, col, cols);
    } else {
      rest_f32<Rows - 1>(a, w, row, rows, col, cols);
    }
  }
}

/// Panel by panel, so that a panel of weights is read from the cache by every block of rows.
static void matmul_f32(const MatmulF32& a, const Tile& tile) noexcept {
  for (std::size_t col = tile.col_begin; col < tile.col_end; col += kF32Cols) {
    const std::size_t cols = tile.col_end - col < kF32Cols ? tile.col_end - col : kF32Cols;
    const float* w = a.w + col * a.depth;
    std::size_t row = tile.row_begin;
    for (; row + kBlockRows <= tile.row_end; row += kBlockRows) {
      block_f32<kBlockRows>(a, w, row, col, cols);
    }
    rest_f32<kBlockRows - 1>(a, w, row, tile.row_end - row, col, cols);
  }
}
