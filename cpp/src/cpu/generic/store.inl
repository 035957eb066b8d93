// How every matmul puts its results away. Needs F32 (vec.h) and apply (activation.inl).

/// `count` <= width results of row `row`, from column `col` on.
static void put(const Output& out, F32 value, std::size_t row, std::size_t col,
                std::size_t count) noexcept {
  float* y = out.y + row * out.stride + col;
  if (count == F32::width) {
    if (out.adds) {
      value = out.gate != nullptr ? fma(F32::load(out.gate + col), value, F32::load(y))
                                  : value + F32::load(y);
    }
    value.store(y);
    return;
  }
  if (out.adds) {
    value = out.gate != nullptr ? fma(F32::load(out.gate + col, count), value, F32::load(y, count))
                                : value + F32::load(y, count);
  }
  value.store(y, count);
}
