/// y = epilogue(total * (x_scale * w_scale) + bias) for `count` <= width columns from `col`.
static void store_scaled(const MatmulI8& a, F32 total, std::size_t row, std::size_t col,
                         std::size_t count) noexcept {
  const F32 scale = F32::set(a.x_scale[row]) * F32::load(a.w_scale + col, count);
  const F32 bias = a.bias != nullptr ? F32::load(a.bias + col, count) : F32::set(0.0f);
  apply(a.epilogue, fma(total, scale, bias)).store(a.y + row * a.y_stride + col, count);
}
