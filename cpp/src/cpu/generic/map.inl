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

/// y[i] = f(x[i], y[i]) for i < n.
template <typename Function>
static void update(const float* x, float* y, std::size_t n, Function f) noexcept {
  for_registers(n, [=](std::size_t i, std::size_t count) {
    store_lanes(f(load_lanes(x + i, count), load_lanes(y + i, count)), y + i, count);
  });
}

/// sum over i < n of f(x[i]), in an order that depends on n and the register width alone. Four
/// partial sums, so that an addition does not wait for the one before.
template <typename Function>
static float sum_of(const float* x, std::size_t n, Function f) noexcept {
  constexpr std::size_t kParts = 4;
  F32 part[kParts] = {F32::set(0.0f), F32::set(0.0f), F32::set(0.0f), F32::set(0.0f)};
  std::size_t i = 0;
  for (; i + kParts * F32::width <= n; i += kParts * F32::width) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p)
      part[p] = part[p] + f(F32::load(x + i + p * F32::width));
  }
  for (; i + F32::width <= n; i += F32::width) part[0] = part[0] + f(F32::load(x + i));
  if (i < n) part[1] = part[1] + first(n - i, f(F32::load(x + i, n - i)), F32::set(0.0f));
  return sum((part[0] + part[1]) + (part[2] + part[3]));
}
