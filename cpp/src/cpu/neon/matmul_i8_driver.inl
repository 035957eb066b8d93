// Walks a tile for a set's own sum_block, which needs kI8Rows, kI8Cols and kI8Depth:
//   template <size_t Rows> sum_block(const int8_t* x, size_t stride, size_t depth,
//                                    const int8_t* panel, int32_t* sums)
// leaves the sums of Rows rows, [Rows, kI8Cols]. They are finished together, a panel at a time.

constexpr std::size_t kRowsAtOnce = 48;

template <std::size_t Rows>
static void sum_rows(const std::int8_t* x, std::size_t rows, std::size_t stride, std::size_t depth,
                     const std::int8_t* w, std::int32_t* sums) noexcept {
  if (rows == Rows) {
    sum_block<Rows>(x, stride, depth, w, sums);
  } else if constexpr (Rows > 1) {
    sum_rows<Rows - 1>(x, rows, stride, depth, w, sums);
  }
}

/// Panel by panel, so that a panel of weights is read from the cache by every block of rows; the
/// rows go in blocks as even as can be, since a small block makes poor use of a weight it loads.
static void matmul_some_rows(const MatmulI8& a, const Tile& tile) noexcept {
  const std::size_t depth = a.depth;
  const std::size_t stride = activation_stride(depth);
  const std::size_t panel = (depth + kI8Depth - 1) / kI8Depth * kI8Depth * kI8Cols;
  const std::size_t all = tile.row_end - tile.row_begin;
  const std::int8_t* x = static_cast<const std::int8_t*>(a.x) + tile.row_begin * stride;
  const std::int8_t* w = static_cast<const std::int8_t*>(a.w) + tile.col_begin / kI8Cols * panel;
  const std::size_t blocks = (all + kI8Rows - 1) / kI8Rows;
  std::int32_t sums[(kRowsAtOnce + 1) * kI8Cols];  // a pair of rows may write one too many
  const std::int32_t* const end = sums + all * kI8Cols;
  for (std::size_t col = tile.col_begin; col < tile.col_end; col += kI8Cols, w += panel) {
    std::size_t larger = all % blocks;  // by one row
    const std::int8_t* from = x;
    for (std::int32_t* to = sums; to != end;) {
      const std::size_t rows = all / blocks + (larger != 0 ? 1 : 0);
      larger -= larger != 0 ? 1 : 0;
      sum_rows<kI8Rows>(from, rows, stride, depth, w, to);
      from += rows * stride;
      to += rows * kI8Cols;
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
