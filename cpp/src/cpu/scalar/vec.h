// F32 in plain C++: one lane. Included inside the kernel file's namespace.

struct F32 {
  static constexpr std::size_t width = 1;
  float v;

  static F32 set(float x) noexcept { return {x}; }
  static F32 load(const float* p) noexcept { return {*p}; }
  void store(float* p) const noexcept { *p = v; }
  static F32 load(const float* p, std::size_t n) noexcept { return {n == 0 ? 0.0f : *p}; }
  void store(float* p, std::size_t n) const noexcept {
    if (n != 0) *p = v;
  }
};

static F32 operator+(F32 a, F32 b) noexcept { return {a.v + b.v}; }
static F32 operator-(F32 a, F32 b) noexcept { return {a.v - b.v}; }
static F32 operator*(F32 a, F32 b) noexcept { return {a.v * b.v}; }
static F32 operator/(F32 a, F32 b) noexcept { return {a.v / b.v}; }
/// Rounds twice: without the instruction a true fused multiply-add is a slow library call.
static F32 fma(F32 a, F32 b, F32 c) noexcept { return {a.v * b.v + c.v}; }
// min and max keep a NaN that stands in b.
static F32 min(F32 a, F32 b) noexcept { return {a.v < b.v ? a.v : b.v}; }
static F32 max(F32 a, F32 b) noexcept { return {a.v > b.v ? a.v : b.v}; }
static F32 abs(F32 a) noexcept { return {__builtin_fabsf(a.v)}; }

// 1.5 * 2^23: above it a float has no fraction, so an addition rounds to whole, halves to even,
// and the low bits of the sum are the number.
constexpr float kWhole = 12582912.0f;

static std::uint32_t whole_bits(F32 a) noexcept {
  const float shifted = a.v + kWhole;
  std::uint32_t bits;
  __builtin_memcpy(&bits, &shifted, sizeof bits);
  return bits - 0x4B400000u;
}

/// The nearest whole number, halves to even, for |a| < 2^22.
static F32 nearest(F32 a) noexcept { return {(a.v + kWhole) - kWhole}; }

/// 2^n for whole n in [-126, 127].
static F32 power_of_two(F32 n) noexcept {
  const std::uint32_t bits = (whole_bits(n) + 127u) << 23;
  float power;
  __builtin_memcpy(&power, &bits, sizeof power);
  return {power};
}

/// a 2^n for whole n in [-126, 127].
static F32 times_power_of_two(F32 a, F32 n) noexcept { return a * power_of_two(n); }

/// Lanes below n from a, the others from b.
static F32 first(std::size_t n, F32 a, F32 b) noexcept { return n == 0 ? b : a; }

static float sum(F32 a) noexcept { return a.v; }
static float largest(F32 a) noexcept { return a.v; }

/// The larger magnitude of top >= 0 and v; a NaN is larger than all.
static F32 larger_magnitude(F32 top, F32 v) noexcept {
  const float magnitude = __builtin_fabsf(v.v);
  return {magnitude > top.v || magnitude != magnitude ? magnitude : top.v};
}
static float largest_magnitude_of(F32 a) noexcept { return a.v; }

constexpr std::size_t kBlockRows = 4;
constexpr std::size_t kBlockVectors = 4;

/// Registers that layernorm holds a row of just that size in; 0 for never.
constexpr std::size_t kRowRegisters = 0;
