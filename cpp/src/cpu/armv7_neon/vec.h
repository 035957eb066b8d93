// F32 for 32-bit Arm with NEON and its fused multiply-add: four lanes. Included inside the kernel
// file's namespace; needs <arm_neon.h>. This NEON takes numbers below 1e-38 for zero.

struct F32 {
  static constexpr std::size_t width = 4;
  float32x4_t v;

  static F32 set(float x) noexcept { return {vdupq_n_f32(x)}; }
  static F32 load(const float* p) noexcept { return {vld1q_f32(p)}; }
  void store(float* p) const noexcept { vst1q_f32(p, v); }

  /// The first n lanes from p, zero in the others; touches no other byte.
  static F32 load(const float* p, std::size_t n) noexcept {
    if (n == width) return load(p);
    float32x4_t lanes = vdupq_n_f32(0.0f);
    if (n > 0) lanes = vld1q_lane_f32(p, lanes, 0);
    if (n > 1) lanes = vld1q_lane_f32(p + 1, lanes, 1);
    if (n > 2) lanes = vld1q_lane_f32(p + 2, lanes, 2);
    return {lanes};
  }
  void store(float* p, std::size_t n) const noexcept {
    if (n == width) return store(p);
    if (n > 0) vst1q_lane_f32(p, v, 0);
    if (n > 1) vst1q_lane_f32(p + 1, v, 1);
    if (n > 2) vst1q_lane_f32(p + 2, v, 2);
  }
};

static F32 operator+(F32 a, F32 b) noexcept { return {vaddq_f32(a.v, b.v)}; }
static F32 operator-(F32 a, F32 b) noexcept { return {vsubq_f32(a.v, b.v)}; }
static F32 operator*(F32 a, F32 b) noexcept { return {vmulq_f32(a.v, b.v)}; }
/// Lane by lane: there is an estimate for registers, and no quotient.
static F32 operator/(F32 a, F32 b) noexcept { return {a.v / b.v}; }
static F32 fma(F32 a, F32 b, F32 c) noexcept { return {vfmaq_f32(c.v, a.v, b.v)}; }
// min and max keep a NaN of either side.
static F32 min(F32 a, F32 b) noexcept { return {vminq_f32(a.v, b.v)}; }
static F32 max(F32 a, F32 b) noexcept { return {vmaxq_f32(a.v, b.v)}; }
static F32 abs(F32 a) noexcept { return {vabsq_f32(a.v)}; }

// 1.5 * 2^23: above it a float has no fraction, so an addition rounds to whole, halves to even,
// and the low bits of the sum are the number.
constexpr float kWhole = 12582912.0f;

/// Whole numbers, halves to even, for |a| < 2^22.
static int32x4_t whole_lanes(F32 a) noexcept {
  const float32x4_t shifted = vaddq_f32(a.v, vdupq_n_f32(kWhole));
  return vsubq_s32(vreinterpretq_s32_f32(shifted), vdupq_n_s32(0x4B400000));
}

/// The nearest whole number, halves to even, for |a| < 2^22.
static F32 nearest(F32 a) noexcept {
  const float32x4_t shift = vdupq_n_f32(kWhole);
  return {vsubq_f32(vaddq_f32(a.v, shift), shift)};
}

/// a 2^n for whole n in [-126, 127] and a in [1/2, 2], by its exponent alone.
static F32 times_power_of_two(F32 a, F32 n) noexcept {
  return {vreinterpretq_f32_s32(
      vaddq_s32(vreinterpretq_s32_f32(a.v), vshlq_n_s32(vcvtq_s32_f32(n.v), 23)))};
}

/// Lanes below n from a, the others from b.
static F32 first(std::size_t n, F32 a, F32 b) noexcept {
  const std::uint32_t index[4] = {0, 1, 2, 3};
  const uint32x4_t below = vcltq_u32(vld1q_u32(index), vdupq_n_u32(static_cast<std::uint32_t>(n)));
  return {vbslq_f32(below, a.v, b.v)};
}

static float sum(F32 a) noexcept {
  const float32x2_t two = vpadd_f32(vget_low_f32(a.v), vget_high_f32(a.v));
  return vget_lane_f32(vpadd_f32(two, two), 0);
}
static float largest(F32 a) noexcept {
  const float32x2_t two = vpmax_f32(vget_low_f32(a.v), vget_high_f32(a.v));
  return vget_lane_f32(vpmax_f32(two, two), 0);
}

/// The larger magnitude of top >= 0 and v, lane by lane; a NaN is larger than all, since the bits
/// of a positive float are ordered like it.
static F32 larger_magnitude(F32 top, F32 v) noexcept {
  return {vreinterpretq_f32_s32(
      vmaxq_s32(vreinterpretq_s32_f32(top.v), vreinterpretq_s32_f32(abs(v).v)))};
}
static float largest_magnitude_of(F32 a) noexcept {
  const int32x4_t lanes = vreinterpretq_s32_f32(a.v);
  const int32x2_t two = vpmax_s32(vget_low_s32(lanes), vget_high_s32(lanes));
  return vget_lane_f32(vreinterpret_f32_s32(vpmax_s32(two, two)), 0);
}

// matmul_f32 holds kBlockRows x kBlockVectors accumulators: 8 of the 16 registers.
constexpr std::size_t kBlockRows = 4;
constexpr std::size_t kBlockVectors = 2;

/// Registers that layernorm holds a row of just that size in; 0 for never.
constexpr std::size_t kRowRegisters = 0;
