"""Two stages against one, the paper's Table IV: real windows as examples, their captions as texts.

Every caption is answered without an example, then with its own window as one at several strengths;
and again with another window as the example, where text and example contradict each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from geng_edge.condition import Condition
from geng_edge.reference import Reference
from geng_export.evaluate.conformity import COLUMNS, RATES, Judged, judge_all, report
from geng_export.evaluate.drawing import unheard
from geng_export.evaluate.fidelity import STEPS, Captions, windows_of
from geng_export.evaluate.metrics.discriminative import paired_score
from geng_export.evaluate.metrics.extractor import standardised
from geng_export.evaluate.processes import PROCESSES, spread
from geng_export.evaluate.reconstruction import autocorrelation

if TYPE_CHECKING:
    from geng_edge.generator import Generator

Array = npt.NDArray[np.float32]
STRENGTHS = (0.0, 0.3, 0.5, 0.7, 0.9, 1.0)
#: A window differs from its example in range or mean by this share of its range at most.
WORST = 1.0
DETAILS = ("discriminative", "range off", "mean off", "autocorrelation off", "spectrum off")


@dataclass(frozen=True)
class TwoStage:
    """Column -> figure by row; a row's name says whose window was the example, and its strength.

    Columns: those of :data:`DETAILS`, against the example, and conformity in per cent.
    """

    rows: dict[str, dict[str, float]]
    facts: dict[str, object]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {**self.facts, "rows": self.rows}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> TwoStage:
        """What :meth:`to_dict` gave."""
        return cls(found["rows"], {k: v for k, v in found.items() if k != "rows"})

    def to_markdown(self) -> str:
        """One row a strength: details, then conformity."""
        columns = [*DETAILS, *COLUMNS]
        titles = [*DETAILS, *(f"{c} %" if c in RATES else f"{c} error %" for c in COLUMNS)]
        lines = [
            "| example and strength | " + " | ".join(titles) + " |",
            "| --- |" + " ---: |" * len(columns),
        ]
        for name, row in self.rows.items():
            cells = [f"{row[c]:.{3 if c in DETAILS else 1}f}" if c in row else "-" for c in columns]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


def measure(
    generator: Generator,
    held: Captions,
    *,
    strengths: Sequence[float] = STRENGTHS,
    other: float = 0.7,
    seed: int = 0,
    processes: int = PROCESSES,
    say: Callable[[str], object] = unheard,
) -> TwoStage:
    """Draw and judge every row.

    Args:
        generator: The model.
        held: Captioned real windows that nothing was trained on.
        strengths: Of the window's own caption; 0 is one stage.
        other: Strength where the example is another caption's window.
        seed: Of the first series.
        processes: Processes that judge.
        say: Told of progress.

    Cost: some 60 ms a window and row, and seven minutes a row for the discriminative score.
    """
    examples = [Reference.of(generator, w.x) for w in held]
    others = [*examples[len(examples) // 2 :], *examples[: len(examples) // 2]]
    ways = {f"its own, {s:g}" if s else "none": (examples, s) for s in strengths}
    ways[f"another's, {other:g}"] = (others, other)
    drawn: dict[str, Array] = {}
    for name, (references, strength) in ways.items():
        drawn[name] = _answers(generator, held, references, strength, seed)
        say(f"drew with {name}")
    real = windows_of(held)
    told = spread(
        _told_apart,
        repeat(standardised(real)),
        [standardised(x) for x in drawn.values()],
        repeat(STEPS["discriminative"]),
        repeat(seed),
        processes=processes,
    )
    rows: dict[str, dict[str, float]] = {}
    for (name, x), apart in zip(drawn.items(), told, strict=True):
        judged = judge_all(
            [v[None] for v in x], [w.claims for w in held], [w.task for w in held], processes
        )
        rows[name] = {"discriminative": float(apart)} | _apart(real, x) | _conformity(judged)
    return TwoStage(rows, {"windows": len(held), "seed": seed})


def _told_apart(real: Array, made: Array, steps: int, seed: int) -> float:
    return paired_score(real, made, steps=steps, seed=seed)


def _answers(
    generator: Generator,
    held: Captions,
    references: Sequence[Reference],
    strength: float,
    seed: int,
) -> Array:
    rows = []
    for i, (asked, reference) in enumerate(zip(held, references, strict=True)):
        condition = Condition.from_text(asked.text, asked.interval, generator)
        series = generator.generate(
            condition,
            interval=asked.interval,
            seed=seed + i,
            reference=reference,
            strength=strength,
        )
        rows.append(series.values[0])
    return np.stack(rows)


def _apart(real: Array, made: Array) -> dict[str, float]:
    """How far each window is from its own real one: means over windows."""
    figures: dict[str, list[float]] = defaultdict(list)
    for x, y in zip(real.astype(np.float64), made.astype(np.float64), strict=True):
        span = float(np.ptp(x))
        figures["range off"].append(min(WORST, abs(float(np.ptp(y)) - span) / span))
        figures["mean off"].append(min(WORST, abs(float(y.mean() - x.mean())) / span))
        figures["autocorrelation off"].append(
            float(np.abs(autocorrelation(x) - autocorrelation(y)).mean())
        )
        figures["spectrum off"].append(float(np.abs(_spectrum(x) - _spectrum(y)).mean()))
    return {name: float(np.mean(values)) for name, values in figures.items()}


def _spectrum(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Log10 of the periodogram of a standardised window, floored where nothing is heard."""
    scaled = (x - x.mean()) / max(float(x.std()), 1e-30)
    return np.asarray(np.log10(np.abs(np.fft.rfft(scaled)[1:]) ** 2 + 1e-2))


def _conformity(judged: Sequence[Judged]) -> dict[str, float]:
    return report(judged, {}).raw[0]
