/// y = epilogue(total * (x_scale * w_scale) + bias) of a block's rows, for `count` <= width columns
/// from `col`; the sums come as float32, which is exact below 2^24 and rounded once above.
template <std::size_t Rows>
static void store_scaled(const MatmulI8& a, F32 (&total)[Rows], std::size_t row, std::size_t col,
                         std::size_t count) noexcept {
  const F32 w_scale = load_lanes(a.w_scale + col, count);
  const F32 bias = a.bias != nullptr ? load_lanes(a.bias + col, count) : F32::set(0.0f);
  for_rows(total, [&](F32 v, std::size_t r) {
    return fma(v, F32::set(a.x_scale[row + r]) * w_scale, bias);
  });
  put(a.out, a.epilogue, total, row, col, count);
}
