/// Independent chains of fused multiply-adds, as many as hide their latency.
static std::uint64_t peak_f32(std::size_t rounds) noexcept {
  constexpr std::size_t kChains = kBlockRows * kBlockVectors;
  F32 chain[kChains];
#pragma GCC unroll 32
  for (std::size_t i = 0; i < kChains; ++i) chain[i] = F32::set(static_cast<float>(i));
  const F32 shrink = F32::set(1.0f / static_cast<float>(rounds + 1));
  const F32 step = F32::set(static_cast<float>(rounds));
  for (std::size_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 32
    for (std::size_t i = 0; i < kChains; ++i) chain[i] = fma(chain[i], shrink, step);
  }
  F32 total = F32::set(0.0f);
#pragma GCC unroll 32
  for (std::size_t i = 0; i < kChains; ++i) total = total + chain[i];
  // The sum is used, so that no compiler can leave the loop out.
  const std::uint64_t never = sum(total) == 0.5f ? 1 : 0;
  return rounds * kChains * F32::width + never;
}
