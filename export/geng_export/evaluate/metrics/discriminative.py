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
        x = _shaped(windows)
        x = x[rng.permutation(len(x))]
        cut = int(0.8 * len(x))
        sets.append((torch.from_numpy(x[:cut]), torch.from_numpy(x[cut:])))
    return abs(_right(sets, kind, steps, batch, seed) - 0.5)


def paired_score(
    real: npt.ArrayLike,
    generated: npt.ArrayLike,
    *,
    kind: str = "lstm",
    steps: int = 600,
    batch: int = 64,
    seed: int = 0,
    folds: int = 3,
    in_order: bool = False,
) -> float:
    """The score where row i of one set was made from row i of the other: cross-validated.

    Each fold is scored by a classifier that learned from the others, and both of a pair are in one fold:
    a classifier that learned a window as real takes one made after it, held out, for real too, and its
    accuracy falls below one half. Accuracy is averaged before one half is taken off.

    Args:
        real, generated: ``[n, length]`` or ``[n, length, channels]``, scaled alike beforehand.
        kind, steps, batch, seed: As above.
        folds: Parts, and classifiers; no more than there are pairs.
        in_order: Parts are runs of rows, as where windows overlap their neighbours: split at random, a
            classifier would have learned half of a held-out window. Otherwise rows are shared out.

    Cost: ``folds`` times two minutes for windows of 512 on one core.
    """
    both = [_shaped(windows) for windows in (real, generated)]
    n = len(both[0])
    folds = min(folds, n)
    part = np.arange(n) * folds // n
    if not in_order:
        part = np.random.default_rng(seed).permutation(n) % folds
    shares = []
    for i in range(folds):
        held = part == i
        sets = [(torch.from_numpy(x[~held]), torch.from_numpy(x[held])) for x in both]
        shares.append(_right(sets, kind, steps, batch, seed + i))
    return abs(float(np.mean(shares)) - 0.5)


def _shaped(windows: npt.ArrayLike) -> npt.NDArray[np.float32]:
    x = np.asarray(windows, dtype=np.float32)
    return x[..., None] if x.ndim == 2 else x


def _right(
    sets: list[tuple[torch.Tensor, torch.Tensor]], kind: str, steps: int, batch: int, seed: int
) -> float:
    """Share of held-out windows told apart, for (learned, held-out) of real and of generated."""
    torch.manual_seed(seed)
    judge = _Judge(kind, sets[0][0].shape[-1])
    optimiser = torch.optim.Adam(judge.parameters(), 1e-3)
    labels = torch.cat([torch.ones(batch), torch.zeros(batch)])
    # Gradients fade over 512 steps into denormal numbers, which make an x86 core four times as slow.
    torch.set_flush_denormal(True)
    try:
        for _ in range(steps):
            drawn = torch.cat([kept[torch.randint(len(kept), (batch,))] for kept, _ in sets])
            loss = F.binary_cross_entropy_with_logits(judge(drawn), labels)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(judge.parameters(), 1.0)
            optimiser.step()
    finally:
        torch.set_flush_denormal(False)
    with torch.no_grad():
        right = [
            (judge(held) > 0) == wanted
            for (_, held), wanted in zip(sets, (True, False), strict=True)
        ]
    # Both kinds weigh the same, however many windows there are of each.
    return float(np.mean([float(r.float().mean()) for r in right]))
