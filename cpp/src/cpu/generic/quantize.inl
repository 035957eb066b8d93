/// Quantized activations from one row to the next.
static std::size_t activation_stride(std::size_t depth) noexcept {
  return (depth + kActivationPad - 1) / kActivationPad * kActivationPad;
}

/// What a row says of its scale: its largest magnitude, and 0, or NaN where a NaN or an infinity
/// stands in it (both give NaN times 0).
struct Extent {
  F32 top = F32::set(0.0f);
  F32 poison = F32::set(0.0f);

  void take(F32 v) noexcept {
    top = max(top, abs(v));
    poison = fma(v, F32::set(0.0f), poison);
  }
};

static Extent extent_of(const float* x, std::size_t n) noexcept {
  Extent even, odd;  // two, so that a register does not wait for the one before
  std::size_t i = 0;
  for (; i + 2 * F32::width <= n; i += 2 * F32::width) {
    even.take(F32::load(x + i));
    odd.take(F32::load(x + i + F32::width));
  }
  for (; i < n; i += F32::width) {
    even.take(load_lanes(x + i, n - i < F32::width ? n - i : F32::width));
  }
  even.top = max(even.top, odd.top);
  even.poison = even.poison + odd.poison;
  return even;
}

static void quantize_rows(const QuantizeRows& a) noexcept {
  const std::size_t stride = activation_stride(a.depth);
  for (std::size_t r = 0; r < a.rows; ++r) {
    const float* x = a.x + r * a.depth;
    Activation* q = static_cast<Activation*>(a.q) + r * stride;
    const Extent extent = extent_of(x, a.depth);
    // Below 1e-30 the inverse leaves the range of float32; such a row is zero for every purpose.
    const float most = largest(extent.top);
    const bool silent = most < 1e-30f;
    a.scale[r] = (silent ? 0.0f : most / 127.0f) + sum(extent.poison);
    const F32 inverse = F32::set(silent ? 0.0f : 127.0f / most);
    std::size_t k = 0;
    for (; k + F32::width <= a.depth; k += F32::width) {
      store_activations(F32::load(x + k) * inverse, q + k);
    }
    for (; k < stride; k += F32::width) {  // the padding is written as zeros
      const std::size_t left = a.depth > k ? a.depth - k : 0;
      store_activations(F32::load(x + k, left) * inverse, q + k);
    }
  }
}
