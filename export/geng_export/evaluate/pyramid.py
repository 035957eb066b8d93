"""Windows of several channels without a condition, drawn from coarse to fine.

One bridge draws the means of long stretches. Each finer level is a line through the means of the level
above plus details, and the details of every stretch are a token of another bridge, which sees those
means: a Laplacian pyramid (Burt and Adelson 1983) with one diffusion model a level (Denton et al. 2015,
Ho et al. 2022). One bridge over all of a long window would have to learn its spectrum, which spans four
powers of ten, from one loss; details in their own principal components all count alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from geng_export.evaluate.baselines.pairs import Budget
from geng_export.evaluate.drawing import unheard
from geng_export.models.bridge import Bridge, BridgeConfig, cosine_alpha_bar
from geng_export.models.sampling import dpmpp_2m
from geng_export.models.text_expert import NUMBER_WIDTH
from geng_export.train.bridge import Average, stratified

Array = npt.NDArray[np.float32]
#: Length of a window -> values of each channel at every level, and the share of the training it takes.
LEVELS = {24: {24: 1.0}, 256: {4: 0.15, 32: 0.35, 256: 0.5}}
DIM, DEPTH, HEADS = 128, 6, 4
LEARNING_RATE, WARMUP, EMA = 1e-3, 200, 0.999
#: Windows a step: more of them where a window has few tokens.
BATCH, BATCH_TOKENS = 64, 512
STEPS, CHUNK = 50, 250
#: Noise on what a level is told while it learns, in standard deviations (conditioning augmentation, Ho et
#: al. 2022): means that were drawn are nearly a window's, and from exact ones it learns windows by heart.
TOLD_NOISE = 0.2
#: Every so many windows make the principal components (at every hour of the day: 7 and 24 share no
#: divisor), and the standard deviation of those left out.
THINNED, NEGLIGIBLE = 7, 1e-5


def windows_of(channels: Array, length: int) -> Array:
    """Every window of ``[steps, channels]``: ``[n, length, channels]``, a view."""
    return np.lib.stride_tricks.sliding_window_view(channels, length, axis=0).swapaxes(1, 2)


def means(x: torch.Tensor, length: int) -> torch.Tensor:
    """Of equal stretches: ``[n, steps, channels]`` -> ``[n, length, channels]``."""
    return x.unflatten(1, (length, -1)).mean(dim=2)


def line(coarse: torch.Tensor, length: int) -> torch.Tensor:
    """A line through means that keeps them: ``[n, m, channels]`` -> ``[n, length, channels]``."""
    y = F.interpolate(coarse.transpose(1, 2), length, mode="linear").transpose(1, 2)
    stretches = y.unflatten(1, (coarse.shape[1], -1))
    return (stretches - stretches.mean(dim=2, keepdim=True) + coarse[:, :, None]).flatten(1, 2)


@dataclass(frozen=True)
class Components:
    """Principal components of unit variance: mean ``[d]``, the way there ``[d, w]`` and back."""

    mean: torch.Tensor
    there: torch.Tensor
    back: torch.Tensor

    @classmethod
    def of(cls, rows: torch.Tensor) -> Components:
        """Of rows ``[n, d]``; components that do not vary are left out."""
        mean = rows.mean(dim=0)
        _, singular, axes = torch.linalg.svd(rows - mean, full_matrices=False)
        std = singular / math.sqrt(len(rows))
        axes, std = axes[std > NEGLIGIBLE], std[std > NEGLIGIBLE]
        return cls(mean, axes.T / std, axes * std[:, None])

    @property
    def width(self) -> int:
        """How many there are."""
        return self.there.shape[1]

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """``[..., d]`` -> ``[..., w]``."""
        return (x - self.mean) @ self.there

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """``[..., w]`` -> ``[..., d]``."""
        return z @ self.back + self.mean


class Level:
    """A bridge whose tokens are ``x0`` ``[n, tokens, width]``, next to what it is told of each."""

    def __init__(self, tokens: int, width: int, told: int, seed: int) -> None:
        self.tokens, self.width = tokens, width
        torch.manual_seed(seed)
        # The condition's layer is never used; it takes the least width there is.
        self.bridge = Bridge(
            BridgeConfig(tokens, width + told, NUMBER_WIDTH + 1, dim=DIM, depth=DEPTH, heads=HEADS)
        )
        self.alpha_bar = cosine_alpha_bar()

    def _v(self, x: torch.Tensor, told: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            v = self.bridge(torch.cat([x, told], dim=2), t, self.bridge.null_memory(len(x)))
        return v[..., : self.width].float()

    def train(
        self,
        batch: Callable[[npt.NDArray[np.int64]], tuple[torch.Tensor, ...]],
        budget: Budget,
        of: int,
    ) -> int:
        """v-prediction as in the bridge's training; leaves the averaged weights; returns the steps.

        Args:
            batch: Numbers of windows -> ``x0`` and what is told, ``[n, tokens, .]``.
            budget: Of this level.
            of: How many windows there are.
        """
        bridge, steps = self.bridge, 0
        optimiser = torch.optim.AdamW(bridge.parameters(), LEARNING_RATE, (0.9, 0.99), fused=True)
        average = Average(bridge, EMA)
        rng = np.random.default_rng(budget.seed)
        size = max(BATCH, BATCH_TOKENS // self.tokens)
        for share in budget.steps():
            rate = LEARNING_RATE * min((steps + 1) / WARMUP, 0.5 * (1 + math.cos(math.pi * share)))
            for group in optimiser.param_groups:
                group["lr"] = rate
            x0, told = batch(rng.integers(of, size=size))
            told = told + TOLD_NOISE * torch.randn_like(told)
            t = stratified(size, len(self.alpha_bar))
            alpha_bar = self.alpha_bar[t][:, None, None]
            alpha, sigma = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
            noise = torch.randn_like(x0)
            v = self._v(alpha * x0 + sigma * noise, told, t)
            loss = F.mse_loss(v, alpha * noise - sigma * x0)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(bridge.parameters(), 1.0)
            optimiser.step()
            steps += 1
            average.update(bridge, steps)
        bridge.load_state_dict(average.weights)
        return steps

    def draw(self, told: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """By DPM-Solver++(2M): what is told ``[n, tokens, .]`` -> tokens ``[n, tokens, width]``."""
        x = torch.randn(len(told), self.tokens, self.width, generator=noise)

        def v(x: torch.Tensor, t: int) -> torch.Tensor:
            return self._v(x, told, torch.full((len(x),), t))

        return dpmpp_2m(v, self.alpha_bar, x, STEPS)


class Pyramid:
    """Learns the windows of a series of several channels and draws more.

    Args:
        channels: The series, ``[steps, channels]``.
        length: Steps of a window, one of :data:`LEVELS`.
        seed: Of every bridge's weights.
    """

    def __init__(self, channels: Array, length: int, seed: int) -> None:
        self.windows, self.lengths = windows_of(channels, length), list(LEVELS[length])
        self.mean = torch.from_numpy(channels.mean(axis=0))
        self.std = torch.from_numpy(channels.std(axis=0))
        some = self.scaled(self.windows[::THINNED])
        self.means = [Components.of(means(some, n).flatten(0, 1)) for n in self.lengths]
        self.details = [
            Components.of(_details(some, above, here).flatten(0, 1))
            for above, here in pairwise(self.lengths)
        ]
        self.levels = [Level(self.lengths[0], self.means[0].width, 0, seed)]
        for above, told, details in zip(self.lengths, self.means, self.details, strict=False):
            self.levels.append(Level(above, details.width, told.width, seed))

    def scaled(self, windows: Array) -> torch.Tensor:
        """Windows with every channel standardised."""
        return (torch.from_numpy(np.ascontiguousarray(windows)) - self.mean) / self.std

    def tokens_of(self, level: int, windows: Array) -> tuple[torch.Tensor, torch.Tensor]:
        """What a level's bridge is to draw of windows, and what it is told."""
        x = self.scaled(windows)
        if level == 0:
            x0 = self.means[0].encode(means(x, self.lengths[0]))
            return x0, x0[..., :0]
        above, here = self.lengths[level - 1 : level + 1]
        told = self.means[level - 1].encode(means(x, above))
        return self.details[level - 1].encode(_details(x, above, here)), told

    def finer(self, level: int, coarse: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """The level above and a level's own tokens -> its means ``[n, length, channels]``, standardised."""
        added = self.details[level - 1].decode(tokens)
        return line(coarse, self.lengths[level]) + added.reshape(
            len(coarse), self.lengths[level], -1
        )

    def train(self, seconds: float, seed: int, say: Callable[[str], object] = unheard) -> list[int]:
        """Every level in turn; returns the steps of each."""
        shares = LEVELS[self.lengths[-1]].values()
        out = []
        for number, (level, share) in enumerate(zip(self.levels, shares, strict=True)):

            def batch(i: npt.NDArray[np.int64], n: int = number) -> tuple[torch.Tensor, ...]:
                return self.tokens_of(n, self.windows[i])

            budget = Budget(share * seconds, seed=seed)
            out.append(level.train(batch, budget, len(self.windows)))
            say(f"trained level {number}, {out[-1]} steps")
        return out

    @torch.no_grad()
    def draw(self, count: int, seed: int, say: Callable[[str], object] = unheard) -> Array:
        """``[count, length, channels]`` in the windows' own scale."""
        noise = torch.Generator().manual_seed(seed)
        parts = []
        for first in range(0, count, CHUNK):
            n = min(CHUNK, count - first)
            x0 = self.levels[0].draw(torch.empty(n, self.lengths[0], 0), noise)
            x = self.means[0].decode(x0)
            for number in range(1, len(self.levels)):
                told = self.means[number - 1].encode(x)
                x = self.finer(number, x, self.levels[number].draw(told, noise))
            parts.append(x * self.std + self.mean)
            say(f"drew {first + n} of {count} windows")
        return torch.cat(parts).numpy()


def _details(x: torch.Tensor, above: int, here: int) -> torch.Tensor:
    """What the means of ``here`` add to the line of ``above``: ``[n, above, here / above * channels]``."""
    added = means(x, here) - line(means(x, above), here)
    return added.unflatten(1, (above, -1)).flatten(2)
