// The int8 block of every set whose instruction adds kI8Depth products to each lane of a register
// of columns. Needs from the set's int8.h: Activation, kI8Rows, kI8Vectors, kI8Depth, kI8Shifted
// and I32, a register of exact sums.

constexpr std::size_t kI8Cols = kI8Vectors * F32::width;

template <std::size_t Rows>
static void block_i8(const MatmulI8& a, const std::int8_t* w, std::size_t row, std::size_t col,
                     std::size_t cols) noexcept {
  const std::size_t stride = activation_stride(a.depth);
  const Activation* x = static_cast<const Activation*>(a.x) + row * stride;
  I32 total[Rows][kI8Vectors];
#pragma GCC unroll 8
  for (std::size_t c = 0; c < kI8Vectors; ++c) {
    const I32 start =
        kI8Shifted ? I32::load_bytes(w + c * F32::width * sizeof(std::int32_t)) : I32::zero();
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r) total[r][c] = start;
  }
  if (kI8Shifted) w += kI8Cols * sizeof(std::int32_t);

  for (std::size_t k = 0; k < a.depth; k += kI8Depth, w += kI8Cols * kI8Depth) {
    I32 weight[kI8Vectors];
#pragma GCC unroll 8
    for (std::size_t c = 0; c < kI8Vectors; ++c)
      weight[c] = I32::weights(w + c * F32::width * kI8Depth);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r) {
      const I32 input = I32::spread(x + r * stride + k);
#pragma GCC unroll 8
      for (std::size_t c = 0; c < kI8Vectors; ++c) add_dot(total[r][c], input, weight[c]);
    }
  }

  alignas(64) std::int32_t sums[Rows * kI8Cols];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (std::size_t c = 0; c < kI8Vectors; ++c) {
      total[r][c].store(sums + r * kI8Cols + c * F32::width);
    }
  finish_i8<kI8Vectors>(a, sums, row, Rows, col, cols);
}
