"""The bridge as peers get it: one guided step, without what the device does once a request.

The condition's keys and values and the timestep's modulation are inputs, as on the device, so that
a peer is compared on the work of a step alone. The batch is two: the conditional row, then the null
one, whose single key is padded to the condition's and masked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from geng_export.models.bridge import Block, Bridge
from geng_export.models.bundle import Bundle
from geng_export.targets.read_gguf import load_bundle

Floats = npt.NDArray[np.float32]
WINDOW = 512
INPUTS = ("x", "mod", "fin", "keys", "values", "mask")


def norm(x: torch.Tensor) -> torch.Tensor:
    """Layer norm without an affine part, as the bridge has it."""
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


class LeanBridge(torch.nn.Module):
    """The step loop's part of a bridge.

    Input shapes, with n memory tokens and d = dim / heads:
        x ``[2, tokens, width]``, mod ``[depth, 6, 1, dim]``, fin ``[2, 1, dim]``,
        keys ``[depth, 2, heads, d, n]`` (transposed), values ``[depth, 2, heads, n, d]``,
        mask ``[2, 1, 1, n]``: 0, or minus infinity's stand-in where there is no key.
    """

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.bridge = bridge
        self.blocks = [cast(Block, block) for block in bridge.blocks]
        self.heads = bridge.config.heads
        self.scale = (bridge.config.dim // self.heads) ** -0.5

    def split(self, x: torch.Tensor) -> torch.Tensor:
        """``[batch, n, dim]`` -> ``[batch, heads, n, dim / heads]``."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def mix(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        """Attention: keys transposed, the mask added to the scores."""
        scores = self.split(q) @ k * self.scale
        if mask is not None:
            scores = scores + mask
        return (scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(2)

    def forward(
        self,
        x: torch.Tensor,
        mod: torch.Tensor,
        fin: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        """v ``[2, tokens, width]``."""
        h = self.bridge.input(x) + self.bridge.position
        for i, block in enumerate(self.blocks):
            sh1, sc1, g1, sh2, sc2, g2 = (mod[i, j] for j in range(6))
            q, k, v = block.qkv(norm(h) * (1 + sc1) + sh1).chunk(3, dim=-1)
            own = self.mix(q, self.split(k).transpose(2, 3), self.split(v), None)
            h = h + g1 * block.o(own)
            h = h + block.co(self.mix(block.cq(norm(h)), keys[i], values[i], mask))
            up = block.up(norm(h) * (1 + sc2) + sh2)
            h = h + g2 * block.down(F.gelu(up, approximate="tanh"))
        return self.bridge.output(norm(h) * (1 + fin[1]) + fin[0])


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
        mask[1, ..., 1:] = -1e9
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
            bridge = self.module.bridge
            shared, fin = bridge.modulation(torch.tensor([t]))
            mod = torch.stack(
                [(shared[0] + b.table).unflatten(0, (6, 1, -1)) for b in self.module.blocks]
            )
            self._times[t] = (mod.numpy(), fin[0].unflatten(0, (2, 1, -1)).numpy())
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
