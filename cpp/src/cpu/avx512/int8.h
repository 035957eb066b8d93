// Exact int8 products for AVX-512 without VNNI. Weights are int8 in memory (half the traffic) and
// widened to int16 as they are read; vpmaddwd multiplies a pair of depths and adds both products.

constexpr std::size_t kI8Rows = 12;
constexpr std::size_t kI8Vectors = 2;
constexpr std::size_t kI8Depth = 2;
constexpr bool kI8Shifted = false;

using Activation = std::int16_t;

/// Sixteen whole numbers in [-127, 127] to p.
static void store_activations(F32 a, Activation* p) noexcept {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(a.v)));
}

constexpr std::size_t kRun = 1;  ///< Registers that store_run takes at a time.
static void store_run(const F32 (&v)[kRun], Activation* p) noexcept { store_activations(v[0], p); }

struct I32 {
  __m512i v;

  static I32 zero() noexcept { return {_mm512_setzero_si512()}; }
  static I32 load(const std::int32_t* p) noexcept { return {_mm512_loadu_si512(p)}; }
  static I32 load_bytes(const std::int8_t* p) noexcept { return {_mm512_loadu_si512(p)}; }
  void store(std::int32_t* p) const noexcept { _mm512_storeu_si512(p, v); }
  /// Sixteen columns of one pair of depths, as int16.
  static I32 weights(const std::int8_t* w) noexcept {
    return {_mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)))};
  }
  /// One pair of depths of an input, in every lane.
  static I32 spread(const Activation* x) noexcept {
    int pair;
    __builtin_memcpy(&pair, x, sizeof pair);
    return {_mm512_set1_epi32(pair)};
  }
  [[nodiscard]] F32 as_float() const noexcept { return {_mm512_cvtepi32_ps(v)}; }
};

/// total += input . weight, lane by lane.
static void add_dot(I32& total, I32 input, I32 weight) noexcept {
  total.v = _mm512_add_epi32(total.v, _mm512_madd_epi16(input.v, weight.v));
}
/// Keeps the compiler from knowing what is in the register.
static void hide(I32& a) noexcept { asm volatile("" : "+v"(a.v)); }
static std::int32_t any_lane(I32 a) noexcept {
  return _mm_cvtsi128_si32(_mm512_castsi512_si128(a.v));
}
