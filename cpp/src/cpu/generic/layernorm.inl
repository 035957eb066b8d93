/// The variance is taken around the mean in a second pass: E[x^2] - mean^2 would cancel.
static void layernorm_f32(const LayerNorm& a) noexcept {
  const float per = 1.0f / static_cast<float>(a.width);
  const F32 base = F32::set(a.gain_base);
  for (std::size_t r = 0; r < a.rows; ++r) {
    const float* x = a.x + r * a.width;
    float* y = a.y + r * a.width;
    const F32 mean = F32::set(sum_of(x, a.width, [](F32 v) { return v; }) * per);
    const auto square = [mean](F32 v) { return (v - mean) * (v - mean); };
    const float variance = sum_of(x, a.width, square) * per;
    const F32 inverse = F32::set(1.0f / __builtin_sqrtf(variance + a.eps));
    for_registers(a.width, [&](std::size_t i, std::size_t count) {
      F32 v = (load_lanes(x + i, count) - mean) * inverse;
      if (a.gain != nullptr) v = v * (base + load_lanes(a.gain + i, count));
      if (a.offset != nullptr) v = v + load_lanes(a.offset + i, count);
      store_lanes(v, y + i, count);
    });
  }
}
