"""Self-check: draw several candidates, analyse each, keep one that does what was asked.

The analyser is blind (:mod:`geng_edge.analysis`); here alone what it finds is held against claims.
Verification is rejection sampling: it costs candidates, and it never changes a value.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_edge.analysis.analyser import Analysis, analyse
from geng_edge.claims import Claims, Event
from geng_edge.number_channels import as_written
from geng_edge.request import DEFAULT_CANDIDATES, MAX_SEED, check_candidates, check_whole
from geng_edge.series import Series

if TYPE_CHECKING:
    import numpy.typing as npt

    from geng_edge.condition import Condition
    from geng_edge.generator import Generator

#: A period, a limit or a mean counts as kept within this share of the period or the range.
TOLERANCE = 0.02


@dataclass(frozen=True)
class Check:
    """One claim beside what the series shows.

    Attributes:
        claim: Its name: trend, period, low, ...
        asked: What was stated.
        measured: What the analyser finds; None where it finds nothing of the kind.
        held: Whether that is within the tolerance of the claim.
        error: How far off, as a share of the period or of the asked range (of the measured one where
            none is asked); None where no number.
    """

    claim: str
    asked: str | float | bool
    measured: str | float | bool | None
    held: bool
    error: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


def checks(found: Analysis, asked: Claims) -> tuple[Check, ...]:
    """Every claim that is made, held against one analysed series."""
    out: list[Check] = []
    if asked.trend is not None:
        out.append(Check("trend", asked.trend, found.trend, found.trend == asked.trend))
    for i, period in enumerate(asked.periods):
        out.append(_period("period" if i == 0 else "period2", period, found.periods))
    if not asked.periods and asked.periodic is not None:
        same = found.periodic == asked.periodic
        out.append(Check("periodic", asked.periodic, found.periodic, same))
    if asked.events is not None:
        out += _events(found, asked.events)
    for name in ("low", "high", "mean"):
        wanted = getattr(asked, name)
        if wanted is not None:
            measured = as_written(getattr(found, name))
            error = abs(measured - wanted) / _span(found, asked)
            out.append(Check(name, wanted, measured, error <= TOLERANCE, error))
    return tuple(out)


def _span(found: Analysis, asked: Claims) -> float:
    """What limits and mean may be off in shares of: above 0, also for a series that is constant."""
    if asked.low is not None and asked.high is not None and asked.high > asked.low:
        return asked.high - asked.low
    return found.range or abs(found.mean) or 1.0


def _period(name: str, period: float, found: tuple[float, ...]) -> Check:
    if not found:
        return Check(name, period, None, held=False)
    nearest = min(found, key=lambda p: abs(p / period - 1.0))
    error = abs(nearest / period - 1.0)
    return Check(name, period, nearest, error <= TOLERANCE, error)


def _events(found: Analysis, asked: tuple[Event, ...]) -> list[Check]:
    shown = ", ".join(f"{e.kind} at {e.position:.2f}" for e in found.events) or "none"
    if not asked:
        return [Check("anomaly", "none", shown, not found.events)]
    out = []
    for event in asked:
        same = [
            e
            for e in found.events
            if e.kind == event.kind and (e.kind != "shift" or e.direction == event.direction)
        ]
        gaps = [abs(e.position - event.position) for e in same]
        # An anomaly has a width of its own, which may blur where it is by another hundredth.
        held = bool(gaps) and min(gaps) <= event.tolerance + 0.01
        words = event.kind if event.tolerance >= 1.0 else f"{event.kind} at {event.position:.2f}"
        out.append(Check("anomaly", words, shown, held))
    return out


@dataclass(frozen=True)
class Chosen:
    """The series kept for one row: its seed, which candidate it was, and its checks."""

    row: int
    seed: int
    candidate: int
    checks: tuple[Check, ...]

    @property
    def held(self) -> bool:
        """Whether every claim is kept."""
        return all(check.held for check in self.checks)


@dataclass(frozen=True)
class Report:
    """What verification found, series by series."""

    candidates: int
    chosen: tuple[Chosen, ...]

    @property
    def held(self) -> int:
        """Series that keep every claim."""
        return sum(c.held for c in self.chosen)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: every claim with what was asked and what was measured."""
        return {
            "candidates": self.candidates,
            "series_holding_every_claim": self.held,
            "series": [
                {
                    "row": c.row,
                    "seed": c.seed,
                    "candidate": c.candidate,
                    "held": c.held,
                    "claims": [check.to_dict() for check in c.checks],
                }
                for c in self.chosen
            ],
        }

    def to_json(self) -> str:
        """:meth:`to_dict` as text."""
        return json.dumps(self.to_dict(), indent=1)

    def caption(self) -> str:
        """Every claim of the first series with its measured value, in one line."""
        words = []
        for check in self.chosen[0].checks:
            value = check.measured
            shown = f"{value:.4g}" if isinstance(value, float) else str(value)
            asked = f"{check.asked:.4g}" if isinstance(check.asked, float) else str(check.asked)
            words.append(f"{check.claim} {asked} ({'' if check.held else 'not held: '}{shown})")
        return "asked (measured): " + ", ".join(words) if words else "nothing was claimed"


def verified(
    generator: Generator,
    condition: Condition,
    claims: Claims,
    count: int = 1,
    *,
    candidates: int = DEFAULT_CANDIDATES,
    seed: int = 0,
    **settings: Any,
) -> tuple[Series, Report]:
    """Generate ``count`` series, each the best of up to ``candidates`` drawn for it.

    Candidate k of row i has seed ``seed + k count + i``: the first ones are the series that
    :meth:`geng_edge.generator.Generator.generate` gives, and a row that keeps every claim is not
    drawn again. Where no candidate keeps all claims, the one that keeps most stays, the smaller
    sum of errors deciding between equals.

    Cost: generation of up to ``candidates`` times ``count`` series, and about 10 ms of analysis
    for each on one slow core.

    Args:
        generator, condition, seed: As for ``generate``.
        claims: What is held against the series; of :func:`geng_edge.claims_reader.read_claims`.
        count: Series wanted, 1 to 65536.
        candidates: Most candidates a series, 1 to 64.
        settings: Further arguments of ``generate``.

    Raises:
        ArgumentError: A setting is out of range. Nothing was computed.
    """
    check_candidates(candidates)
    count = check_whole("count", count, 1, 65536)
    interval = float(settings.get("interval", 1.0))
    kept: list[tuple[Chosen, npt.NDArray[np.float32]] | None] = [None] * count
    series: Series | None = None
    for k in range(candidates):
        open_rows = [i for i, best in enumerate(kept) if best is None or not best[0].held]
        if not open_rows:
            break
        first = (seed + k * count) % (MAX_SEED + 1)
        drawn = generator.generate(condition, count, seed=first, **settings)
        series = series or drawn
        for i in open_rows:
            found = analyse(drawn.values[i], interval)
            chosen = Chosen(i, (first + i) % (MAX_SEED + 1), k, checks(found, claims))
            before = kept[i]
            if before is None or merit(chosen.checks) > merit(before[0].checks):
                kept[i] = (chosen, drawn.values[i])
    rows = [best for best in kept if best is not None]
    assert series is not None
    values = np.stack([values for _, values in rows])
    report = Report(candidates, tuple(chosen for chosen, _ in rows))
    return Series(values, series.interval, series.unit, series.start), report


def merit(found: tuple[Check, ...]) -> tuple[int, float]:
    """What is better is larger: more claims kept, then smaller errors."""
    errors = sum(check.error for check in found if check.error is not None)
    return sum(check.held for check in found), -errors
