// One output at a time: the definition, and what every other set is compared with.

constexpr std::size_t kI8Rows = 1;
constexpr std::size_t kI8Cols = 1;
constexpr std::size_t kI8Depth = 1;

template <std::size_t Rows>
static void block_i8(const MatmulI8& a, const std::int8_t* w, std::size_t row, std::size_t col,
                     std::size_t cols) noexcept {
  const std::int8_t* x = static_cast<const std::int8_t*>(a.x) + row * activation_stride(a.depth);
  std::int32_t total = 0;
  for (std::size_t k = 0; k < a.depth; ++k) total += std::int32_t{x[k]} * std::int32_t{w[k]};
  store_scaled(a, {static_cast<float>(total)}, row, col, cols);
}
