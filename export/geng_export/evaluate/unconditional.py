"""ETTh1 without text, by the protocol of Diffusion-TS (Yuan and Qiao 2024): shape alone, peer to peer.

Every window of the seven channels, one step apart, trains a bridge that is told nothing and works on
the values themselves: a token is a patch of all channels. As in that protocol the same windows judge
what it draws, and scores are taken on channels scaled to [0, 1].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.nn import functional as F

from geng_export.errors import ExportError
from geng_export.evaluate.baselines.pairs import Budget
from geng_export.evaluate.drawing import unheard
from geng_export.evaluate.kept import Arrays, Kept
from geng_export.evaluate.metrics.discriminative import discriminative_score
from geng_export.evaluate.metrics.ts2vec import context_fid, train_ts2vec
from geng_export.models.bridge import Bridge, BridgeConfig, cosine_alpha_bar
from geng_export.models.sampling import dpmpp_2m
from geng_export.models.text_expert import NUMBER_WIDTH
from geng_export.train.bridge import Average, stratified

Array = npt.NDArray[np.float32]
CHANNELS = 7
#: What Diffusion-TS publishes for a window length: Context-FID and discriminative score.
PUBLISHED = {24: (0.116, 0.061), 256: (0.423, 0.060)}
#: Steps of a window in one token.
PATCHES = {24: 1, 256: 4}
DIM, DEPTH, HEADS = 128, 6, 4
BATCH, LEARNING_RATE, WARMUP, EMA = 64, 1e-3, 200, 0.999
STEPS, CHUNK = 50, 250
#: Optimiser steps of the judges, as their authors have them at this size of data.
JUDGE = {"discriminative": 2000, "ts2vec": 600}


@dataclass(frozen=True)
class Unconditional:
    """Scores of each repeat, and what made them."""

    context_fid: list[float]
    discriminative: list[float]
    facts: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **self.facts,
            "context_fid": self.context_fid,
            "discriminative": self.discriminative,
        }

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Unconditional:
        """What :meth:`to_dict` gave."""
        facts = dict(found)
        return cls(facts.pop("context_fid"), facts.pop("discriminative"), facts)

    def to_markdown(self) -> str:
        """A table: mean and 95 % interval over the repeats beside what is published."""
        fid, score = PUBLISHED[self.facts["length"]]
        return "\n".join(
            [
                "| ETTh1, windows of " + str(self.facts["length"]) + " | here | Diffusion-TS |",
                "| --- | ---: | ---: |",
                f"| Context-FID | {_interval(self.context_fid)} | {fid:.3f} |",
                f"| discriminative | {_interval(self.discriminative)} | {score:.3f} |",
            ]
        )


def _interval(values: list[float]) -> str:
    from scipy import stats

    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.3f}"
    half = float(stats.sem(values) * stats.t.ppf(0.975, len(values) - 1))
    return f"{mean:.3f} ± {half:.3f}"


def read_channels(folder: str | Path) -> Array:
    """ETTh1's channels, each scaled to [0, 1]: float32 ``[17420, 7]``.

    Raises:
        ExportError: The file is not there or has other columns.
    """
    path = Path(folder) / "ett" / "ETTh1.csv.gz"
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise ExportError(f"{path}: {error}; it must be ETTh1 as CSV") from error
    values = table.drop(columns="date", errors="ignore").to_numpy(np.float64)
    if values.shape[1] != CHANNELS or not np.isfinite(values).all():
        raise ExportError(f"{path}: {values.shape[1]} columns; it must have {CHANNELS} of numbers")
    low, high = values.min(axis=0), values.max(axis=0)
    return ((values - low) / (high - low)).astype(np.float32)


def windows_of(channels: Array, length: int) -> Array:
    """Every window: ``[n, length, channels]``, a view."""
    return np.lib.stride_tricks.sliding_window_view(channels, length, axis=0).swapaxes(1, 2)


class Drawer:
    """A bridge over patches of windows, and the scale it works in."""

    def __init__(self, channels: Array, length: int, seed: int) -> None:
        self.length, self.patch = length, PATCHES[length]
        self.mean = torch.from_numpy(channels.mean(axis=0))
        self.std = torch.from_numpy(channels.std(axis=0))
        self.tokens = length // self.patch
        torch.manual_seed(seed)
        # The condition's layer is never used; it takes the least width there is.
        self.bridge = Bridge(
            BridgeConfig(
                self.tokens,
                self.patch * CHANNELS,
                condition_width=NUMBER_WIDTH + 1,
                dim=DIM,
                depth=DEPTH,
                heads=HEADS,
            )
        )
        self.alpha_bar = cosine_alpha_bar()

    def tokens_of(self, windows: Array) -> torch.Tensor:
        """Windows ``[n, length, channels]`` -> standardised patches ``[n, tokens, width]``."""
        x = (torch.from_numpy(np.ascontiguousarray(windows)) - self.mean) / self.std
        return x.reshape(len(x), self.tokens, -1)

    def train(self, windows: Array, budget: Budget) -> int:
        """v-prediction as in the bridge's training; leaves the averaged weights; returns the steps."""
        bridge, steps = self.bridge, 0
        optimiser = torch.optim.AdamW(bridge.parameters(), LEARNING_RATE, (0.9, 0.99), fused=True)
        average = Average(bridge, EMA)
        rng = np.random.default_rng(budget.seed)
        for share in budget.steps():
            rate = LEARNING_RATE * min((steps + 1) / WARMUP, 0.5 * (1 + math.cos(math.pi * share)))
            for group in optimiser.param_groups:
                group["lr"] = rate
            x0 = self.tokens_of(windows[rng.integers(len(windows), size=BATCH)])
            t = stratified(BATCH, len(self.alpha_bar))
            alpha_bar = self.alpha_bar[t][:, None, None]
            alpha, sigma = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
            noise = torch.randn_like(x0)
            with torch.autocast("cpu", torch.bfloat16):
                v = bridge(alpha * x0 + sigma * noise, t, bridge.null_memory(BATCH))
            loss = F.mse_loss(v.float(), alpha * noise - sigma * x0)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(bridge.parameters(), 1.0)
            optimiser.step()
            steps += 1
            average.update(bridge, steps)
        bridge.load_state_dict(average.weights)
        return steps

    @torch.no_grad()
    def draw(self, count: int, seed: int, say: Callable[[str], object] = unheard) -> Array:
        """``[count, length, channels]`` by DPM-Solver++(2M)."""
        noise = torch.Generator().manual_seed(seed)
        parts = []
        for first in range(0, count, CHUNK):
            n = min(CHUNK, count - first)
            x = torch.randn(n, self.tokens, self.patch * CHANNELS, generator=noise)
            with torch.autocast("cpu", torch.bfloat16):
                memory = self.bridge.null_memory(n)

                def v(x: torch.Tensor, t: int, memory: torch.Tensor = memory) -> torch.Tensor:
                    return self.bridge(x, torch.full((len(x),), t), memory).float()

                x = dpmpp_2m(v, self.alpha_bar, x, STEPS)
            parts.append(x.reshape(n, self.length, CHANNELS) * self.std + self.mean)
            say(f"drew {first + n} of {count} windows")
        return torch.cat(parts).numpy()


def measure(
    folder: str | Path,
    length: int,
    *,
    seconds: float,
    windows: int,
    repeats: int = 5,
    seed: int = 0,
    kept: Path | None = None,
    say: Callable[[str], object] = unheard,
) -> Unconditional:
    """Train, draw and judge.

    Args:
        folder: Real data; ``ett/ETTh1.csv.gz`` in it is read.
        length: Steps of a window, 24 or 256.
        seconds: Processor time of the training.
        windows: Drawn, and as many real ones beside them, at random.
        repeats: Judges are trained anew each time; one training of the bridge.
        seed: Of initialisation, batches, noise and judges.
        kept: A folder for what was drawn and judged: a measure that was stopped goes on from it.
        say: Told of progress.

    Raises:
        ExportError: The data is not there, ``kept`` is of other settings, or ``length`` is another one.
    """
    if length not in PUBLISHED:
        raise ExportError(f"length is {length}; it must be one of {sorted(PUBLISHED)}")
    channels = read_channels(folder)
    all_windows = windows_of(channels, length)
    settings = {"length": length, "seconds": seconds, "windows": windows, "seed": seed}
    parts = Kept(kept, settings)

    def draw() -> Arrays:
        drawer = Drawer(channels, length, seed)
        steps = drawer.train(all_windows, Budget(seconds, seed=seed))
        say(f"trained {steps} steps")
        return {"steps": np.array(steps), "windows": drawer.draw(windows, seed + 1, say)}

    drawn = parts.arrays("drawn", draw)

    def judge(repeat: int) -> list[float]:
        rng = np.random.default_rng((seed, repeat))
        chosen = rng.choice(len(all_windows), size=min(windows, len(all_windows)), replace=False)
        real, made = np.ascontiguousarray(all_windows[np.sort(chosen)]), drawn["windows"]
        network = train_ts2vec(real, steps=JUDGE["ts2vec"], seed=seed + repeat)
        steps = JUDGE["discriminative"]
        return [
            context_fid(network, real, made),
            discriminative_score(real, made, kind="gru", steps=steps, seed=seed + repeat),
        ]

    fids, scores = [], []
    for i in range(repeats):
        fid, score = parts.figures(f"repeat-{i}", partial(judge, i))
        fids.append(fid)
        scores.append(score)
        say(f"repeat {i}: Context-FID {fid:.3f}, discriminative {score:.3f}")
    facts = {
        "data": "ETTh1",
        "length": length,
        "windows": windows,
        "seconds": seconds,
        "steps": int(drawn["steps"]),
        "sampling_steps": STEPS,
        "threads": torch.get_num_threads(),
        "seed": seed,
    }
    return Unconditional(fids, scores, facts)
