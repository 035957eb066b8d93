/// x becomes e^(scale (x - max)) / sum of those over its first n places, so that no exponent
/// overflows. The row may be read and written up to the next whole register; what stands there is
/// zero afterwards.
static void softmax_row(float* x, std::size_t n, float scale) noexcept {
  const std::size_t last = (n - 1) / F32::width * F32::width;
  F32 tail = F32::load(x + last);
  F32 top = first(n - last, tail, F32::set(x[0]));
  for (std::size_t i = 0; i < last; i += F32::width) top = max(top, F32::load(x + i));
  top = F32::set(largest(top));
  const F32 by = F32::set(scale);
  tail = first(n - last, exp((tail - top) * by), F32::set(0.0f));
  F32 total = tail;
  for (std::size_t i = 0; i < last; i += F32::width) {
    const F32 e = exp((F32::load(x + i) - top) * by);
    e.store(x + i);
    total = total + e;
  }
  const F32 inverse = F32::set(1.0f / sum(total));
  for (std::size_t i = 0; i < last; i += F32::width) (F32::load(x + i) * inverse).store(x + i);
  (tail * inverse).store(x + last);
}

/// Two matmuls with the softmax between them, while the scores are still in the nearest cache.
/// A row of scores is a whole number of registers, so that none is stored or loaded in part: a CPU
/// cannot forward half a register to the load that follows.
static void attention_f32(const Attention& a) noexcept {
  const std::size_t padded = (a.keys + F32::width - 1) / F32::width * F32::width;
  for (std::size_t row = 0; row < a.queries; row += kAttentionRows) {
    const std::size_t rows = a.queries - row < kAttentionRows ? a.queries - row : kAttentionRows;
    const MatmulF32 scores{a.q + row * a.q_stride,
                           a.q_stride,
                           a.k,
                           nullptr,
                           padded,
                           a.head_width,
                           Epilogue::none,
                           {a.scores, padded, false, nullptr}};
    matmul_f32(scores, {0, rows, 0, padded});
    for (std::size_t r = 0; r < rows; ++r) softmax_row(a.scores + r * padded, a.keys, a.scale);
    const MatmulF32 mix{a.scores,
                        padded,
                        a.v,
                        nullptr,
                        a.head_width,
                        a.keys,
                        Epilogue::none,
                        {a.out + row * a.out_stride, a.out_stride, false, nullptr}};
    matmul_f32(mix, {0, rows, 0, a.head_width});
  }
}
