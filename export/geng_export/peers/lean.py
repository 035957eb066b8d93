"""The bridge as peers get it: one guided step, without what the device does once a request.

The condition's keys and values and the timestep's modulation are inputs, as on the device, so that
a peer is compared on the work of a step alone. The batch is two: the conditional row, then the null
one, whose single key is padded to the condition's and masked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from geng_export.models.bundle import Bundle
from geng_export.targets.networks import MASKED, StepNetwork
from geng_export.targets.parts import Part
from geng_export.targets.read_gguf import load_bundle

Floats = npt.NDArray[np.float32]
WINDOW = 512
#: No input may be called "mod": litert-torch has an argument of that name.
INPUTS = ("x", "modulation", "fin", "keys", "values", "mask")


class LeanBridge(StepNetwork):
    """The step loop's part of a bridge, with what depends on the timestep alone handed in.

    Input shapes, with n memory tokens and d = dim / heads:
        x ``[2, tokens, width]``, mod ``[depth, 6, 1, dim]``, fin ``[2, 1, dim]``,
        keys ``[depth, 2, heads, d, n]`` (transposed), values ``[depth, 2, heads, n, d]``,
        mask ``[2, 1, 1, n]``: 0, or minus infinity's stand-in where there is no key.
    """

    inputs = INPUTS

    def forward(  # type: ignore[override]  # the modulation in the timestep's place
        self,
        x: torch.Tensor,
        mod: torch.Tensor,
        fin: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        """v ``[2, tokens, width]``."""
        return self.core(x, mod, fin, keys, values, mask)


@dataclass
class Lean:
    """A lean bridge and, for one condition, everything it is fed.

    Attributes:
        module: The network.
        keys, values, mask: Of the condition and of none.
    """

    module: LeanBridge
    keys: Floats
    values: Floats
    mask: Floats
    _times: dict[int, tuple[Floats, Floats]] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Path, condition: Floats) -> Lean:
        """The bridge of a model file, its int8 weights as the float32 values they stand for."""
        return cls.of_bundle(load_bundle(model), condition)

    @classmethod
    @torch.no_grad()
    def of_bundle(cls, bundle: Bundle, condition: Floats) -> Lean:
        """The bridge of a model, fed with ``condition`` [tokens, width]."""
        bridge = bundle.bridge.eval().requires_grad_(False)
        rows = torch.from_numpy(condition)
        memory = bundle.memory(bridge, rows, WINDOW)
        n = memory.shape[1]
        both = torch.cat([memory, F.pad(bridge.null_memory(1), (0, 0, 0, n - 1))])
        module = LeanBridge(bridge).eval()
        keys, values = [], []
        for block in module.blocks:
            k, v = block.ckv(both).chunk(2, dim=-1)
            keys.append(module.split(k).transpose(2, 3))
            values.append(module.split(v))
        mask = torch.zeros(2, 1, 1, n)
        mask[1, ..., 1:] = MASKED
        packed = (torch.stack(keys), torch.stack(values), mask)
        k, v, m = (np.ascontiguousarray(tensor.numpy()) for tensor in packed)
        return cls(module, k, v, m)

    @property
    def shape(self) -> tuple[int, int]:
        """(tokens, width) of a latent."""
        config = self.module.bridge.config
        return (config.tokens, config.width)

    @torch.no_grad()
    def times(self, t: int) -> tuple[Floats, Floats]:
        """mod and fin of a timestep; made once each."""
        if t not in self._times:
            mod, fin = self.module.times(torch.tensor([t]))
            self._times[t] = (mod.numpy(), fin.numpy())
        return self._times[t]

    def feed(self, x: Floats, t: int) -> dict[str, Floats]:
        """All inputs of one step at ``x`` [tokens, width]."""
        mod, fin = self.times(t)
        both = np.ascontiguousarray(np.broadcast_to(x, (2, *x.shape)))
        return dict(zip(INPUTS, (both, mod, fin, self.keys, self.values, self.mask), strict=True))

    def example(self) -> tuple[torch.Tensor, ...]:
        """Inputs of the right shapes, for tracing."""
        x = np.random.default_rng(0).standard_normal(self.shape, np.float32)
        return tuple(torch.from_numpy(a.copy()) for a in self.feed(x, 250).values())

    def part(self) -> Part:
        """The network as exports take it."""
        inputs = dict(zip(INPUTS, self.example(), strict=True))
        return Part("step", self.module, inputs, self.module.outputs)
