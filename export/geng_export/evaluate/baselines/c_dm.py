"""C-DM: a conditional diffusion model on the values themselves (Ho et al. 2020), GenG's second baseline.

A U-Net over the window predicts the noise; text and time tell its blocks what to do. Guidance is
free of a classifier, as in GenG; samples take 50 DDIM steps.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from geng_export.evaluate.baselines.layers import Told, time_features
from geng_export.evaluate.baselines.pairs import LENGTH, Budget, Pairs, Sampler
from geng_export.models.bridge import cosine_alpha_bar

WIDTH, TOLD, BATCH, LEVELS, STEPS = 48, 128, 32, 4, 50
GUIDANCE, DROPPED = 1.0, 0.1


class UNet(nn.Module):
    """Noised windows, times and texts -> their noise."""

    def __init__(self, text: int) -> None:
        super().__init__()
        self.told = nn.Sequential(
            nn.Linear(text + 64, TOLD), nn.SiLU(), nn.Linear(TOLD, TOLD), nn.SiLU()
        )
        self.first = nn.Conv1d(1, WIDTH, 7, padding=3)
        self.down = nn.ModuleList(Told(WIDTH, TOLD) for _ in range(LEVELS))
        self.shrink = nn.ModuleList(nn.Conv1d(WIDTH, WIDTH, 4, 2, 1) for _ in range(LEVELS))
        self.middle = Told(WIDTH, TOLD)
        self.up = nn.ModuleList(Told(WIDTH, TOLD) for _ in range(LEVELS))
        self.widen = nn.ModuleList(nn.ConvTranspose1d(WIDTH, WIDTH, 4, 2, 1) for _ in range(LEVELS))
        self.last = nn.Conv1d(WIDTH, 1, 7, padding=3)

    def forward(self, x: torch.Tensor, t: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """``[batch, 512]``, times 0..1 ``[batch]`` and ``[batch, text]`` -> ``[batch, 512]``."""
        vector = self.told(torch.cat([texts, time_features(t)], dim=-1))
        h, kept = self.first(x[:, None]), []
        for block, shrink in zip(self.down, self.shrink, strict=True):
            h = block(h, vector)
            kept.append(h)
            h = shrink(h)
        h = self.middle(h, vector)
        for block, widen in zip(self.up, self.widen, strict=True):
            h = block(widen(h) + kept.pop(), vector)
        noise: torch.Tensor = self.last(F.silu(h))[:, 0]
        return noise


def train(pairs: Pairs, budget: Budget) -> Sampler:
    """Train by noise prediction on 500 levels, batches of 32."""
    torch.manual_seed(budget.seed)
    network = UNet(pairs.texts.shape[1])
    averaged = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995)
    )
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3)
    alpha_bar = cosine_alpha_bar()
    for share in budget.steps():
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * (1.0 - share)
        x0, texts = pairs.drawn(BATCH)
        texts = texts * (torch.rand(BATCH, 1) >= DROPPED)
        t = torch.randint(len(alpha_bar), (BATCH,))
        a = alpha_bar[t][:, None]
        noise = torch.randn_like(x0)
        x = a.sqrt() * x0 + (1 - a).sqrt() * noise
        loss = F.mse_loss(network(x, t / len(alpha_bar), texts), noise)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        averaged.update_parameters(network)
    network.load_state_dict(averaged.module.state_dict())
    network.eval()
    return partial(_sample, network)


def _sample(network: UNet, texts: torch.Tensor, seed: int) -> torch.Tensor:
    parts = [_ddim(network, p, seed + i) for i, p in enumerate(texts.split(128))]
    return torch.cat(parts)


def _ddim(network: UNet, texts: torch.Tensor, seed: int) -> torch.Tensor:
    alpha_bar = cosine_alpha_bar()
    levels = torch.linspace(len(alpha_bar) - 1, 0, STEPS).round().long().tolist()
    x = torch.randn(len(texts), LENGTH, generator=torch.Generator().manual_seed(seed))
    for level, following in zip(levels, [*levels[1:], -1], strict=True):
        t = torch.full((len(texts),), level / len(alpha_bar))
        told = network(x, t, texts)
        noise = told + GUIDANCE * (told - network(x, t, torch.zeros_like(texts)))
        a = alpha_bar[level]
        x0 = ((x - (1 - a).sqrt() * noise) / a.sqrt()).clamp(-6.0, 6.0)
        noise = (x - a.sqrt() * x0) / (1 - a).sqrt()
        b = alpha_bar[following] if following >= 0 else torch.ones(())
        x = b.sqrt() * x0 + (1 - b).sqrt() * noise
    return x
