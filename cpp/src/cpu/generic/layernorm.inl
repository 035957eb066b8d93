/// y = (x - mean) * inverse, then the gain and the offset that there are.
template <bool Gain, bool Offset>
static void normalise_row(const LayerNorm& a, const float* x, float* y, F32 mean,
                          F32 inverse) noexcept {
  const F32 base = F32::set(a.gain_base);
  const float* gain = a.gain;
  const float* offset = a.offset;
  const auto one = [=](F32 v, F32 g, F32 o) {
    v = (v - mean) * inverse;
    if constexpr (Gain && Offset) return fma(v, base + g, o);
    if constexpr (Gain) return v * (base + g);
    if constexpr (Offset) return v + o;
    return v;
  };
  constexpr std::size_t kFour = 4 * F32::width;
  const float* const end = x + a.width;
  for (std::size_t fours = a.width / kFour; fours != 0; --fours) {
    F32 v[4], g[4], o[4];
    load_four(x, v);
    if constexpr (Gain) load_four(gain, g);
    if constexpr (Offset) load_four(offset, o);
#pragma GCC unroll 4
    for (std::size_t p = 0; p < 4; ++p) {
      one(v[p], Gain ? g[p] : mean, Offset ? o[p] : mean).store(y + p * F32::width);
    }
    x += kFour;
    y += kFour;
    if constexpr (Gain) gain += kFour;
    if constexpr (Offset) offset += kFour;
  }
  for (std::size_t i = 0; x + i < end; i += F32::width) {
    const auto left = static_cast<std::size_t>(end - x) - i;
    const std::size_t count = left < F32::width ? left : F32::width;
    const F32 g = Gain ? load_lanes(gain + i, count) : mean;
    const F32 o = Offset ? load_lanes(offset + i, count) : mean;
    store_lanes(one(load_lanes(x + i, count), g, o), y + i, count);
  }
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
  for (std::size_t r = 0; r < a.rows; ++r) {
    const float* x = a.x + r * a.width;
    float* y = a.y + r * a.width;
    if constexpr (kRowRegisters > 0) {
      if (a.width == kRowRegisters * F32::width) {
        normalise_held_row<kRowRegisters>(a, x, y);
        continue;
      }
    }
    const F32 mean = F32::set(sum_of(x, a.width, [](F32 total, F32 v) { return total + v; }) * per);
    const float variance = per * sum_of(x, a.width, [mean](F32 total, F32 v) {
                             return fma(v - mean, v - mean, total);
                           });
    const F32 inverse = F32::set(1.0f / __builtin_sqrtf(variance + a.eps));
    if (a.gain != nullptr && a.offset != nullptr) {
      normalise_row<true, true>(a, x, y, mean, inverse);
    } else if (a.gain != nullptr) {
      normalise_row<true, false>(a, x, y, mean, inverse);
    } else if (a.offset != nullptr) {
      normalise_row<false, true>(a, x, y, mean, inverse);
    } else {
      normalise_row<false, false>(a, x, y, mean, inverse);
    }
  }
}
