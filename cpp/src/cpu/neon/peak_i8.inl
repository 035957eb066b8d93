// The int8 peak of a set whose matmul_i8.inl gives peak_link, kPeakProducts multiply-adds of it.

/// Independent chains of the int8 instruction, as many as hide its latency.
static std::uint64_t peak_i8(std::size_t rounds) noexcept {
  constexpr std::size_t kChains = 16;
  const int8x16_t input = vdupq_n_s8(static_cast<std::int8_t>(rounds));
  int8x16_t weight = vdupq_n_s8(3);
  int32x4_t total[kChains];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kChains; ++i) total[i] = vdupq_n_s32(static_cast<std::int32_t>(i));
  for (std::size_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kChains; ++i) {
      asm("" : "+w"(weight));  // or equal products would be computed once
      total[i] = peak_link(total[i], input, weight);
    }
  }
  int32x4_t all = total[0];
#pragma GCC unroll 16
  for (std::size_t i = 1; i < kChains; ++i) all = veorq_s32(all, total[i]);
  const std::int64_t sum =
      vgetq_lane_s64(vreinterpretq_s64_s32(all), 0) ^ vgetq_lane_s64(vreinterpretq_s64_s32(all), 1);
  // The sum is used, so that no compiler can leave the loop out.
  const std::uint64_t never = sum == 0x5EED5EED ? 1 : 0;
  return rounds * kChains * kPeakProducts + never;
}
