// Quantizes rows for every Arm set, sixteen activations at a time.

/// Quantized activations from one row to the next.
static std::size_t activation_stride(std::size_t depth) noexcept {
  return (depth + kActivationPad - 1) / kActivationPad * kActivationPad;
}

/// The largest magnitude of a row; NaN where one stands in it, since fmax keeps it.
static float largest_magnitude(const float* x, std::size_t n) noexcept {
  F32 top[4] = {F32::set(0.0f), F32::set(0.0f), F32::set(0.0f), F32::set(0.0f)};
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < 4; ++p) top[p] = max(top[p], abs(F32::load(x + i + 4 * p)));
  }
  for (; i < n; i += F32::width) {
    top[0] = max(top[0], abs(load_lanes(x + i, n - i < F32::width ? n - i : F32::width)));
  }
  return largest(max(max(top[0], top[1]), max(top[2], top[3])));
}

/// The nearest whole numbers, halves to even, in the low half of each lane of the result.
static int16x8_t whole(F32 low, F32 high) noexcept {
  const int16x8_t a = vreinterpretq_s16_s32(vcvtnq_s32_f32(low.v));
  const int16x8_t b = vreinterpretq_s16_s32(vcvtnq_s32_f32(high.v));
  return vuzp1q_s16(a, b);
}

static void quantize_rows(const QuantizeRows& a) noexcept {
  const std::size_t stride = activation_stride(a.depth);
  for (std::size_t r = 0; r < a.rows; ++r) {
    const float* x = a.x + r * a.depth;
    std::int8_t* q = static_cast<std::int8_t*>(a.q) + r * stride;
    // Below 1e-30 the inverse leaves the range of float32; such a row is zero for every purpose.
    const float most = largest_magnitude(x, a.depth);
    const bool silent = most < 1e-30f;
    a.scale[r] = (silent ? 0.0f : most / 127.0f) + (most - most);  // NaN also of an infinity
    const F32 inverse = F32::set(silent ? 0.0f : 127.0f / most);
    for (std::size_t k = 0; k < stride; k += 16) {
      F32 v[4];
#pragma GCC unroll 4
      for (std::size_t p = 0; p < 4; ++p) {
        const std::size_t at = k + 4 * p;
        const std::size_t left = a.depth > at ? a.depth - at : 0;  // the padding becomes zeros
        v[p] = load_lanes(x + at, left < F32::width ? left : F32::width) * inverse;
      }
      const int8x16_t low = vreinterpretq_s8_s16(whole(v[0], v[1]));
      vst1q_s8(q + k, vuzp1q_s8(low, vreinterpretq_s8_s16(whole(v[2], v[3]))));
    }
  }
}
