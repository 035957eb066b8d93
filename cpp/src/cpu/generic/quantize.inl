/// Quantized activations from one row to the next.
static std::size_t activation_stride(std::size_t depth) noexcept {
  return (depth + kActivationPad - 1) / kActivationPad * kActivationPad;
}

static void quantize_rows(const QuantizeRows& a) noexcept {
  const std::size_t stride = activation_stride(a.depth);
  for (std::size_t r = 0; r < a.rows; ++r) {
    const float* x = a.x + r * a.depth;
    Activation* q = static_cast<Activation*>(a.q) + r * stride;
    F32 top = F32::set(0.0f);
    F32 poison =
        F32::set(0.0f);  // stays 0 until a NaN or an infinity passes: both give NaN times 0
    for (std::size_t k = 0; k < a.depth; k += F32::width) {
      const std::size_t n = a.depth - k < F32::width ? a.depth - k : F32::width;
      const F32 v = F32::load(x + k, n);
      top = max(top, abs(v));
      poison = fma(v, F32::set(0.0f), poison);
    }
    // Below 1e-30 the inverse leaves the range of float32; such a row is zero for every purpose.
    const float most = largest(top);
    const bool silent = most < 1e-30f;
    a.scale[r] = (silent ? 0.0f : most / 127.0f) + sum(poison);
    const F32 inverse = F32::set(silent ? 0.0f : 127.0f / most);
    for (std::size_t k = 0; k < stride; k += F32::width) {  // the padding is written as zeros
      const std::size_t left = a.depth > k ? a.depth - k : 0;
      const F32 v = F32::load(x + k, left < F32::width ? left : F32::width);
      store_activations(nearest(v * inverse), q + k);
    }
  }
}
