// F32 for AVX-512 (F, BW, DQ, VL): sixteen lanes. Included inside the kernel file's namespace;
// needs <immintrin.h>.

struct F32 {
  static constexpr std::size_t width = 16;
  __m512 v;

  static F32 set(float x) noexcept { return {_mm512_set1_ps(x)}; }
  static F32 load(const float* p) noexcept { return {_mm512_loadu_ps(p)}; }
  void store(float* p) const noexcept { _mm512_storeu_ps(p, v); }

  /// The first n lanes, n <= width.
  static __mmask16 lanes(std::size_t n) noexcept { return static_cast<__mmask16>((1u << n) - 1u); }
  /// The first n lanes from p, zero in the others; touches no other byte.
  static F32 load(const float* p, std::size_t n) noexcept {
    return {_mm512_maskz_loadu_ps(lanes(n), p)};
  }
  void store(float* p, std::size_t n) const noexcept { _mm512_mask_storeu_ps(p, lanes(n), v); }
};

static F32 operator+(F32 a, F32 b) noexcept { return {_mm512_add_ps(a.v, b.v)}; }
static F32 operator-(F32 a, F32 b) noexcept { return {_mm512_sub_ps(a.v, b.v)}; }
static F32 operator*(F32 a, F32 b) noexcept { return {_mm512_mul_ps(a.v, b.v)}; }
static F32 operator/(F32 a, F32 b) noexcept { return {_mm512_div_ps(a.v, b.v)}; }
static F32 fma(F32 a, F32 b, F32 c) noexcept { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
// min and max keep a NaN that stands in b.
static F32 min(F32 a, F32 b) noexcept { return {_mm512_min_ps(a.v, b.v)}; }
static F32 max(F32 a, F32 b) noexcept { return {_mm512_max_ps(a.v, b.v)}; }
static F32 abs(F32 a) noexcept { return {_mm512_abs_ps(a.v)}; }

/// The nearest whole number, halves to even.
static F32 nearest(F32 a) noexcept {
  return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}

/// a 2^n for whole n in [-126, 127].
static F32 times_power_of_two(F32 a, F32 n) noexcept { return {_mm512_scalef_ps(a.v, n.v)}; }

/// Lanes below n from a, the others from b.
static F32 first(std::size_t n, F32 a, F32 b) noexcept {
  return {_mm512_mask_blend_ps(F32::lanes(n), b.v, a.v)};
}

static float sum(F32 a) noexcept { return _mm512_reduce_add_ps(a.v); }
static float largest(F32 a) noexcept { return _mm512_reduce_max_ps(a.v); }

/// The larger magnitude of top >= 0 and v, lane by lane; a NaN is larger than all, since the bits
/// of a positive float are ordered like it.
static F32 larger_magnitude(F32 top, F32 v) noexcept {
  const __m512i a = _mm512_castps_si512(abs(v).v);
  return {_mm512_castsi512_ps(_mm512_max_epu32(_mm512_castps_si512(top.v), a))};
}
static float largest_magnitude_of(F32 a) noexcept {
  const std::uint32_t bits = _mm512_reduce_max_epu32(_mm512_castps_si512(a.v));
  float most;
  __builtin_memcpy(&most, &bits, sizeof most);
  return most;
}

// matmul_f32 holds kBlockRows x kBlockVectors accumulators: 24 of the 32 registers.
constexpr std::size_t kBlockRows = 12;
constexpr std::size_t kBlockVectors = 2;

/// Registers that layernorm holds a row of just that size in; 0 for never.
constexpr std::size_t kRowRegisters = 16;
