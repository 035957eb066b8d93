// How every matmul finishes a register of columns of its block. Needs F32 (vec.h) and the epilogues
// (activation.inl). Whatever does not depend on the row is asked once, not once a row.

template <std::size_t Rows, typename Function>
static void for_rows(F32 (&value)[Rows], Function f) noexcept {
#pragma GCC unroll 16
  for (std::size_t r = 0; r < Rows; ++r) value[r] = f(value[r], r);
}

/// Applies the epilogue to `count` <= width columns from `col` of rows [row, row + Rows), and puts
/// them away.
template <std::size_t Rows>
static void put(const Output& out, Epilogue epilogue, F32 (&value)[Rows], std::size_t row,
                std::size_t col, std::size_t count) noexcept {
  if (epilogue == Epilogue::gelu_tanh) {
    for_rows(value, [](F32 v, std::size_t) { return gelu_tanh(v); });
  } else if (epilogue == Epilogue::gelu_erf) {
    for_rows(value, [](F32 v, std::size_t) { return gelu_erf(v); });
  }
  float* y = out.y + row * out.stride + col;
  if (out.adds && out.gate != nullptr) {
    const F32 gate = load_lanes(out.gate + col, count);
    for_rows(value, [&](F32 v, std::size_t r) {
      return fma(gate, v, load_lanes(y + r * out.stride, count));
    });
  } else if (out.adds) {
    for_rows(value,
             [&](F32 v, std::size_t r) { return v + load_lanes(y + r * out.stride, count); });
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < Rows; ++r) store_lanes(value[r], y + r * out.stride, count);
}
