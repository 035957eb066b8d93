// Exact int8 products for AVX-512 with VNNI: vpdpbusd multiplies four unsigned by four signed bytes
// and adds all four products to an int32 lane, without saturation. Activations are the unsigned
// side, stored plus 128; each panel of weights begins with what takes that off again.

constexpr std::size_t kI8Rows = 12;
constexpr std::size_t kI8Vectors = 2;
constexpr std::size_t kI8Depth = 4;
constexpr bool kI8Shifted = true;

using Activation = std::uint8_t;

/// Sixteen whole numbers in [-127, 127] to p, plus 128.
static void store_activations(F32 a, Activation* p) noexcept {
  const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(a.v));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_xor_si128(bytes, _mm_set1_epi8(-128)));
}

constexpr std::size_t kRun = 4;  ///< Registers that store_run takes at a time.

/// The same for four registers. Packing works inside quarters of a register, so each quarter ends
/// up with its share of all four, in dwords: dword 4 q + i is of register i.
static void store_run(const F32 (&v)[kRun], Activation* p) noexcept {
  const __m512i low = _mm512_packs_epi32(_mm512_cvtps_epi32(v[0].v), _mm512_cvtps_epi32(v[1].v));
  const __m512i high = _mm512_packs_epi32(_mm512_cvtps_epi32(v[2].v), _mm512_cvtps_epi32(v[3].v));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(low, high));
  _mm512_storeu_si512(p, _mm512_xor_si512(bytes, _mm512_set1_epi8(-128)));
}

struct I32 {
  __m512i v;

  static I32 zero() noexcept { return {_mm512_setzero_si512()}; }
  static I32 load(const std::int32_t* p) noexcept { return {_mm512_loadu_si512(p)}; }
  static I32 load_bytes(const std::int8_t* p) noexcept { return {_mm512_loadu_si512(p)}; }
  void store(std::int32_t* p) const noexcept { _mm512_storeu_si512(p, v); }
  /// Sixteen columns of four depths.
  static I32 weights(const std::int8_t* w) noexcept { return load_bytes(w); }
  /// Four depths of an input, in every lane.
  static I32 spread(const Activation* x) noexcept {
    int four;
    __builtin_memcpy(&four, x, sizeof four);
    return {_mm512_set1_epi32(four)};
  }
  [[nodiscard]] F32 as_float() const noexcept { return {_mm512_cvtepi32_ps(v)}; }
};

/// total += input . weight, lane by lane. Not the intrinsic: GCC 12 copies each of its accumulators
/// twice a round, and there are no registers left for the copies.
static void add_dot(I32& total, I32 input, I32 weight) noexcept {
  asm("vpdpbusd %2, %1, %0" : "+v"(total.v) : "v"(input.v), "v"(weight.v));
}
/// Keeps the compiler from knowing what is in the register.
static void hide(I32& a) noexcept { asm volatile("" : "+v"(a.v)); }
static std::int32_t any_lane(I32 a) noexcept {
  return _mm_cvtsi128_si32(_mm512_castsi512_si128(a.v));
}
