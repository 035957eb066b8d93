"""Discriminative score: can a recurrent classifier tell generated windows from real ones?

The score is ``|accuracy - 1/2|`` on held-out windows: 0 when it cannot, 1/2 when it always can.
``lstm`` is the paper's classifier, two layers; ``gru`` is TimeGAN's (Yoon et al. 2019), whose hidden
width is half of the number of channels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F

FloatArray = npt.NDArray[np.float64]


class _Judge(nn.Module):
    def __init__(self, kind: str, channels: int) -> None:
        super().__init__()
        if kind == "lstm":
            self.core: nn.Module = nn.LSTM(channels, 32, num_layers=2, batch_first=True)
            width = 32
        else:
            width = max(channels // 2, 1)
            self.core = nn.GRU(channels, width, num_layers=1, batch_first=True)
        self.out = nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.core(x)[0][:, -1])[:, 0]


def discriminative_score(
    real: npt.ArrayLike,
    generated: npt.ArrayLike,
    *,
    kind: str = "lstm",
    steps: int = 600,
    batch: int = 128,
    seed: int = 0,
) -> float:
    """One training of the classifier, 80 % of the windows to learn and 20 % to score.

    Args:
        real, generated: ``[n, length]`` or ``[n, length, channels]``, scaled alike beforehand.
        kind: ``lstm`` or ``gru``.
        steps, batch: Optimiser steps, and windows of each kind in one.
        seed: Of split, initialisation and batches.

    Cost: about 8 s for 600 LSTM steps on windows of 128 on one core; linear in the length.
    """
    sets = []
    rng = np.random.default_rng(seed)
    for windows in (real, generated):
        x = np.asarray(windows, dtype=np.float32)
        x = x[..., None] if x.ndim == 2 else x
        x = x[rng.permutation(len(x))]
        cut = int(0.8 * len(x))
        sets.append((torch.from_numpy(x[:cut]), torch.from_numpy(x[cut:])))
    torch.manual_seed(seed)
    judge = _Judge(kind, sets[0][0].shape[-1])
    optimiser = torch.optim.Adam(judge.parameters(), 1e-3)
    labels = torch.cat([torch.ones(batch), torch.zeros(batch)])
    for _ in range(steps):
        drawn = torch.cat([kept[torch.randint(len(kept), (batch,))] for kept, _ in sets])
        loss = F.binary_cross_entropy_with_logits(judge(drawn), labels)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(judge.parameters(), 1.0)
        optimiser.step()
    with torch.no_grad():
        right = [
            (judge(held) > 0) == wanted
            for (_, held), wanted in zip(sets, (True, False), strict=True)
        ]
    # Both kinds weigh the same, however many windows there are of each.
    return abs(float(np.mean([float(r.float().mean()) for r in right])) - 0.5)
