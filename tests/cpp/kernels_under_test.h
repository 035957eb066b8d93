#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/philox.h"
#include "cpu/kernel_set.h"

/// The kernel sets this CPU can run: scalar always, and whatever else it has.
inline std::vector<const geng::cpu::KernelSet*> runnable_sets() {
  std::vector<const geng::cpu::KernelSet*> sets;
  for (const geng::cpu::KernelSet* set : geng::cpu::kernel_sets()) {
    if ((set->needs & ~geng::cpu::detect()) == 0) sets.push_back(set);
  }
  return sets;
}

/// The same normal numbers in every run.
inline void fill(std::span<float> out, std::uint64_t seed) {
  geng::fill_normal(seed, geng::NoiseStream::initial_latent, 0, out);
}
