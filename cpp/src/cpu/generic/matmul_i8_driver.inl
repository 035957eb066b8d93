// Walks a tile for an ISA's own block_i8<Rows>, which needs kI8Rows, kI8Cols, kI8Depth and
// kI8Shifted:
//   template <size_t Rows> block_i8(const MatmulI8&, const int8_t* panel, size_t row, size_t col,
//   size_t cols)

template <std::size_t Rows>
static void some_i8(const MatmulI8& a, const std::int8_t* w, std::size_t row, std::size_t rows,
                    std::size_t col, std::size_t cols) noexcept {
  if (rows == Rows) {
    block_i8<Rows>(a, w, row, col, cols);
  } else if constexpr (Rows > 1) {
    some_i8<Rows - 1>(a, w, row, rows, col, cols);
  }
}

/// Panel by panel, so that a panel of weights is read from the cache by every block of rows; the
/// rows go in blocks as even as can be, since a small block makes poor use of a weight it loads.
static void matmul_i8(const MatmulI8& a, const Tile& tile) noexcept {
  const std::size_t offsets = kI8Shifted ? kI8Cols * sizeof(std::int32_t) : 0;
  const std::size_t panel = offsets + (a.depth + kI8Depth - 1) / kI8Depth * kI8Depth * kI8Cols;
  const std::int8_t* w = static_cast<const std::int8_t*>(a.w) + tile.col_begin / kI8Cols * panel;
  for (std::size_t col = tile.col_begin; col < tile.col_end; col += kI8Cols, w += panel) {
    const std::size_t cols = tile.col_end - col < kI8Cols ? tile.col_end - col : kI8Cols;
    std::size_t blocks = (tile.row_end - tile.row_begin + kI8Rows - 1) / kI8Rows;
    for (std::size_t row = tile.row_begin; row < tile.row_end; --blocks) {
      const std::size_t rows = (tile.row_end - row + blocks - 1) / blocks;
      some_i8<kI8Rows>(a, w, row, rows, col, cols);
      row += rows;
    }
  }
}
