// What the int8 kernels of every Arm set share: activations are int8 in rows, as they were counted.
// Included after vec.h; needs <arm_neon.h>.

constexpr bool kI8Shifted = false;

using Activation = std::int8_t;

struct Pair {
  int8x16_t first, second;
};

/// 32 bytes from p, which moves past them. One instruction: no intrinsic says "load a pair and step
/// on", and compilers do not find it. What is read here is never written while a kernel runs, so
/// the compiler may move it freely.
static Pair next_pair(const std::int8_t*& p) noexcept {
  Pair pair;
  asm("ldp %q0, %q1, [%2], #32" : "=w"(pair.first), "=w"(pair.second), "+r"(p));
  return pair;
}

/// A register of exact sums.
struct I32 {
  int32x4_t v;

  static I32 load(const std::int32_t* p) noexcept { return {vld1q_s32(p)}; }
  [[nodiscard]] F32 as_float() const noexcept { return {vcvtq_f32_s32(v)}; }

  static void load_four(const std::int32_t* p, F32 (&four)[4]) noexcept {
    const int32x4x4_t all = vld1q_s32_x4(p);
    for (std::size_t i = 0; i < 4; ++i) four[i] = {vcvtq_f32_s32(all.val[i])};
  }
};
