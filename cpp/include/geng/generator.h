#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "geng/network.h"
#include "geng/precision.h"
#include "geng/sampler.h"

namespace geng {

class Chain;
class CosineTable;
class ModelFile;

/// Largest requests, whatever the model; count is less where that many latents exceed 1 GiB.
inline constexpr std::size_t kMaxCount = 65536;
inline constexpr std::size_t kMinLength = 64;
inline constexpr std::size_t kMaxLength = 4096;
inline constexpr std::size_t kLengthMultiple = 8;

/// What the number reader made of a condition.
struct NumberReading {
  struct Number {
    std::string_view role;
    double value;
    double steps;  ///< The value in steps of the series; 0 when it cannot be expressed so.
  };
  std::vector<Number> numbers;  ///< One a role that has a number, in the order of the roles.
  std::vector<std::pair<std::string_view, double>> frame;  ///< Every field; flags are 0 or 1.
};

/// What a network is told beside the tokens of a condition (NetworkCondition).
struct NetworkFacts {
  std::vector<float> frame;    ///< Features of the frame that the numbers span.
  std::vector<float> answers;  ///< How sure the claims reader is of each; may be empty.
};

/// A model, loaded and checked: text in, series out.
///
/// A condition is Z_x, float32 [tokens, condition_width()], row-major, 1 .. max_tokens() tokens,
/// every value finite. A latent is float32 [latent_tokens(), latent_width()].
///
/// Immutable after loading: share it between threads. A request that finds the pool busy with
/// another does its work on its own thread.
class Generator {
 public:
  /// Loads `path`, verifies its sum and packs its weights for this CPU.
  ///
  /// @param threads  Including the calling one, 0 .. 256; 0 = what affinity and quota allow.
  /// @param isa  Kernel set to use; empty = $GENG_FORCE_ISA, then the best this CPU runs.
  /// @param cache_folder  Where packed weights are kept for the next start, which then verifies no
  ///                      sum and packs nothing; made when missing. Empty = nowhere.
  /// @param network  Takes the place of bridge and student; empty = the model's own.
  /// @throws Error{model_file}  The file is not whole or not ours.
  /// @throws Error{invalid_argument}  The kernel set is unknown, or this CPU lacks it.
  explicit Generator(const std::string& path, Precision precision = Precision::int8,
                     int threads = 0, std::string_view isa = {},
                     const std::string& cache_folder = {}, Network network = {});
  ~Generator();
  Generator(Generator&&) noexcept;
  Generator& operator=(Generator&&) noexcept;

  [[nodiscard]] std::size_t text_width() const noexcept;
  [[nodiscard]] std::size_t condition_width() const noexcept;
  [[nodiscard]] std::size_t max_tokens() const noexcept;
  [[nodiscard]] std::size_t latent_tokens() const noexcept;
  [[nodiscard]] std::size_t latent_width() const noexcept;
  [[nodiscard]] std::size_t window() const noexcept;  ///< Steps of a series it was trained on.
  [[nodiscard]] int train_steps() const noexcept;
  [[nodiscard]] int threads() const noexcept;
  [[nodiscard]] Precision precision() const noexcept;
  [[nodiscard]] std::string_view isa() const noexcept;
  /// The mapped file (src/format/gguf.h).
  [[nodiscard]] const ModelFile& file() const noexcept;

  /// Encodes word pieces, [CLS] and [SEP] included, and joins their number channels.
  ///
  /// @param ids        [tokens], indices into the model's vocabulary.
  /// @param numbers    [tokens, 32]; all zero for a word piece of no number.
  /// @param condition  Out: [tokens, condition_width()].
  void encode_text(std::span<const std::int32_t> ids, std::span<const float> numbers,
                   std::span<float> condition) const;

  /// Which number plays which role, and the frame they span for a series of `length` steps.
  [[nodiscard]] NumberReading read_numbers(std::span<const float> condition,
                                           std::size_t length) const;

  /// One score for every answer of every field in the metadata "geng.claims", in its order.
  ///
  /// @throws Error{invalid_argument}  The model has no claims reader.
  [[nodiscard]] std::vector<float> read_claims(std::span<const float> condition) const;

  /// Generates `count` series of `length` steps, in the unit of the description.
  ///
  /// Cost: config.steps bridge evaluations a sample, twice that while guided.
  /// Memory: bounded; the work is done 32 samples at a time. The result depends neither on that
  /// nor on the number of threads: sample i is the same bytes whenever its seed is.
  ///
  /// @param length  A multiple of 8, 64 .. 4096; the window is what the model was trained on.
  /// @param series  Out: [count, length].
  ///
  /// @throws Error{invalid_argument}  A setting or a size is out of range.
  /// @throws Error{not_finite}        The network returned NaN or infinity.
  /// @throws Error{cancelled}         `progress` returned false.
  /// In every case `series` is untouched.
  void sample(std::span<const float> condition, std::size_t count, std::size_t length,
              const SamplerConfig& config, const Progress& progress, std::span<float> series) const;

  /// The same up to the decoder: latents [count, latent_tokens(), latent_width()], normalised.
  /// `length` only places numbers given in steps, and may be that of a chain.
  void sample_latents(std::span<const float> condition, std::size_t count, std::size_t length,
                      const SamplerConfig& config, const Progress& progress,
                      std::span<float> latents) const;

  /// Renders latents as series [n, length]; sample i draws its noise from seed + i.
  void decode(std::span<const float> latents, std::span<const float> condition, std::size_t length,
              std::uint64_t seed, std::span<float> series) const;

  /// Renders latents with the white noise given, [n, length].
  ///
  /// @param calibrate  Whether range, mean and resolution of the text are met exactly, as in a
  ///                   generated series; else the series is rendered as it was analysed.
  void decode_with_noise(std::span<const float> latents, std::span<const float> condition,
                         std::span<const float> noise, bool calibrate,
                         std::span<float> series) const;

  /// E_y: windows [n, window()] -> raw latents [n, ...] in the default frame.
  ///
  /// Cost: some milliseconds a window, on the calling thread; allocates.
  /// @throws Error{invalid_argument}  The model has no series encoder, or a value is not finite.
  void encode_series(std::span<const float> windows, std::span<float> raw) const;

  /// Raw latents of encode_series() in the frame of a condition, normalised: what
  /// Reference::latent takes. Where a number of the text pins something down (range, mean,
  /// period, place), the text's stands in place of the example's.
  void express(std::span<const float> raw, std::span<const float> condition, std::size_t length,
               std::span<float> latents) const;

  /// The other way round: normalised latents in the frame of a condition -> raw latents in the
  /// default frame, as encode_series() gives them.
  void restate(std::span<const float> latents, std::span<const float> condition, std::size_t length,
               std::span<float> raw) const;

  /// What drove the noise of windows [n, window()], of which `raw` is the analysis: white [n,
  /// window()] where the latent's noise fits. Zeros where a latent has no noise.
  void innovations(std::span<const float> raw, std::span<const float> windows,
                   std::span<float> white) const;

  /// Gives raw latents of encode_series() back as series [n, length].
  ///
  /// @param white  [n, length] What drives the noise, as innovations() gives it; empty = no noise.
  void reconstruct(std::span<const float> raw, std::size_t length, std::span<const float> white,
                   std::span<float> series) const;

  /// v of noised latents x [n, ...] at timestep t; an empty condition is the unconditional branch.
  void predict_v(std::span<const float> x, int t, std::span<const float> condition,
                 std::span<float> v) const;

  /// What a network is told of a condition beside its tokens, for a series of `length` steps.
  [[nodiscard]] NetworkFacts network_facts(std::span<const float> condition,
                                           std::size_t length) const;

 private:
  friend class LongSeries;
  [[nodiscard]] Chain chain(std::span<const float> condition, std::span<const float> latents,
                            const CosineTable& window, std::size_t length,
                            std::uint64_t seed) const;

  void render(std::span<const float> latents, std::span<const float> condition, std::size_t length,
              std::uint64_t seed, const Reference& reference, std::span<float> series) const;

  struct Parts;
  std::unique_ptr<const Parts> parts_;
};

}  // namespace geng
