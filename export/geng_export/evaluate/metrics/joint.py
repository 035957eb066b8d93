"""J-FTSD: the Frechet distance on series and text embedded together (TimeWeaver, ConTSG).

A text and a series encoder are trained contrastively on pairs, as CTTP does it: the text's is a head
on frozen sentence embeddings, the series' is the convolutional network of the other measures. Both
are ours and small, so the figures compare systems within this project and none outside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F

from geng_export.evaluate.metrics.extractor import FEATURES, Extractor, standardised
from geng_export.evaluate.metrics.frechet import frechet_distance

FloatArray = npt.NDArray[np.float64]
WIDTH = 64
TEMPERATURE = 0.07


@dataclass(frozen=True)
class Joint:
    """The two encoders."""

    series: Extractor
    series_head: nn.Module
    text_head: nn.Module

    def embed(self, windows: npt.ArrayLike, texts: npt.ArrayLike) -> FloatArray:
        """Pairs -> ``[n, 128]``: the series' unit vector, then the text's."""
        x = torch.from_numpy(standardised(windows))
        with torch.no_grad():
            rows = torch.cat([self.series_head(self.series.features(p)) for p in x.split(256)])
            words = self.text_head(torch.from_numpy(np.asarray(texts, dtype=np.float32)))
        both = torch.cat([F.normalize(rows, dim=-1), F.normalize(words, dim=-1)], dim=-1)
        return both.double().numpy()

    def agreement(self, windows: npt.ArrayLike, texts: npt.ArrayLike) -> float:
        """CTTP score: mean cosine between a series and its text."""
        both = self.embed(windows, texts)
        return float((both[:, :WIDTH] * both[:, WIDTH:]).sum(axis=1).mean())

    def distance(
        self, real: npt.ArrayLike, generated: npt.ArrayLike, texts: npt.ArrayLike
    ) -> float:
        """J-FTSD of two sets of series that answer the same texts."""
        return frechet_distance(self.embed(real, texts), self.embed(generated, texts))


def train_joint(
    windows: npt.ArrayLike, texts: npt.ArrayLike, *, steps: int = 600, seed: int = 0
) -> Joint:
    """Fit on pairs: windows ``[n, length]``, sentence embeddings ``[n, width]``.

    Cost: about half a minute for 600 steps of 128 pairs on one core.
    """
    x = torch.from_numpy(standardised(windows))
    words = torch.from_numpy(np.asarray(texts, dtype=np.float32))
    torch.manual_seed(seed)
    series = Extractor(1)
    heads = [
        nn.Sequential(
            nn.Linear(width, 256), nn.LayerNorm(256), nn.LeakyReLU(0.2), nn.Linear(256, WIDTH)
        )
        for width in (FEATURES, words.shape[1])
    ]
    parts = nn.ModuleList([series, *heads])
    optimiser = torch.optim.AdamW(parts.parameters(), 1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, steps)
    same = torch.arange(128)
    for _ in range(steps):
        i = torch.randint(len(x), (128,))
        rows = F.normalize(heads[0](series.features(x[i])), dim=-1)
        said = F.normalize(heads[1](words[i]), dim=-1)
        alike = rows @ said.T / TEMPERATURE
        loss = F.cross_entropy(alike, same) + F.cross_entropy(alike.T, same)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    parts.eval().requires_grad_(False)
    return Joint(series, heads[0], heads[1])
