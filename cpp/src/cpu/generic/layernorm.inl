/// y[i] = affine((x[i] - mean) * inverse, i, count) for every register of a row.
template <typename Affine>
[[gnu::always_inline]] static inline void normalise_row(const LayerNorm& a, const float* x,
                                                        float* y, F32 mean, F32 inverse,
                                                        Affine affine) noexcept {
  for_registers(a.width, [&](std::size_t i, std::size_t count) {
    store_lanes(affine((load_lanes(x + i, count) - mean) * inverse, i, count), y + i, count);
  });
}

/// The row that a set's registers hold from the first pass to the last: half the time.
/// Cost: one load and one store a value. Squares are fused into their sum.
template <std::size_t Registers>
static void normalise_held_row(const LayerNorm& a, const float* x, float* y) noexcept {
  constexpr float kPer = 1.0f / static_cast<float>(Registers * F32::width);
  const auto average = [](const F32(&part)[4]) {
    return sum((part[0] + part[1]) + (part[2] + part[3])) * kPer;
  };
  const F32 zero = F32::set(0.0f);
  F32 row[Registers];
  F32 part[4] = {zero, zero, zero, zero};
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Registers; ++i) {
    row[i] = F32::load(x + i * F32::width);
    part[i % 4] = part[i % 4] + row[i];
  }
  const F32 mean = F32::set(average(part));
  F32 square[4] = {zero, zero, zero, zero};
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Registers; ++i) {
    row[i] = row[i] - mean;
    square[i % 4] = fma(row[i], row[i], square[i % 4]);
  }
  const F32 inverse = F32::set(1.0f / __builtin_sqrtf(average(square) + a.eps));
  const F32 base = F32::set(a.gain_base);
#pragma GCC unroll 16
  for (std::size_t i = 0; i < Registers; ++i) {
    F32 v = row[i] * inverse;
    if (a.gain != nullptr) v = v * (base + F32::load(a.gain + i * F32::width));
    if (a.offset != nullptr) v = v + F32::load(a.offset + i * F32::width);
    v.store(y + i * F32::width);
  }
}

/// The variance is taken around the mean in a second pass: E[x^2] - mean^2 would cancel.
static void layernorm_f32(const LayerNorm& a) noexcept {
  const float per = 1.0f / static_cast<float>(a.width);
  const F32 base = F32::set(a.gain_base);
  for (std::size_t r = 0; r < a.rows; ++r) {
    const float* x = a.x + r * a.width;
    float* y = a.y + r * a.width;
    if constexpr (kRowRegisters > 0) {
      if (a.width == kRowRegisters * F32::width) {
        normalise_held_row<kRowRegisters>(a, x, y);
        continue;
      }
    }
    const F32 mean = F32::set(sum_of(x, a.width, [](F32 v) { return v; }) * per);
    const auto square = [mean](F32 v) { return (v - mean) * (v - mean); };
    const float variance = sum_of(x, a.width, square) * per;
    const F32 inverse = F32::set(1.0f / __builtin_sqrtf(variance + a.eps));
    if (a.gain == nullptr && a.offset == nullptr) {
      normalise_row(a, x, y, mean, inverse, [](F32 v, std::size_t, std::size_t) { return v; });
    } else if (a.gain != nullptr && a.offset != nullptr) {
      normalise_row(
          a, x, y, mean, inverse,
          [base, gain = a.gain, offset = a.offset](F32 v, std::size_t i, std::size_t count) {
            return fma(v, base + load_lanes(gain + i, count), load_lanes(offset + i, count));
          });
    } else {
      normalise_row(a, x, y, mean, inverse, [&](F32 v, std::size_t i, std::size_t count) {
        if (a.gain != nullptr) return v * (base + load_lanes(a.gain + i, count));
        return v + load_lanes(a.offset + i, count);
      });
    }
  }
}
