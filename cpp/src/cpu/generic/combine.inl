// Sums of rows with rows: the update every solver ends with, and the residual of every block.

static void axpby_f32(float a, const float* x, float b, float* y, std::size_t n) noexcept {
  update(x, y, n, [a, b](F32 vx, F32 vy) { return fma(F32::set(a), vx, F32::set(b) * vy); });
}

static void add_gated_f32(const float* x, const float* gate, float* y, std::size_t rows,
                          std::size_t width) noexcept {
  if (gate == nullptr) {
    update(x, y, rows * width, [](F32 vx, F32 vy) { return vx + vy; });
    return;
  }
  for (std::size_t r = 0; r < rows; ++r, x += width, y += width) {
    std::size_t i = 0;
    for (; i + F32::width <= width; i += F32::width) {
      fma(F32::load(gate + i), F32::load(x + i), F32::load(y + i)).store(y + i);
    }
    if (const std::size_t n = width - i; n != 0) {
      fma(F32::load(gate + i, n), F32::load(x + i, n), F32::load(y + i, n)).store(y + i, n);
    }
  }
}
