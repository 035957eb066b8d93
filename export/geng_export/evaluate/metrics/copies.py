"""Copy check: is a generated window nearer to a training window than unseen real windows are?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import dct
from scipy.spatial import cKDTree

from geng_export.evaluate.metrics.extractor import standardised

#: Leading cosine coefficients that stand for a standardised window; a copy agrees in all of them.
COEFFICIENTS = 64


@dataclass(frozen=True)
class CopyCheck:
    """Distances to the nearest training window, as root mean square of standardised windows.

    Attributes:
        generated, held_out: Smallest distance, and the 1 % and 50 % quantiles, of each set.
        closer: Share of generated windows nearer than the nearest held-out one.
    """

    generated: tuple[float, float, float]
    held_out: tuple[float, float, float]
    closer: float

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> CopyCheck:
        """What ``vars`` gave."""
        return cls(tuple(found["generated"]), tuple(found["held_out"]), found["closer"])

    def to_markdown(self) -> str:
        """One row a set."""
        lines = ["| windows | nearest | 1 % | 50 % |", "| --- | ---: | ---: | ---: |"]
        for name, row in (("generated", self.generated), ("real, held out", self.held_out)):
            lines.append(f"| {name} | " + " | ".join(f"{d:.4f}" for d in row) + " |")
        return "\n".join(lines)


def copy_check(
    training: npt.ArrayLike, held_out: npt.ArrayLike, generated: npt.ArrayLike
) -> CopyCheck:
    """Nearest-neighbour distances after standardising each window, so that scale hides no copy.

    Args:
        training, held_out, generated: ``[n, length]``, one length.

    Cost: a tree of the training windows; about a second for ten thousand of them.
    """
    tree = cKDTree(_coefficients(training))
    found = [tree.query(_coefficients(x))[0] for x in (held_out, generated)]
    held, made = ((float(d.min()), *np.quantile(d, [0.01, 0.5]).tolist()) for d in found)
    return CopyCheck(made, held, float((found[1] < found[0].min()).mean()))


def _coefficients(windows: npt.ArrayLike) -> npt.NDArray[np.float64]:
    x = standardised(windows).astype(np.float64)
    return np.asarray(dct(x, axis=1, norm="ortho")[:, :COEFFICIENTS] / np.sqrt(x.shape[1]))
