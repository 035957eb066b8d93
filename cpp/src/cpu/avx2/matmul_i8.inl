// Six rows by sixteen columns of exact int32 sums in twelve registers.
// Weights are int8 in memory (half the traffic) and widened to int16 as they are read; vpmaddwd
// multiplies a pair of depths and adds both products into one int32 lane.

constexpr std::size_t kI8Rows = 6;
constexpr std::size_t kI8Cols = 16;
constexpr std::size_t kI8Depth = 2;

/// Eight columns of one pair of depths, as int16.
static __m256i widen(const std::int8_t* w) noexcept {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w)));
}

template <std::size_t Rows>
static void block_i8(const MatmulI8& a, const std::int8_t* w, std::size_t row, std::size_t col,
                     std::size_t cols) noexcept {
  const std::size_t stride = activation_stride(a.depth);
  const std::int16_t* x = static_cast<const std::int16_t*>(a.x) + row * stride;
  __m256i total[Rows][2];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < Rows; ++r) total[r][0] = total[r][1] = _mm256_setzero_si256();

  for (std::size_t k = 0; k < a.depth; k += kI8Depth, w += kI8Cols * kI8Depth) {
    const __m256i low = widen(w);
    const __m256i high = widen(w + 16);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < Rows; ++r) {
      int pair;
      __builtin_memcpy(&pair, x + r * stride + k, sizeof pair);
      const __m256i input = _mm256_set1_epi32(pair);
      total[r][0] = _mm256_add_epi32(total[r][0], _mm256_madd_epi16(input, low));
      total[r][1] = _mm256_add_epi32(total[r][1], _mm256_madd_epi16(input, high));
    }
  }

#pragma GCC unroll 8
  for (std::size_t r = 0; r < Rows; ++r) {
    const std::size_t first_half = cols < 8 ? cols : 8;
    store_scaled(a, {_mm256_cvtepi32_ps(total[r][0])}, row + r, col, first_half);
    if (cols > 8) store_scaled(a, {_mm256_cvtepi32_ps(total[r][1])}, row + r, col + 8, cols - 8);
  }
}
