"""ETTh1 without text, by the protocol of Diffusion-TS (Yuan and Qiao 2024): shape alone, peer to peer.

Every window of the seven channels, one step apart, trains a bridge that is told nothing and works on
the values themselves, or one for each level of a pyramid of them (:mod:`geng_export.evaluate.pyramid`).
As in that protocol the same windows judge what is drawn, and scores are taken on channels scaled to [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from geng_export.errors import ExportError
from geng_export.evaluate.drawing import unheard
from geng_export.evaluate.kept import Arrays, Kept
from geng_export.evaluate.metrics.discriminative import discriminative_score
from geng_export.evaluate.metrics.ts2vec import context_fid, train_ts2vec
from geng_export.evaluate.pyramid import STEPS, Array, Pyramid, windows_of

CHANNELS = 7
#: What Diffusion-TS publishes for a window length: Context-FID and discriminative score.
PUBLISHED = {24: (0.116, 0.061), 256: (0.423, 0.060)}
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
        repeats: Judges are trained anew each time; one training of the bridges.
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
        pyramid = Pyramid(channels, length, seed)
        steps = pyramid.train(seconds, seed, say)
        return {"steps": np.array(steps), "windows": pyramid.draw(windows, seed + 1, say)}

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
        "steps": drawn["steps"].tolist(),
        "sampling_steps": STEPS,
        "threads": torch.get_num_threads(),
        "seed": seed,
    }
    return Unconditional(fids, scores, facts)
