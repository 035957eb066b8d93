// How a matmul puts a block away. A block leaves its sums in a small tile, and
// one function per kind of sum finishes it: the epilogue is chosen once a block, what belongs to a
// column stays in registers for all rows, and no block carries a copy of this code.

/// The registers of a row from p and to p.
template <std::size_t Vectors>
[[gnu::always_inline]] static inline void load_row(const float* p, F32 (&v)[Vectors]) noexcept {
  if constexpr (Vectors == 4) {
    load_four(p, v);
  } else {
#pragma GCC unroll 4
    for (std::size_t c = 0; c < Vectors; ++c) v[c] = F32::load(p + c * F32::width);
  }
}
template <std::size_t Vectors>
[[gnu::always_inline]] static inline void store_row(const F32 (&v)[Vectors], float* p) noexcept {
  if constexpr (Vectors == 4) {
    store_four(v, p);
  } else {
#pragma GCC unroll 4
    for (std::size_t c = 0; c < Vectors; ++c) v[c].store(p + c * F32::width);
  }
}

/// Exact sums from p, as float32.
template <std::size_t Vectors, typename Sums = I32>
[[gnu::always_inline]] static inline void load_sums(const std::int32_t* p,
                                                    F32 (&v)[Vectors]) noexcept {
  if constexpr (Vectors == 4 && requires { Sums::load_four(p, v); }) {
    Sums::load_four(p, v);
  } else {
#pragma GCC unroll 4
    for (std::size_t c = 0; c < Vectors; ++c) v[c] = Sums::load(p + c * F32::width).as_float();
  }
}

/// What result(r, v) fills v with, f of each, to out: from row `row` and column `col` on.
template <std::size_t Vectors, typename Result, typename Function>
[[gnu::always_inline]] static inline void put_rows(const Output& out, std::size_t row,
                                                   std::size_t rows, std::size_t col, Result result,
                                                   Function f) noexcept {
  float* y = out.y + row * out.stride + col;
  const std::size_t stride = out.stride;
  F32 v[Vectors];
  if (!out.adds) {
    for (std::size_t r = 0; r < rows; ++r, y += stride) {
      result(r, v);
#pragma GCC unroll 4
      for (std::size_t c = 0; c < Vectors; ++c) v[c] = f(v[c]);
      store_row(v, y);
    }
    return;
  }
  F32 gate[Vectors];
#pragma GCC unroll 4
  for (std::size_t c = 0; c < Vectors; ++c) {
    gate[c] = out.gate != nullptr ? F32::load(out.gate + col + c * F32::width) : F32::set(1.0f);
  }
  for (std::size_t r = 0; r < rows; ++r, y += stride) {
    F32 sum[Vectors];
    load_row(y, sum);
    result(r, v);
#pragma GCC unroll 4
    for (std::size_t c = 0; c < Vectors; ++c) sum[c] = fma(gate[c], f(v[c]), sum[c]);
    store_row(sum, y);
  }
}

static F32 apply(Epilogue epilogue, F32 x) noexcept {
  if (epilogue == Epilogue::gelu_tanh) return gelu_tanh(x);
  if (epilogue == Epilogue::gelu_erf) return gelu_erf(x);
  return x;
}

/// The same for a last panel that is only `cols` wide.
template <typename Result>
[[gnu::always_inline]] static inline void put_narrow(const Output& out, Epilogue epilogue,
                                                     std::size_t row, std::size_t rows,
                                                     std::size_t col, std::size_t cols,
                                                     Result result) noexcept {
  for (std::size_t r = 0; r < rows; ++r) {
    for_registers(cols, [&](std::size_t i, std::size_t count) {
      F32 value = apply(epilogue, result(r)(i / F32::width));
      float* at = out.y + (row + r) * out.stride + col + i;
      if (out.adds) {
        const F32 gate = out.gate != nullptr ? load_lanes(out.gate + col + i, count) : F32::set(1);
        value = fma(gate, value, load_lanes(at, count));
      }
      store_lanes(value, at, count);
    });
  }
}

/// A whole panel.
template <std::size_t Vectors, typename Result>
[[gnu::always_inline]] static inline void put_block(const Output& out, Epilogue epilogue,
                                                    std::size_t row, std::size_t rows,
                                                    std::size_t col, Result result) noexcept {
  const auto then = [&](auto f) { put_rows<Vectors>(out, row, rows, col, result, f); };
  if (epilogue == Epilogue::gelu_tanh) {
    then([](F32 v) { return gelu_tanh(v); });
  } else if (epilogue == Epilogue::gelu_erf) {
    then([](F32 v) { return gelu_erf(v); });
  } else {
    then([](F32 v) { return v; });
  }
}

/// Scales, bias and epilogue for a tile of exact sums, int32 [rows, Vectors * width].
template <std::size_t Vectors>
[[gnu::noinline]] static void finish_i8(const MatmulI8& a, const std::int32_t* sums,
                                        std::size_t row, std::size_t rows, std::size_t col,
                                        std::size_t cols) noexcept {
  if (cols < Vectors * F32::width) {
    put_narrow(a.out, a.epilogue, row, rows, col, cols, [&](std::size_t r) {
      return [&, r](std::size_t c) {
        const std::size_t at = c * F32::width;
        const std::size_t count = cols - at < F32::width ? cols - at : F32::width;
        const F32 total = I32::load(sums + r * Vectors * F32::width + at).as_float();
        const F32 bias = a.bias != nullptr ? load_lanes(a.bias + col + at, count) : F32::set(0.0f);
        const F32 w_scale = load_lanes(a.w_scale + col + at, count);
        return fma(total, F32::set(a.x_scale[row + r]) * w_scale, bias);
      };
    });
    return;
  }
  F32 w_scale[Vectors];
  F32 bias[Vectors];
#pragma GCC unroll 4
  for (std::size_t c = 0; c < Vectors; ++c) {
    w_scale[c] = F32::load(a.w_scale + col + c * F32::width);
    bias[c] = a.bias != nullptr ? F32::load(a.bias + col + c * F32::width) : F32::set(0.0f);
  }
  const float* x_scale = a.x_scale + row;
  put_block<Vectors>(a.out, a.epilogue, row, rows, col,
                     [&, x_scale, sums](std::size_t r, F32(&v)[Vectors]) {
                       const F32 scale = F32::set(x_scale[r]);
                       load_sums(sums + r * Vectors * F32::width, v);
#pragma GCC unroll 4
                       for (std::size_t c = 0; c < Vectors; ++c)
                         v[c] = fma(v[c], scale * w_scale[c], bias[c]);
                     });
}

/// Bias and epilogue for a tile of float32 sums, [rows, Vectors * width].
template <std::size_t Vectors>
[[gnu::noinline]] static void finish_f32(const MatmulF32& a, const float* sums, std::size_t row,
                                         std::size_t rows, std::size_t col,
                                         std::size_t cols) noexcept {
  if (cols < Vectors * F32::width) {
    put_narrow(a.out, a.epilogue, row, rows, col, cols, [&](std::size_t r) {
      return [&, r](std::size_t c) {
        const std::size_t at = c * F32::width;
        const std::size_t count = cols - at < F32::width ? cols - at : F32::width;
        const F32 bias = a.bias != nullptr ? load_lanes(a.bias + col + at, count) : F32::set(0.0f);
        return F32::load(sums + r * Vectors * F32::width + at) + bias;
      };
    });
    return;
  }
  F32 bias[Vectors];
#pragma GCC unroll 4
  for (std::size_t c = 0; c < Vectors; ++c) {
    bias[c] = a.bias != nullptr ? F32::load(a.bias + col + c * F32::width) : F32::set(0.0f);
  }
  put_block<Vectors>(a.out, a.epilogue, row, rows, col, [&, sums](std::size_t r, F32(&v)[Vectors]) {
    load_row(sums + r * Vectors * F32::width, v);
#pragma GCC unroll 4
    for (std::size_t c = 0; c < Vectors; ++c) v[c] = v[c] + bias[c];
  });
}
