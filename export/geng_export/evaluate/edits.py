"""Editing real windows: whether what was asked shows, and whether the rest stayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from geng_edge.condition import Condition
from geng_edge.edit import edit
from geng_edge.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from geng_edge.generator import Generator
    from geng_export.evaluate.fidelity import Captions

#: Each with the share of the window that it may touch: (first, last).
TEXTS = {
    "add a dropout near the end": (0.75, 1.0),
    "put a spike in the middle": (0.4, 0.6),
    "add a dip at 25 %": (0.15, 0.35),
    "a level shift upwards at 60 %": (0.5, 1.0),
    "no anomaly": None,
    "make it rise": None,
    "a downward trend": None,
    "no trend": None,
    "give it a period of 48 steps": None,
    "values between 10 and 30": None,
}


@dataclass(frozen=True)
class Edits:
    """Text -> ``held`` (share of windows), ``outside`` (mean drift, share of the range) or None."""

    rows: dict[str, dict[str, float]]
    windows: int

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"windows": self.windows, "rows": self.rows}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Edits:
        """What :meth:`to_dict` gave."""
        return cls(found["rows"], found["windows"])

    def to_markdown(self) -> str:
        """One row a text."""
        lines = ["| text | shows % | drift elsewhere, % of range |", "| --- | ---: | ---: |"]
        for text, row in self.rows.items():
            drift = f"{100 * row['outside']:.3f}" if "outside" in row else "-"
            lines.append(f"| {text} | {100 * row['held']:.1f} | {drift} |")
        return "\n".join(lines)


def measure(
    generator: Generator, held: Captions, *, seed: int = 0, say: Callable[[str], object]
) -> Edits:
    """Edit every window by every text.

    Cost: some 40 ms a window and text.
    """
    examples = [Reference.of(generator, w.x) for w in held]
    rows: dict[str, dict[str, float]] = {}
    for text, touched in TEXTS.items():
        shows, outside = [], []
        for i, (window, example) in enumerate(zip(held, examples, strict=True)):
            condition = Condition.from_text(text, window.interval, generator)
            edited = edit(generator, example, condition, interval=window.interval, seed=seed + i)
            shows.append(edited.held)
            if touched is not None:
                outside.append(_drift(example.values, edited.values, touched))
        rows[text] = {"held": float(np.mean(shows))}
        if outside:
            rows[text]["outside"] = float(np.mean(outside))
        say(f"edited by {text!r}")
    return Edits(rows, len(held))


def _drift(
    before: npt.NDArray[np.float32], after: npt.NDArray[np.float32], touched: tuple[float, float]
) -> float:
    """Mean absolute change of the steps that the text does not speak of, as a share of the range."""
    places = np.linspace(0.0, 1.0, len(before))
    rest = (places < touched[0]) | (places > touched[1])
    change = np.abs(after.astype(np.float64) - before)
    return float(change[rest].mean()) / float(np.ptp(before.astype(np.float64)))
