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

/// Sixteen numbers to the nearest whole ones, halves to even.
static int8x16_t whole(const F32 (&v)[4]) noexcept {
  int16x8_t half[4];  // an int32 in [-127, 127] is the int16 of its even half, and so on
#pragma GCC unroll 4
  for (std::size_t p = 0; p < 4; ++p) half[p] = vreinterpretq_s16_s32(vcvtnq_s32_f32(v[p].v));
  return vuzp1q_s8(vreinterpretq_s8_s16(vuzp1q_s16(half[0], half[1])),
                   vreinterpretq_s8_s16(vuzp1q_s16(half[2], half[3])));
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
    F32 v[4];
    std::size_t k = 0;
    for (; k + 16 <= a.depth; k += 16) {
#pragma GCC unroll 4
      for (std::size_t p = 0; p < 4; ++p) v[p] = F32::load(x + k + p * F32::width) * inverse;
      vst1q_s8(q + k, whole(v));
    }
    if (k == stride) continue;
#pragma GCC unroll 4
    for (std::size_t p = 0; p < 4; ++p) {  // the padding becomes zeros
      const std::size_t at = k + p * F32::width;
      const std::size_t left = a.depth > at ? a.depth - at : 0;
      v[p] = load_lanes(x + at, left < F32::width ? left : F32::width) * inverse;
    }
    vst1q_s8(q + k, whole(v));
  }
}
