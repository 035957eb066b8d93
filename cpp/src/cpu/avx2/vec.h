// F32 for AVX2 with FMA: eight lanes. Included inside the kernel file's namespace; needs
// <immintrin.h>.

struct F32 {
  static constexpr std::size_t width = 8;
  __m256 v;

  static F32 set(float x) noexcept { return {_mm256_set1_ps(x)}; }
  static F32 load(const float* p) noexcept { return {_mm256_loadu_ps(p)}; }
  void store(float* p) const noexcept { _mm256_storeu_ps(p, v); }

  /// All ones in the first n lanes, n <= width.
  static __m256i lanes(std::size_t n) noexcept {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  /// The first n lanes from p, zero in the others; touches no other byte.
  static F32 load(const float* p, std::size_t n) noexcept {
    return {_mm256_maskload_ps(p, lanes(n))};
  }
  void store(float* p, std::size_t n) const noexcept { _mm256_maskstore_ps(p, lanes(n), v); }
};

static F32 operator+(F32 a, F32 b) noexcept { return {_mm256_add_ps(a.v, b.v)}; }
static F32 operator-(F32 a, F32 b) noexcept { return {_mm256_sub_ps(a.v, b.v)}; }
static F32 operator*(F32 a, F32 b) noexcept { return {_mm256_mul_ps(a.v, b.v)}; }
static F32 operator/(F32 a, F32 b) noexcept { return {_mm256_div_ps(a.v, b.v)}; }
static F32 fma(F32 a, F32 b, F32 c) noexcept { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
// min and max keep a NaN that stands in b.
static F32 min(F32 a, F32 b) noexcept { return {_mm256_min_ps(a.v, b.v)}; }
static F32 max(F32 a, F32 b) noexcept { return {_mm256_max_ps(a.v, b.v)}; }
static F32 abs(F32 a) noexcept { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }

/// The nearest whole number, halves to even.
static F32 nearest(F32 a) noexcept {
  return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}

/// 2^n for whole n in [-126, 127].
static F32 power_of_two(F32 n) noexcept {
  const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(biased, 23))};
}

/// a 2^n for whole n in [-126, 127].
static F32 times_power_of_two(F32 a, F32 n) noexcept { return a * power_of_two(n); }

/// Lanes below n from a, the others from b.
static F32 first(std::size_t n, F32 a, F32 b) noexcept {
  return {_mm256_blendv_ps(b.v, a.v, _mm256_castsi256_ps(F32::lanes(n)))};
}

static float sum(F32 a) noexcept {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

static float largest(F32 a) noexcept {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/// The larger magnitude of top >= 0 and v, lane by lane; a NaN is larger than all, since the bits
/// of a positive float are ordered like it.
static F32 larger_magnitude(F32 top, F32 v) noexcept {
  const __m256i a = _mm256_castps_si256(abs(v).v);
  return {_mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(top.v), a))};
}
static float largest_magnitude_of(F32 a) noexcept {
  const __m256i lanes = _mm256_castps_si256(a.v);
  const __m128i four =
      _mm_max_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  const __m128i two = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  const std::int32_t bits = _mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32(two, 0xB1)));
  float most;
  __builtin_memcpy(&most, &bits, sizeof most);
  return most;
}

// matmul_f32 holds kBlockRows x kBlockVectors accumulators: 12 of the 16 registers.
constexpr std::size_t kBlockRows = 6;
constexpr std::size_t kBlockVectors = 2;

/// Registers that layernorm holds a row of just that size in; 0 for never.
constexpr std::size_t kRowRegisters = 0;
