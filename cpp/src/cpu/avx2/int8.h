// Exact int8 products for AVX2. Weights are int8 in memory (half the traffic) and widened to int16
// as they are read; vpmaddwd multiplies a pair of depths and adds both products into one int32
// lane. (vpmaddubsw would take bytes, but saturates.)

constexpr std::size_t kI8Rows = 6;
constexpr std::size_t kI8Vectors = 2;
constexpr std::size_t kI8Depth = 2;
constexpr bool kI8Shifted = false;

using Activation = std::int16_t;

/// Eight whole numbers in [-127, 127] to p.
static void store_activations(F32 a, Activation* p) noexcept {
  const __m256i whole = _mm256_cvtps_epi32(a.v);
  const __m128i narrow =
      _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), narrow);
}

constexpr std::size_t kRun = 1;  ///< Registers that store_run takes at a time.
static void store_run(const F32 (&v)[kRun], Activation* p) noexcept { store_activations(v[0], p); }

struct I32 {
  __m256i v;

  static I32 zero() noexcept { return {_mm256_setzero_si256()}; }
  static I32 load(const std::int32_t* p) noexcept {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
  }
  static I32 load_bytes(const std::int8_t* p) noexcept {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
  }
  void store(std::int32_t* p) const noexcept {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
  }
  /// Eight columns of one pair of depths, as int16.
  static I32 weights(const std::int8_t* w) noexcept {
    return {_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w)))};
  }
  /// One pair of depths of an input, in every lane.
  static I32 spread(const Activation* x) noexcept {
    int pair;
    __builtin_memcpy(&pair, x, sizeof pair);
    return {_mm256_set1_epi32(pair)};
  }
  [[nodiscard]] F32 as_float() const noexcept { return {_mm256_cvtepi32_ps(v)}; }
};

/// total += input . weight, lane by lane. Not the intrinsic: GCC 12 copies each of its accumulators
/// twice a round, and there are no registers left for the copies.
static void add_dot(I32& total, I32 input, I32 weight) noexcept {
  const __m256i products = _mm256_madd_epi16(input.v, weight.v);
  asm("vpaddd %1, %0, %0" : "+x"(total.v) : "x"(products));
}
/// Keeps the compiler from knowing what is in the register.
static void hide(I32& a) noexcept { asm volatile("" : "+x"(a.v)); }
static std::int32_t any_lane(I32 a) noexcept {
  return _mm_cvtsi128_si32(_mm256_castsi256_si128(a.v));
}
