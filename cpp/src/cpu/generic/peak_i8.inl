/// Independent chains of the int8 instruction, as many as hide its latency.
static std::uint64_t peak_i8(std::size_t rounds) noexcept {
  constexpr std::size_t kChains = 12;
  const std::int8_t ones[64] = {1, 1, 1, 1};  // small, so that no sum of a scalar lane overflows
  const Activation one[4] = {1, 1, 1, 1};
  I32 chain[kChains];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kChains; ++i) hide(chain[i] = I32::zero());
  I32 input = I32::spread(one);
  I32 weight = I32::weights(ones);
  hide(input);
  for (std::size_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kChains; ++i) {
      hide(weight);  // or the products of a round would be computed once
      add_dot(chain[i], input, weight);
    }
  }
  std::int32_t total = 0;
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kChains; ++i) total ^= any_lane(chain[i]);
  // The sum is used, so that no compiler can leave the loop out.
  const std::uint64_t never = total == 0x5EED5EED ? 1 : 0;
  return rounds * kChains * F32::width * kI8Depth + never;
}
