/// y = epilogue(total * (x_scale * w_scale) + bias) for `count` <= width columns from `col`.
static void store_scaled(const MatmulI8& a, F32 total, std::size_t row, std::size_t col,
                         std::size_t count) noexcept {
  const bool whole = count == F32::width;
  const F32 w_scale = whole ? F32::load(a.w_scale + col) : F32::load(a.w_scale + col, count);
  F32 bias = F32::set(0.0f);
  if (a.bias != nullptr) bias = whole ? F32::load(a.bias + col) : F32::load(a.bias + col, count);
  const F32 scale = F32::set(a.x_scale[row]) * w_scale;
  put(a.out, apply(a.epilogue, fma(total, scale, bias)), row, col, count);
}
