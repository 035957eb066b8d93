"""C-GAN: a conditional adversarial network (Mirza and Osindero 2014), GenG's first baseline.

The generator widens noise and text to a window by convolutions; the critic reads window and text.
Hinge loss and spectral normalisation keep it stable on one core.
"""

from __future__ import annotations

import itertools
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from geng_export.evaluate.baselines.layers import Told
from geng_export.evaluate.baselines.pairs import Budget, Pairs, Sampler

NOISE, WIDTH, TOLD, BATCH = 64, 64, 128, 32
START = 16


class Generator(nn.Module):
    """Noise and text -> a window."""

    def __init__(self, text: int) -> None:
        super().__init__()
        self.told = nn.Sequential(nn.Linear(text + NOISE, TOLD), nn.SiLU())
        self.first = nn.Linear(TOLD, WIDTH * START)
        self.blocks = nn.ModuleList(Told(WIDTH, TOLD) for _ in range(6))
        self.last = nn.Conv1d(WIDTH, 1, 5, padding=2)

    def forward(self, noise: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """``[batch, 64]`` and ``[batch, text]`` -> ``[batch, 512]``."""
        vector = self.told(torch.cat([noise, texts], dim=-1))
        x = self.first(vector).view(-1, WIDTH, START)
        for i, block in enumerate(self.blocks):
            x = block(x, vector)
            if i < 5:
                x = F.interpolate(x, scale_factor=2.0)
        window: torch.Tensor = self.last(F.silu(x))[:, 0]
        return window


class Critic(nn.Module):
    """A window and a text -> how real they look together."""

    def __init__(self, text: int) -> None:
        super().__init__()
        norm = nn.utils.parametrizations.spectral_norm
        sizes = [1, 32, 64, 64, 128, 128]
        self.convolutions = nn.ModuleList(
            norm(nn.Conv1d(a, b, 7, stride=2, padding=3)) for a, b in itertools.pairwise(sizes)
        )
        self.text = norm(nn.Linear(text, 128))
        self.score = norm(nn.Linear(128, 1))

    def forward(self, windows: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """``[batch, 512]`` and ``[batch, text]`` -> ``[batch]``."""
        h = windows[:, None]
        for convolution in self.convolutions:
            h = F.leaky_relu(convolution(h), 0.2)
        h = h.mean(dim=-1)
        score: torch.Tensor = self.score(h)[:, 0] + (h * self.text(texts)).sum(dim=-1)
        return score


def train(pairs: Pairs, budget: Budget) -> Sampler:
    """Train both networks in turns, batches of 32."""
    torch.manual_seed(budget.seed)
    width = pairs.texts.shape[1]
    generator, critic = Generator(width), Critic(width)
    g = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.9))
    c = torch.optim.Adam(critic.parameters(), 4e-4, (0.5, 0.9))
    for _ in budget.steps():
        windows, texts = pairs.drawn(BATCH)
        with torch.no_grad():
            made = generator(torch.randn(BATCH, NOISE), texts)
        loss = F.relu(1 - critic(windows, texts)).mean() + F.relu(1 + critic(made, texts)).mean()
        c.zero_grad()
        loss.backward()
        c.step()
        made = generator(torch.randn(BATCH, NOISE), texts)
        loss = -critic(made, texts).mean()
        g.zero_grad()
        loss.backward()
        g.step()
    generator.eval()
    return partial(_sample, generator)


def _sample(generator: Generator, texts: torch.Tensor, seed: int) -> torch.Tensor:
    noise = torch.Generator().manual_seed(seed)
    made: torch.Tensor = generator(torch.randn(len(texts), NOISE, generator=noise), texts)
    return made
