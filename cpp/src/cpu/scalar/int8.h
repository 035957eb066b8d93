// One product at a time: the definition, and what every other set is compared with.

constexpr std::size_t kI8Rows = 1;
constexpr std::size_t kI8Vectors = 1;
constexpr std::size_t kI8Depth = 1;
constexpr bool kI8Shifted = false;

using Activation = std::int8_t;

/// One whole number in [-127, 127] to p.
static void store_activations(F32 a, Activation* p) noexcept {
  *p = static_cast<Activation>(whole_bits(a));
}

constexpr std::size_t kRun = 1;  ///< Registers that store_run takes at a time.
static void store_run(const F32 (&v)[kRun], Activation* p) noexcept { store_activations(v[0], p); }

struct I32 {
  std::int32_t v;

  static I32 zero() noexcept { return {0}; }
  static I32 load(const std::int32_t* p) noexcept { return {*p}; }
  static I32 load_bytes(const std::int8_t* p) noexcept {
    I32 loaded;
    __builtin_memcpy(&loaded.v, p, sizeof loaded.v);
    return loaded;
  }
  void store(std::int32_t* p) const noexcept { *p = v; }
  static I32 weights(const std::int8_t* w) noexcept { return {*w}; }
  static I32 spread(const Activation* x) noexcept { return {*x}; }
  [[nodiscard]] F32 as_float() const noexcept { return {static_cast<float>(v)}; }
};

/// total += input . weight.
static void add_dot(I32& total, I32 input, I32 weight) noexcept { total.v += input.v * weight.v; }
/// Keeps the compiler from knowing what is in the register.
static void hide(I32& a) noexcept { asm volatile("" : "+r"(a.v)); }
static std::int32_t any_lane(I32 a) noexcept { return a.v; }
