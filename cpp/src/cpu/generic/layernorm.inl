/// sum over i < n of f(x[i]), in an order that depends on n and the register width alone.
template <typename Function>
static float sum_of(const float* x, std::size_t n, Function f) noexcept {
  F32 total = F32::set(0.0f);
  std::size_t i = 0;
  for (; i + F32::width <= n; i += F32::width) total = total + f(F32::load(x + i));
  if (i < n) total = total + first(n - i, f(F32::load(x + i, n - i)), F32::set(0.0f));
  return sum(total);
}

/// The variance is taken around the mean in a second pass: E[x^2] - mean^2 would cancel.
static void layernorm_f32(const LayerNorm& a) noexcept {
  const float per = 1.0f / static_cast<float>(a.width);
  for (std::size_t r = 0; r < a.rows; ++r) {
    const float* x = a.x + r * a.width;
    float* y = a.y + r * a.width;
    const F32 mean = F32::set(sum_of(x, a.width, [](F32 v) { return v; }) * per);
    const auto square = [mean](F32 v) { return (v - mean) * (v - mean); };
    const float variance = sum_of(x, a.width, square) * per;
    const F32 inverse = F32::set(1.0f / __builtin_sqrtf(variance + a.eps));
    const F32 base = F32::set(a.gain_base);
    for (std::size_t i = 0; i < a.width; i += F32::width) {
      const std::size_t n = a.width - i < F32::width ? a.width - i : F32::width;
      F32 v = (F32::load(x + i, n) - mean) * inverse;
      if (a.gain != nullptr) v = v * (base + F32::load(a.gain + i, n));
      if (a.offset != nullptr) v = v + F32::load(a.offset + i, n);
      v.store(y + i, n);
    }
  }
}
