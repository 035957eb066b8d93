// Walks a tile for an ISA's own block_i8<Rows>, which needs kI8Rows, kI8Cols and kI8Depth:
//   template <size_t Rows> block_i8(const MatmulI8&, const int8_t* panel, size_t row, size_t col,
//   size_t cols)

template <std::size_t Rows>
static void rest_i8(const MatmulI8& a, const std::int8_t* w, std::size_t row, std::size_t rows,
                    std::size_t col, std::size_t cols) noexcept {
  if constexpr (Rows > 0) {
    if (rows == Rows) {
      block_i8<Rows>(a, w, row, col, cols);
    } else {
      rest_i8<Rows - 1>(a, w, row, rows, col, cols);
    }
  }
}

static void matmul_i8(const MatmulI8& a, const Tile& tile) noexcept {
  const std::size_t depth = (a.depth + kI8Depth - 1) / kI8Depth * kI8Depth;
  for (std::size_t col = tile.col_begin; col < tile.col_end; col += kI8Cols) {
    const std::size_t cols = tile.col_end - col < kI8Cols ? tile.col_end - col : kI8Cols;
    const std::int8_t* w = static_cast<const std::int8_t*>(a.w) + col * depth;
    std::size_t row = tile.row_begin;
    for (; row + kI8Rows <= tile.row_end; row += kI8Rows) block_i8<kI8Rows>(a, w, row, col, cols);
    rest_i8<kI8Rows - 1>(a, w, row, tile.row_end - row, col, cols);
  }
}
