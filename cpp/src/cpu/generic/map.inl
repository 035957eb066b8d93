// How every elementwise kernel walks a row: whole registers, then one partial register, so that an
// element's value never depends on its place.

/// The first `count` lanes from p, all of them in the common case without a mask.
static F32 load_lanes(const float* p, std::size_t count) noexcept {
  return count == F32::width ? F32::load(p) : F32::load(p, count);
}
static void store_lanes(F32 v, float* p, std::size_t count) noexcept {
  count == F32::width ? v.store(p) : v.store(p, count);
}

/// Calls body(i, count) for every register of a row of n: count is the width, but for the last.
template <typename Body>
static void for_registers(std::size_t n, Body body) noexcept {
  std::size_t i = 0;
#pragma GCC unroll 4
  for (; i + F32::width <= n; i += F32::width) body(i, F32::width);
  if (i < n) body(i, n - i);
}

/// y[i] = f(x[i]) for i < n; y may be x.
template <typename Function>
static void map(const float* x, float* y, std::size_t n, Function f) noexcept {
  for_registers(n, [=](std::size_t i, std::size_t count) {
    store_lanes(f(load_lanes(x + i, count)), y + i, count);
  });
}

/// Four registers from p and to p, in one instruction where a set has one.
template <typename Register>
[[gnu::always_inline]] static inline void load_four(const float* p, Register (&four)[4]) noexcept {
  if constexpr (requires { Register::load_four(p, four); }) {
    Register::load_four(p, four);
  } else {
    for (std::size_t i = 0; i < 4; ++i) four[i] = Register::load(p + i * Register::width);
  }
}
template <typename Register>
[[gnu::always_inline]] static inline void store_four(const Register (&four)[4], float* p) noexcept {
  if constexpr (requires { Register::store_four(four, p); }) {
    Register::store_four(four, p);
  } else {
    for (std::size_t i = 0; i < 4; ++i) four[i].store(p + i * Register::width);
  }
}

/// y[i] = f(x[i], y[i]) for i < n.
template <typename Function>
static void update(const float* x, float* y, std::size_t n, Function f) noexcept {
  for (; n >= 4 * F32::width; n -= 4 * F32::width) {
    F32 from[4], to[4];
    load_four(x, from);
    load_four(y, to);
#pragma GCC unroll 4
    for (std::size_t p = 0; p < 4; ++p) f(from[p], to[p]).store(y + p * F32::width);
    x += 4 * F32::width;
    y += 4 * F32::width;
  }
  for_registers(n, [=](std::size_t i, std::size_t count) {
    store_lanes(f(load_lanes(x + i, count), load_lanes(y + i, count)), y + i, count);
  });
}

/// Adds up x[0] .. x[n - 1] by total = add(total, x[i]), in an order that depends on n and the
/// register width alone. Four partial sums, so that an addition does not wait for the one before.
template <typename Add>
static float sum_of(const float* x, std::size_t n, Add add) noexcept {
  constexpr std::size_t kParts = 4;
  F32 part[kParts] = {F32::set(0.0f), F32::set(0.0f), F32::set(0.0f), F32::set(0.0f)};
  std::size_t i = 0;
  for (; i + kParts * F32::width <= n; i += kParts * F32::width) {
    F32 four[kParts];
    load_four(x + i, four);
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) part[p] = add(part[p], four[p]);
  }
  for (; i + F32::width <= n; i += F32::width) part[0] = add(part[0], F32::load(x + i));
  if (i < n) part[1] = first(n - i, add(part[1], F32::load(x + i, n - i)), part[1]);
  return sum((part[0] + part[1]) + (part[2] + part[3]));
}
