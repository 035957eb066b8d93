/// Quantized activations from one row to the next.
static std::size_t activation_stride(std::size_t depth) noexcept {
  return (depth + kActivationPad - 1) / kActivationPad * kActivationPad;
}

/// The largest magnitude of a row; a NaN or an infinity, where one stands in it.
static float largest_magnitude(const float* x, std::size_t n) noexcept {
  constexpr std::size_t kParts = 4;  // so that a register does not wait for the one before
  F32 top[kParts] = {F32::set(0.0f), F32::set(0.0f), F32::set(0.0f), F32::set(0.0f)};
  std::size_t i = 0;
  for (; i + kParts * F32::width <= n; i += kParts * F32::width) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kParts; ++p) {
      top[p] = larger_magnitude(top[p], F32::load(x + i + p * F32::width));
    }
  }
  for (; i < n; i += F32::width) {
    top[0] = larger_magnitude(top[0], load_lanes(x + i, n - i < F32::width ? n - i : F32::width));
  }
  top[0] = larger_magnitude(larger_magnitude(top[0], top[1]), larger_magnitude(top[2], top[3]));
  return largest_magnitude_of(top[0]);
}

static void quantize_rows(const QuantizeRows& a) noexcept {
  const std::size_t stride = activation_stride(a.depth);
  for (std::size_t r = 0; r < a.rows; ++r) {
    const float* x = a.x + r * a.depth;
    Activation* q = static_cast<Activation*>(a.q) + r * stride;
    // Below 1e-30 the inverse leaves the range of float32; such a row is zero for every purpose.
    const float most = largest_magnitude(x, a.depth);
    const bool silent = most < 1e-30f;
    a.scale[r] = (silent ? 0.0f : most / 127.0f) + (most - most);  // NaN also of an infinity
    const F32 inverse = F32::set(silent ? 0.0f : 127.0f / most);
    std::size_t k = 0;
    for (; k + kRun * F32::width <= a.depth; k += kRun * F32::width) {
      F32 v[kRun];
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kRun; ++i) v[i] = F32::load(x + k + i * F32::width) * inverse;
      store_run(v, q + k);
    }
    for (; k + F32::width <= a.depth; k += F32::width) {
      store_activations(F32::load(x + k) * inverse, q + k);
    }
    for (; k < stride; k += F32::width) {  // the padding is written as zeros
      const std::size_t left = a.depth > k ? a.depth - k : 0;
      store_activations(F32::load(x + k, left) * inverse, q + k);
    }
  }
}
