// F32 for armv8-a: four lanes. Included inside the kernel file's namespace; needs <arm_neon.h>.

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

  static void load_four(const float* p, F32 (&four)[4]) noexcept {
    const float32x4x4_t all = vld1q_f32_x4(p);
    for (std::size_t i = 0; i < 4; ++i) four[i] = {all.val[i]};
  }
  static void store_four(const F32 (&four)[4], float* p) noexcept {
    const float32x4x4_t all = {{four[0].v, four[1].v, four[2].v, four[3].v}};
    vst1q_f32_x4(p, all);  // a macro to some compilers, which takes no braces
  }
};

static F32 operator+(F32 a, F32 b) noexcept { return {vaddq_f32(a.v, b.v)}; }
static F32 operator-(F32 a, F32 b) noexcept { return {vsubq_f32(a.v, b.v)}; }
static F32 operator*(F32 a, F32 b) noexcept { return {vmulq_f32(a.v, b.v)}; }
static F32 operator/(F32 a, F32 b) noexcept { return {vdivq_f32(a.v, b.v)}; }
static F32 fma(F32 a, F32 b, F32 c) noexcept { return {vfmaq_f32(c.v, a.v, b.v)}; }
// min and max keep a NaN of either side.
static F32 min(F32 a, F32 b) noexcept { return {vminq_f32(a.v, b.v)}; }
static F32 max(F32 a, F32 b) noexcept { return {vmaxq_f32(a.v, b.v)}; }
static F32 abs(F32 a) noexcept { return {vabsq_f32(a.v)}; }

/// The nearest whole number, halves to even.
static F32 nearest(F32 a) noexcept { return {vrndnq_f32(a.v)}; }

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

static float sum(F32 a) noexcept { return vaddvq_f32(a.v); }
static float largest(F32 a) noexcept { return vmaxvq_f32(a.v); }

// matmul_f32 holds kBlockRows x kBlockVectors accumulators: 20 of the 32 registers.
constexpr std::size_t kBlockRows = 10;
constexpr std::size_t kBlockVectors = 2;

/// Registers that layernorm holds a row of just that size in; 0 for never.
constexpr std::size_t kRowRegisters = 0;
