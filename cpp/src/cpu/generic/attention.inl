/// x becomes e^(scale (x - max)) / sum of those, so that no exponent overflows.
static void softmax_row(float* x, std::size_t n, float scale) noexcept {
  F32 top = F32::set(x[0]);
  std::size_t i = 0;
  for (; i + F32::width <= n; i += F32::width) top = max(top, F32::load(x + i));
  if (i < n) top = max(top, first(n - i, F32::load(x + i, n - i), top));
  top = F32::set(largest(top));
  const F32 by = F32::set(scale);
  map(x, x, n, [top, by](F32 v) { return exp((v - top) * by); });
  const F32 inverse = F32::set(1.0f / sum_of(x, n, [](F32 v) { return v; }));
  map(x, x, n, [inverse](F32 v) { return v * inverse; });
}

static void softmax_rows_f32(float* x, std::size_t rows, std::size_t width) noexcept {
  for (std::size_t r = 0; r < rows; ++r) softmax_row(x + r * width, width, 1.0f);
}

/// Two matmuls with the softmax between them, while the scores are still in the nearest cache.
static void attention_f32(const Attention& a) noexcept {
  for (std::size_t row = 0; row < a.queries; row += kAttentionRows) {
    const std::size_t rows = a.queries - row < kAttentionRows ? a.queries - row : kAttentionRows;
    matmul_f32({a.q + row * a.q_stride,
                a.q_stride,
                a.k,
                nullptr,
                a.keys,
                a.head_width,
                Epilogue::none,
                {a.scores, a.keys, false, nullptr}},
               {0, rows, 0, a.keys});
    for (std::size_t r = 0; r < rows; ++r) softmax_row(a.scores + r * a.keys, a.keys, a.scale);
    matmul_f32({a.scores,
                a.keys,
                a.v,
                nullptr,
                a.head_width,
                a.keys,
                Epilogue::none,
                {a.out + row * a.out_stride, a.out_stride, false, nullptr}},
               {0, rows, 0, a.head_width});
  }
}
