/// x becomes e^(x - max) / sum of those, so that no exponent overflows.
static void softmax_row(float* x, std::size_t n) noexcept {
  F32 top = F32::set(x[0]);
  std::size_t i = 0;
  for (; i + F32::width <= n; i += F32::width) top = max(top, F32::load(x + i));
  if (i < n) top = max(top, first(n - i, F32::load(x + i, n - i), top));
  top = F32::set(largest(top));
  map(x, x, n, [top](F32 v) { return exp(v - top); });
  const F32 inverse = F32::set(1.0f / sum_of(x, n, [](F32 v) { return v; }));
  map(x, x, n, [inverse](F32 v) { return v * inverse; });
}

static void softmax_rows_f32(float* x, std::size_t rows, std::size_t width) noexcept {
  for (std::size_t r = 0; r < rows; ++r) softmax_row(x + r * width, width);
}

static float dot(const float* x, const float* y, std::size_t n) noexcept {
  F32 total = F32::set(0.0f);
  std::size_t i = 0;
  for (; i + F32::width <= n; i += F32::width) {
    total = fma(F32::load(x + i), F32::load(y + i), total);
  }
  if (i < n) total = fma(F32::load(x + i, n - i), F32::load(y + i, n - i), total);
  return sum(total);
}

/// out[c] = sum over j of weight[j] v[j, c], j ascending.
static void weighted_rows(const Attention& a, float* out) noexcept {
  for (std::size_t c = 0; c < a.head_width; c += F32::width) {
    const std::size_t n = a.head_width - c < F32::width ? a.head_width - c : F32::width;
    F32 total = F32::set(0.0f);
    for (std::size_t j = 0; j < a.keys; ++j) {
      total = fma(F32::set(a.scores[j]), F32::load(a.v + j * a.v_stride + c, n), total);
    }
    total.store(out + c, n);
  }
}

static void attention_f32(const Attention& a) noexcept {
  for (std::size_t i = 0; i < a.queries; ++i) {
    for (std::size_t j = 0; j < a.keys; ++j) {
      a.scores[j] = a.scale * dot(a.q + i * a.q_stride, a.k + j * a.k_stride, a.head_width);
    }
    softmax_row(a.scores, a.keys);
    weighted_rows(a, a.out + i * a.out_stride);
  }
}
