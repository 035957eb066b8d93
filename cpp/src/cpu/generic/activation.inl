// exp, and what the models build from it. A NaN that goes in comes out.

/// e^x for x in [-87.3, 88.3], clamped there; relative error below 2e-7.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2, so e^x = 2^n e^r; e^r = 1 + r + r^2 p(r) with p of degree 4
/// fitted at Chebyshev nodes (error 1e-8). ln 2 is subtracted in two parts, the first exact in n.
static F32 exp(F32 x) noexcept {
  x = min(F32::set(88.3f), max(F32::set(-87.3f), x));
  const F32 n = nearest(x * F32::set(1.44269504f));
  F32 r = fma(n, F32::set(-0.693145752f), x);
  r = fma(n, F32::set(-1.42860677e-6f), r);
  F32 p = F32::set(1.39338232e-3f);
  p = fma(p, r, F32::set(8.36329535e-3f));
  p = fma(p, r, F32::set(4.16664630e-2f));
  p = fma(p, r, F32::set(1.66665763e-1f));
  p = fma(p, r, F32::set(5.0e-1f));
  return times_power_of_two(fma(p, r * r, r) + F32::set(1.0f), n);
}

/// x / (1 + e^-x).
static F32 silu(F32 x) noexcept { return x / (F32::set(1.0f) + exp(F32::set(0.0f) - x)); }

/// 2^x for x in [-126, 126], clamped there; relative error 1.5e-7. r is exact, so a polynomial of
/// degree 5 in it (fitted for the least relative error, 9.2e-8) is all there is to lose.
static F32 exp2(F32 x) noexcept {
  x = min(F32::set(126.0f), max(F32::set(-126.0f), x));
  const F32 n = nearest(x);
  const F32 r = x - n;
  F32 p = F32::set(1.326472731e-3f);
  p = fma(p, r, F32::set(9.671512991e-3f));
  p = fma(p, r, F32::set(5.550733581e-2f));
  p = fma(p, r, F32::set(2.402224243e-1f));
  p = fma(p, r, F32::set(6.931470037e-1f));
  return times_power_of_two(fma(p, r, F32::set(1.0f)), n);
}

/// x/2 (1 + tanh u) with u = sqrt(2/pi) (x + 0.044715 x^3), which is x / (1 + 2^(-2u / ln 2)).
static F32 gelu_tanh(F32 x) noexcept {
  constexpr float kRate = -2.0f * 0.7978845608f * 1.4426950409f;
  const F32 rate = fma(x * x, F32::set(kRate * 0.044715f), F32::set(kRate));
  return x / (F32::set(1.0f) + exp2(rate * x));
}

/// x/2 (1 + erf z), z = x / sqrt 2, as max(x, 0) - |x| erfc|z| / 2.
///
/// erfc z = t (a1 + t (a2 + ...)) e^-z^2, t = 1 / (1 + p z): Abramowitz and Stegun 7.1.26,
/// absolute error 1.5e-7.
static F32 gelu_erf(F32 x) noexcept {
  const F32 z = abs(x) * F32::set(0.707106781f);
  const F32 t = F32::set(1.0f) / fma(z, F32::set(0.3275911f), F32::set(1.0f));
  F32 p = F32::set(1.061405429f);
  p = fma(p, t, F32::set(-1.453152027f));
  p = fma(p, t, F32::set(1.421413741f));
  p = fma(p, t, F32::set(-0.284496736f));
  p = fma(p, t, F32::set(0.254829592f));
  const F32 half_erfc = F32::set(0.5f) * t * p * exp(F32::set(0.0f) - z * z);
  return max(F32::set(0.0f), x) - abs(x) * half_erfc;
}

static void silu_f32(const float* x, float* y, std::size_t n) noexcept {
  map(x, y, n, [](F32 v) { return silu(v); });
}
