#pragma once

#include <cstddef>

namespace geng {

class ModelFile;

/// Where each quantity of a series lives inside its latent [tokens, width].
///
/// The first five tokens have a fixed meaning; the rest carry the residual.
struct LatentLayout {
  std::size_t tokens = 10;
  std::size_t width = 32;
  std::size_t harmonics = 14;           ///< Of a season, the fundamental included.
  std::size_t trend = 31;               ///< Cosine coefficients of the trend, beside its slope.
  std::size_t residual_per_token = 32;  ///< Cosine coefficients in one residual token.
  std::size_t residual_total = 160;

  [[nodiscard]] std::size_t size() const noexcept { return tokens * width; }

  /// @throws Error{model_file}  The sizes do not fit each other.
  static LatentLayout of(const ModelFile& file);
};

/// Tokens of fixed meaning.
enum Token : std::size_t { kLevel, kSeason1, kSeason2, kTrend, kEvents, kResidual };

/// Columns of the level token.
enum LevelColumn : std::size_t { kRange, kLow, kMean, kNoise, kColour, kEnvelope };
inline constexpr std::size_t kEnvelopeKnots = 8;

/// Columns of a season token: then c_1, c_2, s_2, c_3, s_3, ...
enum SeasonColumn : std::size_t { kPeriod, kCosPhase, kSinPhase, kAmplitude, kHarmonics };

/// Kinds of event, by their scores' columns; then place, log width and size.
enum EventKind : std::size_t { kNone, kSpike, kDip, kShift, kDropout, kEventKinds };
enum EventColumn : std::size_t { kPosition = kEventKinds, kLogWidth, kSize, kEventWidth };
inline constexpr std::size_t kEventsPerSeries = 2;
/// Steps of the window that widths of events are stated for; they are shorter in a shorter one.
inline constexpr std::size_t kEventWindow = 512;
/// Values that a dropout keeps, where it has as many: fewer would not be told from noise.
inline constexpr double kShortestDropout = 4.0;

/// Below these a season or a noise counts as absent (in units of the range).
inline constexpr double kAmplitudeFloor = 0.004;
inline constexpr double kNoiseFloor = 0.0015;

}  // namespace geng
