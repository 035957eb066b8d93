// Quantizes rows for every Arm set, sixteen activations at a time.

/// Quantized activations from one row to the next.
static std::size_t activation_stride(std::size_t depth) noexcept {
  return (depth + kActivationPad - 1) / kActivationPad * kActivationPad;
}

/// The largest magnitude of a row; NaN where one stands in it, since fmax keeps it.
static float largest_magnitude(const float* x, std::size_t n) noexcept {
  F32 top[4] = {F32::set(0.0f), F32::set(0.0f), F32::set(0.0f), F32::set(0.0f)};
  const float* const whole_end = x + n / 16 * 16;
  const float* const end = x + n;
  for (; x != whole_end; x += 16) {
    const float32x4x4_t v = vld1q_f32_x4(x);
#pragma GCC unroll 4
    for (std::size_t p = 0; p < 4; ++p) top[p] = max(top[p], abs(F32{v.val[p]}));
  }
  for (; x < end; x += F32::width) {
    const auto left = static_cast<std::size_t>(end - x);
    top[0] = max(top[0], abs(load_lanes(x, left < F32::width ? left : F32::width)));
  }
  return largest(max(max(top[0], top[1]), max(top[2], top[3])));
}

/// Sixteen numbers times `by`, to the nearest whole ones, halves to even.
static int8x16_t whole(const float32x4x4_t& v, F32 by) noexcept {
  int16x8_t half[4];  // an int32 in [-127, 127] is the int16 of its even half, and so on
#pragma GCC unroll 4
  for (std::size_t p = 0; p < 4; ++p) {
    half[p] = vreinterpretq_s16_s32(vcvtnq_s32_f32(vmulq_f32(v.val[p], by.v)));
  }
  return vuzp1q_s8(vreinterpretq_s8_s16(vuzp1q_s16(half[0], half[1])),
                   vreinterpretq_s8_s16(vuzp1q_s16(half[2], half[3])));
}

static void quantize_row(const float* x, std::size_t depth, F32 by, std::int8_t* q) noexcept {
  const float* const end = x + depth / 16 * 16;
  for (; x != end; x += 16, q += 16) vst1q_s8(q, whole(vld1q_f32_x4(x), by));
  if (depth % 16 == 0) return;
  float32x4x4_t rest;  // the padding becomes zeros
#pragma GCC unroll 4
  for (std::size_t p = 0; p < 4; ++p) {
    const std::size_t left = depth % 16 > p * F32::width ? depth % 16 - p * F32::width : 0;
    rest.val[p] = load_lanes(x + p * F32::width, left < F32::width ? left : F32::width).v;
  }
  vst1q_s8(q, whole(rest, by));
}

static void quantize_rows(const QuantizeRows& a) noexcept {
  const std::size_t stride = activation_stride(a.depth);
  for (std::size_t r = 0; r < a.rows; ++r) {
    const float* x = a.x + r * a.depth;
    // Below 1e-30 the inverse leaves the range of float32; such a row is zero for every purpose.
    const float most = largest_magnitude(x, a.depth);
    const bool silent = most < 1e-30f;
    a.scale[r] = (silent ? 0.0f : most / 127.0f) + (most - most);  // NaN also of an infinity
    quantize_row(x, a.depth, F32::set(silent ? 0.0f : 127.0f / most),
                 static_cast<std::int8_t*>(a.q) + r * stride);
  }
}
