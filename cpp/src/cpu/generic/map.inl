// How every elementwise kernel walks a row: whole registers, then one partial register, so that an
// element's value never depends on its place.

/// y[i] = f(x[i]) for i < n; y may be x.
template <typename Function>
static void map(const float* x, float* y, std::size_t n, Function f) noexcept {
  std::size_t i = 0;
  for (; i + F32::width <= n; i += F32::width) f(F32::load(x + i)).store(y + i);
  if (i < n) f(F32::load(x + i, n - i)).store(y + i, n - i);
}

/// y[i] = f(x[i], y[i]) for i < n.
template <typename Function>
static void update(const float* x, float* y, std::size_t n, Function f) noexcept {
  std::size_t i = 0;
  for (; i + F32::width <= n; i += F32::width) {
    f(F32::load(x + i), F32::load(y + i)).store(y + i);
  }
  if (i < n) f(F32::load(x + i, n - i), F32::load(y + i, n - i)).store(y + i, n - i);
}
