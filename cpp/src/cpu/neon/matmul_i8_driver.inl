// Walks a tile for a set's own sum_block, which needs kI8Rows, kI8Cols and kI8Depth:
//   template <size_t Rows> sum_block(const MatmulI8&, const int8_t* panel, size_t row, int32_t*
//   sums)
// leaves the sums of Rows rows, [Rows, kI8Cols]. They are finished together, a panel at a time.

constexpr std::size_t kRowsAtOnce = 48;

template <std::size_t Rows>
static void sum_rows(const MatmulI8& a, const std::int8_t* w, std::size_t row, std::size_t rows,
                     std::int32_t* sums) noexcept {
  if (rows == Rows) {
    sum_block<Rows>(a, w, row, sums);
  } else if constexpr (Rows > 1) {
    sum_rows<Rows - 1>(a, w, row, rows, sums);
  }
}

/// Panel by panel, so that a panel of weights is read from the cache by every block of rows; the
/// rows go in blocks as even as can be, since a small block makes poor use of a weight it loads.
static void matmul_some_rows(const MatmulI8& a, const Tile& tile) noexcept {
  const std::size_t panel = (a.depth + kI8Depth - 1) / kI8Depth * kI8Depth * kI8Cols;
  const std::int8_t* w = static_cast<const std::int8_t*>(a.w) + tile.col_begin / kI8Cols * panel;
  const std::size_t all = tile.row_end - tile.row_begin;
  std::int32_t sums[(kRowsAtOnce + 1) * kI8Cols];  // a pair of rows may write one too many
  for (std::size_t col = tile.col_begin; col < tile.col_end; col += kI8Cols, w += panel) {
    std::size_t blocks = (all + kI8Rows - 1) / kI8Rows;
    for (std::size_t r = 0; r < all; --blocks) {
      const std::size_t rows = (all - r + blocks - 1) / blocks;
      sum_rows<kI8Rows>(a, w, tile.row_begin + r, rows, sums + r * kI8Cols);
      r += rows;
    }
    const std::size_t cols = tile.col_end - col < kI8Cols ? tile.col_end - col : kI8Cols;
    finish_i8<kI8Cols / F32::width>(a, sums, tile.row_begin, all, col, cols);
  }
}

static void matmul_i8(const MatmulI8& a, const Tile& tile) noexcept {
  for (std::size_t row = tile.row_begin; row < tile.row_end; row += kRowsAtOnce) {
    const std::size_t end = row + kRowsAtOnce < tile.row_end ? row + kRowsAtOnce : tile.row_end;
    matmul_some_rows(a, {row, end, tile.col_begin, tile.col_end});
  }
}
