"""T2S: flow matching by a diffusion transformer in the latent of a series autoencoder (Ge et al. 2025).

The strongest small design from text to series that a paper describes fully enough to rebuild. A
convolutional variational autoencoder shortens the window eightfold; a transformer with adaptive
normalisation carries noise to latents along straight lines, told by text and time; samples take 20
Euler steps with guidance.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from geng_export.evaluate.baselines.layers import time_features
from geng_export.evaluate.baselines.pairs import LENGTH, Budget, Pairs, Sampler

LATENT, WIDTH, HEADS, BLOCKS, BATCH, STEPS = 8, 128, 4, 4, 32, 20
SHORTER = 8
GUIDANCE, DROPPED = 2.0, 0.1
#: Share of the budget that goes to the autoencoder.
FIRST = 0.3


class Autoencoder(nn.Module):
    """Windows ``[batch, 512]`` <-> latents ``[batch, 64, 8]``."""

    def __init__(self) -> None:
        super().__init__()
        down = [nn.Conv1d(a, 48, 4, 2, 1) for a in (1, 48, 48)]
        up = [nn.ConvTranspose1d(a, 48, 4, 2, 1) for a in (LATENT, 48, 48)]
        self.down = nn.Sequential(
            *(m for conv in down for m in (conv, nn.SiLU())),
            nn.Conv1d(48, 2 * LATENT, 5, padding=2),
        )
        self.up = nn.Sequential(
            *(m for conv in up for m in (conv, nn.SiLU())), nn.Conv1d(48, 1, 7, padding=3)
        )

    def encode(self, windows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log variance of the latents."""
        mean, spread = self.down(windows[:, None]).transpose(1, 2).chunk(2, dim=-1)
        return mean, spread

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents -> windows."""
        windows: torch.Tensor = self.up(latents.transpose(1, 2))[:, 0]
        return windows


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.mlp = nn.Sequential(
            nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)
        )
        self.told = nn.Linear(WIDTH, 6 * WIDTH)
        nn.init.zeros_(self.told.weight)
        nn.init.zeros_(self.told.bias)

    def forward(self, x: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
        a, b, c, d, e, f = self.told(vector)[:, None].chunk(6, dim=-1)
        h = F.layer_norm(x, (WIDTH,)) * (1 + a) + b
        x = x + c * self.attention(h, h, h, need_weights=False)[0]
        h = F.layer_norm(x, (WIDTH,)) * (1 + d) + e
        kept: torch.Tensor = x + f * self.mlp(h)
        return kept


class Flow(nn.Module):
    """Latents on their way, times and texts -> velocities."""

    def __init__(self, text: int) -> None:
        super().__init__()
        self.told = nn.Sequential(
            nn.Linear(text + 64, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU()
        )
        self.first = nn.Linear(LATENT, WIDTH)
        self.position = nn.Parameter(0.02 * torch.randn(LENGTH // SHORTER, WIDTH))
        self.blocks = nn.ModuleList(_Block() for _ in range(BLOCKS))
        self.last = nn.Linear(WIDTH, LATENT)

    def forward(self, z: torch.Tensor, t: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """``[batch, 64, 8]``, times 0..1 ``[batch]`` and ``[batch, text]`` -> ``[batch, 64, 8]``."""
        vector = self.told(torch.cat([texts, time_features(t)], dim=-1))
        h = self.first(z) + self.position
        for block in self.blocks:
            h = block(h, vector)
        velocity: torch.Tensor = self.last(F.layer_norm(h, (WIDTH,)))
        return velocity


def train(pairs: Pairs, budget: Budget) -> Sampler:
    """Train the autoencoder, then the flow in its latent; batches of 32."""
    coder = _autoencoder(pairs, Budget(FIRST * budget.seconds, budget.most, budget.seed))
    with torch.no_grad():
        latents = torch.cat([coder.encode(part)[0] for part in pairs.windows.split(256)])
    mean, spread = latents.mean(dim=(0, 1)), latents.std(dim=(0, 1))
    known = Pairs((latents - mean) / spread, pairs.texts)
    network = Flow(pairs.texts.shape[1])
    averaged = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995)
    )
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3)
    rest = Budget((1.0 - FIRST) * budget.seconds, budget.most, budget.seed + 1)
    for share in rest.steps():
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * (1.0 - share)
        z, texts = known.drawn(BATCH)
        texts = texts * (torch.rand(BATCH, 1) >= DROPPED)
        t = torch.rand(BATCH)
        noise = torch.randn_like(z)
        at = (1 - t)[:, None, None] * noise + t[:, None, None] * z
        loss = F.mse_loss(network(at, t, texts), z - noise)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        averaged.update_parameters(network)
    network.load_state_dict(averaged.module.state_dict())
    network.eval()
    return partial(_sample, network, coder, mean, spread)


def _sample(
    network: Flow,
    coder: Autoencoder,
    mean: torch.Tensor,
    spread: torch.Tensor,
    texts: torch.Tensor,
    seed: int,
) -> torch.Tensor:
    parts = [_euler(network, p, seed + i) for i, p in enumerate(texts.split(128))]
    return torch.cat([coder.decode(part * spread + mean) for part in parts])


def _autoencoder(pairs: Pairs, budget: Budget) -> Autoencoder:
    torch.manual_seed(budget.seed)
    coder = Autoencoder()
    optimiser = torch.optim.AdamW(coder.parameters(), 2e-3)
    for share in budget.steps():
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1.0 - share)
        windows, _ = pairs.drawn(BATCH)
        mean, spread = coder.encode(windows)
        back = coder.decode(mean + torch.randn_like(mean) * (0.5 * spread).exp())
        divergence = 0.5 * (mean.square() + spread.exp() - 1.0 - spread).mean()
        loss = F.mse_loss(back, windows) + 1e-3 * divergence
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return coder.eval().requires_grad_(False)


def _euler(network: Flow, texts: torch.Tensor, seed: int) -> torch.Tensor:
    noise = torch.Generator().manual_seed(seed)
    z = torch.randn(len(texts), LENGTH // SHORTER, LATENT, generator=noise)
    for step in range(STEPS):
        t = torch.full((len(texts),), step / STEPS)
        told = network(z, t, texts)
        z = z + (told + GUIDANCE * (told - network(z, t, torch.zeros_like(texts)))) / STEPS
    return z
