"""Continuation and imputation of real windows, against naive ways and a forecaster.

From each window 64 steps are taken away, at its end or from its middle, and drawn again. Figures are
shares of the window's range, by domain: the absolute error of the median and the continuous ranked
probability score of the draws (which for a single value is its absolute error).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from geng_edge.analysis.decompose import decompose
from geng_edge.completion import complete
from geng_export.errors import ExportError
from geng_export.evaluate.drawing import unheard
from geng_export.evaluate.fidelity import Captions

FloatArray = npt.NDArray[np.float64]
STEPS = 64
DRAWS = 100
#: Longest season that exponential smoothing takes directly; a longer one is taken out first.
SMOOTHED = 24
TASKS = ("continuation", "imputation")
#: Straight line: through what is known at both ends of a gap, or the last value held.
COLUMNS = ("median", "CRPS", "straight line", "seasonal naive", "forecaster")


@dataclass(frozen=True)
class Completed:
    """Task -> domain (``all``: every window) -> column -> mean over windows."""

    tables: dict[str, dict[str, dict[str, float]]]
    facts: dict[str, object]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {**self.facts, "tables": self.tables}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Completed:
        """What :meth:`to_dict` gave."""
        return cls(found["tables"], {k: v for k, v in found.items() if k != "tables"})

    def to_markdown(self) -> str:
        """One table a task, one row a domain."""
        lines: list[str] = []
        for task, table in self.tables.items():
            columns = [c for c in COLUMNS if c in table["all"]]
            lines += [
                f"| {task} | windows | " + " | ".join(columns) + " |",
                "| --- |" + " ---: |" * (len(columns) + 1),
            ]
            for domain, row in table.items():
                cells = [f"{row['windows']:.0f}", *(f"{row[c]:.3f}" for c in columns)]
                lines.append(f"| {domain} | " + " | ".join(cells) + " |")
            lines.append("")
        return "\n".join(lines).rstrip()


def measure(held: Captions, *, seed: int = 0, say: Callable[[str], object] = unheard) -> Completed:
    """Take away, draw again, compare.

    Args:
        held: Real windows that nothing was tuned on.
        seed: Of the draws, and of where a gap lies.
        say: Told of progress.

    Cost: a second a window, most of it the forecaster's.

    Raises:
        ExportError: ``statsforecast`` is not installed.
    """
    forecast = _forecaster()
    rows: dict[str, dict[str, list[dict[str, float]]]] = {t: defaultdict(list) for t in TASKS}
    rng = np.random.default_rng((6_000_006, seed))
    for i, window in enumerate(held):
        x = window.x.astype(np.float64)
        middle = int(rng.integers(STEPS, len(x) - 2 * STEPS))
        for task, first in zip(TASKS, (len(x) - STEPS, middle), strict=True):
            gap = slice(first, first + STEPS)
            figures = _compare(x, gap, seed + i)
            if task == "continuation":
                apart = np.abs(forecast(x[:first], _main_period(x[:first])) - x[gap])
                figures["forecaster"] = float(apart.mean()) / float(np.ptp(x))
            rows[task][window.domain].append(figures)
            rows[task]["all"].append(figures)
        if i % 50 == 49:
            say(f"completed {i + 1} of {len(held)} windows")
    tables = {
        task: {d: _means(found[d]) for d in [*sorted(set(found) - {"all"}), "all"]}
        for task, found in rows.items()
    }
    return Completed(tables, {"windows": len(held), "steps": STEPS, "draws": DRAWS, "seed": seed})


def crps(draws: FloatArray, truth: FloatArray) -> float:
    """Continuous ranked probability score of ``[draws, steps]``, mean over steps.

    E|X - y| - E|X - X'| / 2 over the empirical distribution (Gneiting and Raftery 2007).
    """
    ordered = np.sort(draws, axis=0)
    count = len(ordered)
    weights = 2.0 * np.arange(1, count + 1) - count - 1.0
    spread = (ordered * weights[:, None]).sum(axis=0) / count**2
    return float((np.abs(ordered - truth).mean(axis=0) - spread).mean())


def _compare(x: FloatArray, gap: slice, seed: int) -> dict[str, float]:
    span = float(np.ptp(x))
    seen = x.copy()
    seen[gap] = np.nan
    draws = complete(seen, DRAWS, seed=seed)[:, gap].astype(np.float64)
    known = np.flatnonzero(np.isfinite(seen))
    straight = np.interp(np.arange(len(x)), known, x[known])
    answers = {
        "median": np.median(draws, axis=0),
        "straight line": straight[gap],
        "seasonal naive": _seasonal_naive(seen, _main_period(straight[: known[-1] + 1]))[gap],
    }
    figures = {name: float(np.abs(a - x[gap]).mean()) / span for name, a in answers.items()}
    return figures | {"CRPS": crps(draws, x[gap]) / span}


def _main_period(x: FloatArray) -> int:
    """Steps of the strongest season; 1 where there is none."""
    span = float(np.ptp(x))
    seasons = decompose((x - x.min()) / span).seasons if span > 0.0 else ()
    return max(1, round(max(seasons, key=lambda s: float(s.powers.sum())).period)) if seasons else 1


def _seasonal_naive(seen: FloatArray, period: int) -> FloatArray:
    """The nearest known values a whole number of periods before and after, averaged."""
    if period == 1:
        known = np.flatnonzero(np.isfinite(seen))
        return np.interp(np.arange(len(seen)), known, seen[known])
    out = seen.copy()
    for phase in range(period):
        column = seen[phase::period]
        known = np.flatnonzero(np.isfinite(column))
        if not len(known):
            continue
        places = np.arange(len(column))
        before = known[np.maximum(np.searchsorted(known, places, side="right") - 1, 0)]
        after = known[np.minimum(np.searchsorted(known, places), len(known) - 1)]
        out[phase::period] = (column[before] + column[after]) / 2.0
    return np.where(np.isfinite(out), out, float(seen[np.isfinite(seen)][-1]))


def _forecaster() -> Callable[[FloatArray, int], FloatArray]:
    """Exponential smoothing chosen by information criterion; long seasons by MSTL before it."""
    try:
        from statsforecast.models import MSTL, AutoETS
    except ImportError as error:
        raise ExportError(
            "statsforecast is not installed; the comparison needs it: pip install "
            "'geng-export[evaluate]'"
        ) from error

    def forecast(history: FloatArray, period: int) -> FloatArray:
        model: Any = AutoETS(season_length=period)
        if period > SMOOTHED:
            model = MSTL(season_length=period, trend_forecaster=AutoETS(model="ZZN"))
        return np.asarray(model.forecast(y=history, h=STEPS)["mean"], dtype=np.float64)

    return forecast


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    means = {column: float(np.mean([row[column] for row in rows])) for column in rows[0]}
    return {"windows": float(len(rows)), **means}
