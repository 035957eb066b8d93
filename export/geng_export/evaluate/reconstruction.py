"""How well the autoencoder g gives real windows back: E_y on the device, then D_y without noise."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from geng_edge._core import Model
from geng_export.data.real import RealWindow, windows

FloatArray = npt.NDArray[np.float64]
LAGS = 50
BINS = 32
CHUNK = 64


@dataclass(frozen=True)
class Reconstruction:
    """Median figures by domain; ``all`` is over every window.

    ``explained``: share of the variance; ``autocorrelation``: mean absolute difference over lags 0 to 50;
    ``marginal``: mean absolute difference of 32-bin histograms, as shares.
    """

    figures: dict[str, dict[str, float]]

    def to_markdown(self) -> str:
        """One row a domain."""
        lines = [
            "| domain | windows | variance explained | autocorrelation off | marginal off |",
            "| --- | ---: | ---: | ---: | ---: |",
        ]
        for name, row in self.figures.items():
            lines.append(
                f"| {name} | {row['windows']:.0f} | {100 * row['explained']:.1f} % | "
                f"{row['autocorrelation']:.3f} | {row['marginal']:.4f} |"
            )
        return "\n".join(lines)


def autocorrelation(x: FloatArray) -> FloatArray:
    """Lags 0 to 50 of one series; the denominator is the whole variance."""
    centred = x - x.mean()
    full = np.correlate(centred, centred, "full")[len(x) - 1 : len(x) + LAGS]
    return full / max(float(full[0]), 1e-30)


def _figures(x: FloatArray, y: FloatArray) -> tuple[float, float, float]:
    explained = 1.0 - float(np.square(x - y).sum() / np.square(x - x.mean()).sum())
    edges = np.linspace(x.min(), x.max(), BINS + 1)
    shares = [np.histogram(np.clip(v, x.min(), x.max()), edges)[0] / len(x) for v in (x, y)]
    apart = float(np.abs(autocorrelation(x) - autocorrelation(y)).mean())
    return explained, apart, float(np.abs(shares[0] - shares[1]).mean())


def measure(model: Model, folder: Path, per_file: int = 20, seed: int = 0) -> Reconstruction:
    """Encode and decode up to ``per_file`` windows of every file of ``folder``."""
    by_file: dict[str, list[RealWindow]] = defaultdict(list)
    for window in windows(folder):
        by_file[window.file].append(window)
    rng = np.random.default_rng(seed)
    chosen = [
        found[i] for found in by_file.values() for i in rng.permutation(len(found))[:per_file]
    ]
    rows: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for start in range(0, len(chosen), CHUNK):
        part = chosen[start : start + CHUNK]
        x = np.stack([w.x for w in part])
        y = model.reconstruct(model.encode_series(x), x.shape[1])
        for window, before, after in zip(part, x, y, strict=True):
            row = _figures(before.astype(np.float64), after.astype(np.float64))
            rows[window.domain].append(row)
            rows["all"].append(row)
    names = sorted(name for name in rows if name != "all")
    return Reconstruction({name: _medians(rows[name]) for name in [*names, "all"]})


def _medians(rows: list[tuple[float, float, float]]) -> dict[str, float]:
    explained, apart, marginal = np.median(np.array(rows), axis=0).tolist()
    return {
        "windows": float(len(rows)),
        "explained": explained,
        "autocorrelation": apart,
        "marginal": marginal,
    }
