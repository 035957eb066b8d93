// Activations and sums of the 32-bit Arm set. Included after vec.h; needs <arm_neon.h>.

constexpr bool kI8Shifted = false;

using Activation = std::int8_t;

/// Four whole numbers in [-127, 127] to p.
static void store_activations(F32 a, Activation* p) noexcept {
  const int16x4_t half = vmovn_s32(whole_lanes(a));
  const int8x8_t bytes = vmovn_s16(vcombine_s16(half, half));
  const std::int32_t four = vget_lane_s32(vreinterpret_s32_s8(bytes), 0);
  __builtin_memcpy(p, &four, sizeof four);
}

constexpr std::size_t kRun = 1;  ///< Registers that store_run takes at a time.
static void store_run(const F32 (&v)[kRun], Activation* p) noexcept { store_activations(v[0], p); }

/// A register of exact sums.
struct I32 {
  int32x4_t v;

  static I32 load(const std::int32_t* p) noexcept { return {vld1q_s32(p)}; }
  [[nodiscard]] F32 as_float() const noexcept { return {vcvtq_f32_s32(v)}; }
};
