"""Blocks that the baselines share: a time embedding, and one-dimensional convolutions told by a vector."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F


def time_features(t: torch.Tensor, width: int = 64) -> torch.Tensor:
    """Times in 0..1 ``[batch]`` -> sines and cosines ``[batch, width]``."""
    rates = torch.exp(torch.linspace(0.0, math.log(1000.0), width // 2))
    angles = t[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class Told(nn.Module):
    """Two convolutions with a residual; scale and shift come from a vector."""

    def __init__(self, width: int, told: int, kernel: int = 5) -> None:
        super().__init__()
        self.one = nn.Conv1d(width, width, kernel, padding=kernel // 2)
        self.two = nn.Conv1d(width, width, kernel, padding=kernel // 2)
        self.norm = nn.GroupNorm(8, width)
        self.told = nn.Linear(told, 2 * width)

    def forward(self, x: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
        """``[batch, width, length]`` and ``[batch, told]`` -> ``[batch, width, length]``."""
        scale, shift = self.told(vector)[..., None].chunk(2, dim=1)
        h = F.silu(self.norm(self.one(F.silu(x))) * (1.0 + scale) + shift)
        kept: torch.Tensor = x + self.two(h)
        return kept
