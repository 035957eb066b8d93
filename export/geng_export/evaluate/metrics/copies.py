"""Copy check: is a generated window nearer to a training window than unseen real windows are?

Distances are over every step of standardised windows. They are taken twice, the second time after
each window's least-squares line is removed: any two straight slopes are alike, and nobody copied
one from the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.signal import detrend
from scipy.spatial.distance import cdist

from geng_export.evaluate.metrics.extractor import standardised

#: Smallest distance, and the 1 % and 50 % quantiles.
Quantiles = tuple[float, float, float]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CopyCheck:
    """Root mean square distances to the nearest training window.

    Attributes:
        rows: Set of windows -> quantiles as they are, and without their line.
    """

    rows: dict[str, tuple[Quantiles, Quantiles]]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"sets": self.rows}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> CopyCheck:
        """What :meth:`to_dict` gave."""
        return cls({k: (tuple(a), tuple(b)) for k, (a, b) in found["sets"].items()})

    def to_markdown(self) -> str:
        """One row a set."""
        lines = [
            "| windows | nearest | 1 % | 50 % | without line: nearest | 1 % | 50 % |",
            "| --- |" + " ---: |" * 6,
        ]
        for name, (plain, detail) in self.rows.items():
            lines.append(f"| {name} | " + " | ".join(f"{d:.3f}" for d in (*plain, *detail)) + " |")
        return "\n".join(lines)


def copy_check(training: npt.ArrayLike, sets: Mapping[str, npt.ArrayLike]) -> CopyCheck:
    """Nearest-neighbour distances after standardising each window, so that scale hides no copy.

    Args:
        training: ``[n, length]``.
        sets: Windows to look for copies in, by name; as many of each, for more windows have a
            nearer nearest by chance alone.

    Cost: all distances; a second for a thousand windows of each.
    """
    known = np.asarray(training, dtype=np.float64)
    bare = detrend(known, axis=1)
    rows = {}
    for name, windows in sets.items():
        x = np.asarray(windows, dtype=np.float64)
        rows[name] = (_nearest(known, x), _nearest(bare, detrend(x, axis=1)))
    return CopyCheck(rows)


def _nearest(training: FloatArray, windows: FloatArray) -> Quantiles:
    known = standardised(training)
    d = cdist(standardised(windows), known).min(axis=1) / np.sqrt(known.shape[1])
    one, half = np.quantile(d, [0.01, 0.5]).tolist()
    return float(d.min()), one, half
