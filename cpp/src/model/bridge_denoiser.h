#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/bridge.h"
#include "model/velocity.h"

namespace geng {

/// The bridge bound to one trajectory and one or two memories, with all the scratch it needs.
///
/// Memory: allocated by the constructor, in proportion to `samples`; nothing afterwards.
class BridgeDenoiser final : public VelocityDenoiser {
 public:
  /// @param timesteps  Step i of the trajectory is timesteps[i].
  /// @param memories   The condition's; then, for guidance, the null one. Borrowed.
  /// @param samples    Most latents in one call.
  BridgeDenoiser(const Bridge& bridge, const Compute& compute, std::span<const int> timesteps,
                 std::vector<const BridgeMemory*> memories, std::size_t samples);

  void predict_v(std::size_t step, std::span<const float> x, std::size_t memories,
                 std::span<float> v) const override;

 private:
  const Bridge& bridge_;
  Compute compute_;
  std::vector<const BridgeMemory*> memories_;
  BridgeTimes times_;
  Arena arena_;
  BridgeScratch scratch_;
};

}  // namespace geng
