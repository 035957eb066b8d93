"""The feature extractor of the Frechet distance and the classifier of the inception score.

One small convolutional network, trained here on real windows to tell which family of devices a
window comes from. Its last hidden layer is the feature vector, its output the class. Windows are
standardised one by one first: what a description pins down in numbers (level, range) is measured by
the conformity columns, and would otherwise drown the shape.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F

FloatArray = npt.NDArray[np.float64]
FEATURES = 128
_CHUNK = 256


def standardised(windows: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Each window with mean 0 and standard deviation 1 (a constant one stays 0): float32."""
    x = np.asarray(windows, dtype=np.float64)
    x = x - x.mean(axis=-1, keepdims=True)
    spread = x.std(axis=-1, keepdims=True)
    return np.asarray(x / np.where(spread > 1e-12, spread, 1.0), dtype=np.float32)


class Extractor(nn.Module):
    """Five strided convolutions, mean and maximum over time, one hidden layer, class scores."""

    def __init__(self, classes: int, width: int = 32) -> None:
        super().__init__()
        sizes = [1, width, width, 2 * width, 2 * width, 2 * width]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(a, b, 7, stride=2, padding=3) for a, b in itertools.pairwise(sizes)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(b) for b in sizes[1:])
        self.hidden = nn.Linear(2 * sizes[-1], FEATURES)
        self.scores = nn.Linear(FEATURES, classes)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Standardised windows ``[batch, length]`` -> ``[batch, 128]``."""
        h = x[:, None]
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            h = F.gelu(norm(convolution(h)))
        return F.gelu(self.hidden(torch.cat([h.mean(dim=-1), h.amax(dim=-1)], dim=-1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Class scores ``[batch, classes]``."""
        return self.scores(self.features(x))


def train_extractor(
    windows: npt.ArrayLike, families: Sequence[str], *, steps: int = 400, seed: int = 0
) -> tuple[Extractor, list[str]]:
    """Fit the network to tell families apart; classes are drawn equally often.

    Args:
        windows: ``[n, length]``.
        families: The family of each window.
        steps: Optimiser steps of 128 windows; 400 take about 20 s on one core.
        seed: Of initialisation and batches.

    Returns:
        The network in evaluation mode, and the families in the order of its classes.
    """
    names = sorted(set(families))
    labels = torch.tensor([names.index(f) for f in families])
    x = torch.from_numpy(standardised(windows))
    torch.manual_seed(seed)
    network = Extractor(len(names))
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, steps)
    share = 1.0 / torch.bincount(labels, minlength=len(names)).double()
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        i = torch.multinomial(share[labels], 128, replacement=True, generator=generator)
        loss = F.cross_entropy(network(x[i]), labels[i], label_smoothing=0.1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval().requires_grad_(False), names


def features_of(network: Extractor, windows: npt.ArrayLike) -> FloatArray:
    """Features of windows ``[n, length]``: float64 ``[n, 128]``."""
    x = torch.from_numpy(standardised(windows))
    with torch.no_grad():
        rows = [network.features(part) for part in x.split(_CHUNK)]
    return torch.cat(rows).double().numpy()


def inception_score(network: Extractor, windows: npt.ArrayLike) -> float:
    """``exp(E KL(p(y|x) || p(y)))`` (Salimans et al. 2016); at least 1.

    The classifier's labels were smoothed, so the most is less than the number of classes.
    """
    x = torch.from_numpy(standardised(windows))
    with torch.no_grad():
        rows = torch.cat([network(part) for part in x.split(_CHUNK)]).double().log_softmax(dim=-1)
    marginal = torch.logsumexp(rows, dim=0) - np.log(len(rows))
    return float(((rows.exp() * (rows - marginal)).sum(dim=-1)).mean().exp())
