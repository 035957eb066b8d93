"""Does a series do what its description says? The columns of the paper's Table II.

The analyser (:func:`geng_edge.analysis.analyser.analyse`) is blind: it sees values and never what was
asked. What it finds is held against the claims of the description here, and nowhere else. A claim
that a description does not make is not judged. Two protocols, never mixed: *raw*, where every
series counts, and *median*, where the numbers of the samples of one description are reduced to
their median first.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from geng_edge.analysis.analyser import Analysis, analyse
from geng_edge.claims import Claims
from geng_export.evaluate.processes import PROCESSES, spread

TASKS = {1: "trend", 2: "periodic", 3: "anomaly", 4: "mixed"}
RATES = ("trend", "periodicity", "anomaly", "no anomaly")
ERRORS = ("period size", "range", "mean")
COLUMNS = (*RATES, *ERRORS)
#: GenG, Table II, in per cent: rates, then errors.
PAPER = {
    1: {"trend": 91.2, "range": 7.8, "mean": 6.2},
    2: {"periodicity": 96.2, "period size": 7.5, "range": 7.2, "mean": 5.2},
    3: {"anomaly": 94.7, "range": 13.4, "mean": 7.8},
    4: {
        "trend": 93.1,
        "periodicity": 92.2,
        "anomaly": 92.7,
        "period size": 8.1,
        "range": 7.4,
        "mean": 6.5,
    },
}
#: A found period further off than this is no answer to the asked one.
SAME_PERIOD = 0.2


def judge(found: Analysis, asked: Claims) -> dict[str, float]:
    """One series against its claims: 0 or 1 for rates, a share for errors.

    Returns:
        Column -> figure, for the claims that are made. Range and mean errors are shares of the asked
        range; the period's is a share of the asked period, over series in which one was found.
    """
    out: dict[str, float] = {}
    if asked.trend is not None:
        out["trend"] = float(found.trend == asked.trend)
    if asked.periods:
        errors = [abs(found.periods[0] / p - 1.0) for p in asked.periods] if found.periods else []
        out["periodicity"] = float(bool(errors) and min(errors) <= SAME_PERIOD)
        if errors:
            out["period size"] = min(errors)
    elif asked.periodic is not None:
        out["periodicity"] = float(found.periodic == asked.periodic)
    if asked.events is not None:
        kinds = {event.kind for event in found.events}
        wanted = {event.kind for event in asked.events}
        out["anomaly" if wanted else "no anomaly"] = float(
            wanted <= kinds if wanted else not found.events
        )
    if asked.low is not None and asked.high is not None and asked.high > asked.low:
        span = asked.high - asked.low
        out["range"] = (abs(found.low - asked.low) + abs(found.high - asked.high)) / 2.0 / span
        if asked.mean is not None:
            out["mean"] = abs(found.mean - asked.mean) / span
    return out


@dataclass(frozen=True)
class Judged:
    """All samples of one description: its task, and the figures of each sample."""

    task: int
    samples: tuple[dict[str, float], ...]


def _judge_one(values: npt.NDArray[np.float32], claims: Claims) -> tuple[dict[str, float], ...]:
    return tuple(judge(analyse(x, claims.interval), claims) for x in values)


def judge_all(
    drawn: Iterable[npt.NDArray[np.float32]], asked: Sequence[Claims], tasks: Sequence[int],
    processes: int = PROCESSES,
) -> list[Judged]:  # fmt: skip
    """Judge the samples of many descriptions, in several processes.

    Args:
        drawn: Float32 ``[samples, length]`` for each description.
        asked: Its claims.
        tasks: Its task, 1 to 4.
        processes: Processes that analyse.
    """
    rows = spread(_judge_one, drawn, asked, processes=processes, chunk=4)
    return [Judged(task, samples) for task, samples in zip(tasks, rows, strict=True)]


@dataclass(frozen=True)
class ConformityReport:
    """Figures in per cent by task (0: all tasks), column and protocol.

    Attributes:
        raw: Task -> column -> mean over every series.
        median: Task -> column -> mean over descriptions of the median over samples (rates: majority).
        medians_of_errors: Task -> error column -> median over every series.
        facts: Model, seed, steps and whatever else names the run.
    """

    raw: dict[int, dict[str, float]]
    median: dict[int, dict[str, float]]
    medians_of_errors: dict[int, dict[str, float]]
    facts: dict[str, object]

    def to_json(self) -> str:
        """Everything, for machines."""
        return json.dumps(
            {
                "facts": self.facts,
                "raw": self.raw,
                "median_of_samples": self.median,
                "median_error": self.medians_of_errors,
                "paper": PAPER,
            },
            indent=1,
        )

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> ConformityReport:
        """What :meth:`to_json` wrote."""
        tables = ("raw", "median_of_samples", "median_error")
        raw, median, errors = ({int(k): v for k, v in found[t].items()} for t in tables)
        return cls(raw, median, errors, found["facts"])

    def to_markdown(self) -> str:
        """The tables, the paper's figures beside ours."""
        facts = ", ".join(f"{k} {v}" for k, v in self.facts.items())
        lines = [facts, "", "Every series counts (raw); in brackets the paper's Table II.", ""]
        lines += self._table(self.raw, paper=True)
        lines += ["", "Median of the samples of each description.", ""]
        lines += self._table(self.median, paper=False)
        return "\n".join(lines)

    def _table(self, rows: dict[int, dict[str, float]], *, paper: bool) -> list[str]:
        head = [f"{c} %" if c in RATES else f"{c} error %" for c in COLUMNS]
        lines = ["| task | " + " | ".join(head) + " |", "| --- |" + " ---: |" * len(head)]
        for task, figures in sorted(rows.items()):
            cells = []
            for column in COLUMNS:
                cell = f"{figures[column]:.1f}" if column in figures else "-"
                beside = PAPER.get(task, {}).get(column)
                cells.append(f"{cell} ({beside})" if paper and beside is not None else cell)
            lines.append(f"| {TASKS.get(task, 'all')} | " + " | ".join(cells) + " |")
        return lines


def report(judged: Sequence[Judged], facts: dict[str, object]) -> ConformityReport:
    """Reduce the figures of all samples to the tables."""
    every: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    reduced: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in judged:
        for task in (one.task, 0):
            for column in COLUMNS:
                figures = [s[column] for s in one.samples if column in s]
                if not figures:
                    continue
                every[task][column] += figures
                middle = float(np.median(figures))
                reduced[task][column].append(float(middle >= 0.5) if column in RATES else middle)

    def percent(rows: dict[int, dict[str, list[float]]]) -> dict[int, dict[str, float]]:
        return {t: {c: 100.0 * float(np.mean(v)) for c, v in r.items()} for t, r in rows.items()}

    medians = {
        task: {c: 100.0 * float(np.median(v)) for c, v in row.items() if c in ERRORS}
        for task, row in every.items()
    }
    return ConformityReport(percent(every), percent(reduced), medians, facts)
