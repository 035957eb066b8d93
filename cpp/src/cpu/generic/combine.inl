/// y = a x + b y: the update every solver ends with.
static void axpby_f32(float a, const float* x, float b, float* y, std::size_t n) noexcept {
  update(x, y, n, [a, b](F32 vx, F32 vy) { return fma(F32::set(a), vx, F32::set(b) * vy); });
}
