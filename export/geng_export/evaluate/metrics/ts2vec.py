"""Context-FID: the Frechet distance on TS2Vec embeddings (Jeha et al. 2022; Yue et al. 2022).

TS2Vec is trained here, on the real training windows: a stack of dilated convolutions whose
embeddings of two overlapping, randomly masked crops must agree step by step and window by window, on
every scale of time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F

from geng_export.evaluate.metrics.frechet import frechet_distance

FloatArray = npt.NDArray[np.float64]
WIDTH, DEPTH, HIDDEN = 320, 10, 64
_CHUNK = 64


class TS2Vec(nn.Module):
    """Windows ``[batch, length, channels]`` -> one embedding a step ``[batch, length, 320]``."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.input = nn.Linear(channels, HIDDEN)
        sizes = [HIDDEN] * DEPTH + [WIDTH]
        self.first = nn.ModuleList(
            nn.Conv1d(HIDDEN, b, 3, padding=2**i, dilation=2**i) for i, b in enumerate(sizes)
        )
        self.second = nn.ModuleList(
            nn.Conv1d(b, b, 3, padding=2**i, dilation=2**i) for i, b in enumerate(sizes)
        )
        self.widen = nn.Conv1d(HIDDEN, WIDTH, 1)

    def forward(self, x: torch.Tensor, masked: float = 0.0) -> torch.Tensor:
        """``masked``: share of steps whose input is dropped."""
        h = self.input(x)
        if masked > 0.0:
            h = h * (torch.rand(h.shape[:2]) >= masked)[..., None]
        h = h.transpose(1, 2)
        for first, second in zip(self.first, self.second, strict=True):
            kept = h if first.out_channels == HIDDEN else self.widen(h)
            h = second(F.gelu(first(F.gelu(h)))) + kept
        return h.transpose(1, 2)


def _contrast(one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
    """Along the second axis, row i of ``one`` must find row i of ``two`` among all rows of both."""
    n = one.shape[1]
    both = torch.cat([one, two], dim=1)
    alike = both @ both.transpose(1, 2)
    alike = alike.masked_fill(torch.eye(2 * n, dtype=torch.bool), -torch.inf)
    wanted = torch.arange(2 * n).roll(n)
    return F.cross_entropy(alike.flatten(0, 1), wanted.repeat(len(alike)))


def _hierarchical(one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
    total, scales = torch.zeros(()), 0
    while True:
        total = total + 0.5 * _contrast(one.transpose(0, 1), two.transpose(0, 1))
        if one.shape[1] == 1:
            return total / (scales + 1)
        total = total + 0.5 * _contrast(one, two)
        scales += 1
        one, two = (F.max_pool1d(h.transpose(1, 2), 2).transpose(1, 2) for h in (one, two))


def _shaped(windows: npt.ArrayLike) -> torch.Tensor:
    x = torch.from_numpy(np.asarray(windows, dtype=np.float32))
    return x[..., None] if x.ndim == 2 else x


def train_ts2vec(windows: npt.ArrayLike, *, steps: int = 200, seed: int = 0) -> TS2Vec:
    """Fit on real windows ``[n, length]`` or ``[n, length, channels]``, batch 8, rate 1e-3.

    The averaged weights are returned, as the authors do it. Cost: about a minute for 200 steps on
    windows of 512 on one core.
    """
    x = _shaped(windows)
    length = x.shape[1]
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = TS2Vec(x.shape[2])
    averaged = torch.optim.swa_utils.AveragedModel(network)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3)
    for _ in range(steps):
        batch = x[torch.from_numpy(rng.integers(len(x), size=8))]
        shared = int(rng.integers(max(2, length // 4), length + 1))
        start = int(rng.integers(0, length - shared + 1))
        left, right = int(rng.integers(0, start + 1)), int(rng.integers(start + shared, length + 1))
        one = network(batch[:, left : start + shared], 0.5)[:, -shared:]
        two = network(batch[:, start:right], 0.5)[:, :shared]
        loss = _hierarchical(one, two)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        averaged.update_parameters(network)
    network.load_state_dict(averaged.module.state_dict())
    return network.eval().requires_grad_(False)


def embeddings(network: TS2Vec, windows: npt.ArrayLike) -> FloatArray:
    """One vector a window, the maximum over its steps: float64 ``[n, 320]``."""
    with torch.no_grad():
        rows = [network(part).amax(dim=1) for part in _shaped(windows).split(_CHUNK)]
    return torch.cat(rows).double().numpy()


def context_fid(network: TS2Vec, real: npt.ArrayLike, generated: npt.ArrayLike) -> float:
    """Frechet distance between the embeddings of two sets of windows."""
    return frechet_distance(embeddings(network, real), embeddings(network, generated))
