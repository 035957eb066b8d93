// Exact int8 products for AVX2 with VNNI, as small x86 gateways have it: vpdpbusd multiplies four
// unsigned by four signed bytes and adds all four products to an int32 lane, without saturation.
// Activations are the unsigned side, stored plus 128; each panel of weights begins with what takes
// that off again.

constexpr std::size_t kI8Rows = 6;
constexpr std::size_t kI8Vectors = 2;
constexpr std::size_t kI8Depth = 4;
constexpr bool kI8Shifted = true;

using Activation = std::uint8_t;

/// Eight whole numbers in [-127, 127] to p, plus 128.
static void store_activations(F32 a, Activation* p) noexcept {
  const __m256i whole = _mm256_cvtps_epi32(a.v);
  const __m128i words =
      _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
  const __m128i bytes = _mm_packs_epi16(words, words);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_xor_si128(bytes, _mm_set1_epi8(-128)));
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
  /// Eight columns of four depths.
  static I32 weights(const std::int8_t* w) noexcept { return load_bytes(w); }
  /// Four depths of an input, in every lane.
  static I32 spread(const Activation* x) noexcept {
    int four;
    __builtin_memcpy(&four, x, sizeof four);
    return {_mm256_set1_epi32(four)};
  }
  [[nodiscard]] F32 as_float() const noexcept { return {_mm256_cvtepi32_ps(v)}; }
};

/// total += input . weight, lane by lane. Not the intrinsic: GCC 12 copies each of its accumulators
/// twice a round, and there are no registers left for the copies.
static void add_dot(I32& total, I32 input, I32 weight) noexcept {
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(total.v) : "x"(input.v), "x"(weight.v));
}
/// Keeps the compiler from knowing what is in the register.
static void hide(I32& a) noexcept { asm volatile("" : "+x"(a.v)); }
static std::int32_t any_lane(I32 a) noexcept {
  return _mm_cvtsi128_si32(_mm256_castsi256_si128(a.v));
}
