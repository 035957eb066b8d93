// Walks a tile for block_f32<Rows, Vectors>: that of matmul_f32_block.inl or an ISA's own.

/// `rows` <= Rows rows; of a narrow last panel only the first register.
template <std::size_t Rows>
static void some_f32(const MatmulF32& a, const float* w, std::size_t row, std::size_t rows,
                     std::size_t col, std::size_t cols) noexcept {
  if (rows == Rows) {
    if (cols <= F32::width) {
      block_f32<Rows, 1>(a, w, row, col, cols);
    } else {
      block_f32<Rows, kBlockVectors>(a, w, row, col, cols);
    }
  } else if constexpr (Rows > 1) {
    some_f32<Rows - 1>(a, w, row, rows, col, cols);
  }
}

/// Panel by panel, so that a panel of weights is read from the cache by every block of rows.
static void matmul_f32(const MatmulF32& a, const Tile& tile) noexcept {
  for (std::size_t col = tile.col_begin; col < tile.col_end; col += kF32Cols) {
    const std::size_t cols = tile.col_end - col < kF32Cols ? tile.col_end - col : kF32Cols;
    std::size_t blocks = (tile.row_end - tile.row_begin + kBlockRows - 1) / kBlockRows;
    for (std::size_t row = tile.row_begin; row < tile.row_end; --blocks) {
      const std::size_t rows = (tile.row_end - row + blocks - 1) / blocks;
      some_f32<kBlockRows>(a, a.w + col * a.depth, row, rows, col, cols);
      row += rows;
    }
  }
}
