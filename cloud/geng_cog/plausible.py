"""Physical plausibility: what no series of a quantity can be, and what it hardly is.

A *fault* is against physics or against the answer itself and never leaves :class:`geng_cog.cog.Cog`: the
grammar does not let a model write one, and answers from elsewhere are refused. A *doubt* is far from what
sensors of that kind show; it lowers a candidate's score in self-training, and counts in the rubric.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from geng_cog.knowledge import Kind, by_label, kinds, scenarios
from geng_cog.statement import Statement
from geng_edge.wire.answer import ChannelClaims

LEAST_STEPS_A_PERIOD = 4.0
#: How far beyond the spans and periods of the training scenarios is still believed.
SLACK = 3.0
#: How far the minimum may lie beyond those of the training scenarios, in shares of the widest range.
SLACK_LOW = 0.5


def faults(statement: Statement) -> list[str]:
    """What is impossible about a statement, in sentences; empty where nothing is."""
    found: list[str] = []
    for claims in statement.channels:
        kind = by_label().get(f"{claims.quantity} [{claims.unit}]")
        if kind is None:
            found.append(f"{claims.quantity} [{claims.unit}] is no known quantity")
            continue
        found += _faults(claims, kind, statement)
    return found


def _faults(claims: ChannelClaims, kind: Kind, statement: Statement) -> Iterator[str]:
    if claims.low < kind.floor or claims.high > kind.ceiling:
        yield (
            f"{kind.name} is {claims.low:g} to {claims.high:g} {kind.unit}; it must stay within "
            f"{kind.floor:g} to {kind.ceiling:g}"
        )
    for period in claims.periods:
        if not LEAST_STEPS_A_PERIOD * statement.interval <= period <= statement.span:
            yield (
                f"period of {kind.name} is {period:g} s; it must be {LEAST_STEPS_A_PERIOD:g} intervals "
                f"to the span, {LEAST_STEPS_A_PERIOD * statement.interval:g} to {statement.span:g} s"
            )
    if claims.periods and claims.wave is None:
        yield f"{kind.name} has a period and no wave; it must have both"


@dataclass(frozen=True)
class Usual:
    """What sensors of one kind usually show, told from the training scenarios, with slack.

    Attributes:
        low: From and to, of the minimum.
        width: From and to, of maximum minus minimum.
        periods: From and to in seconds for each usual cycle.
    """

    low: tuple[float, float]
    width: tuple[float, float]
    periods: tuple[tuple[float, float], ...]


@functools.cache
def usual(key: str) -> Usual:
    """What is usual for the kind of that key."""
    kind = kinds()[key]
    same = [s for s in scenarios("train") if s.kind.key == key]
    least, most = kind.span
    slack = SLACK_LOW * most
    cycles = sorted({p for s in same for p in s.periods})
    return Usual(
        (max(kind.floor, min(s.low[0] for s in same) - slack), max(s.low[1] for s in same) + slack),
        (least / SLACK, min(most * SLACK, kind.ceiling - kind.floor)),
        tuple((p / SLACK, p * SLACK) for p in cycles),
    )


def doubts(statement: Statement) -> list[str]:
    """What is hardly ever so; ``faults`` included."""
    found = faults(statement)
    for claims in statement.channels:
        kind = by_label().get(f"{claims.quantity} [{claims.unit}]")
        if kind is None:
            continue
        known = usual(kind.key)
        width = claims.high - claims.low
        for what, value, (least, most) in (
            ("spans", width, known.width),
            ("begins at", claims.low, known.low),
        ):
            if not least - 1e-4 * width <= value <= most + 1e-4 * width:
                found.append(f"{kind.label} {what} {value:g}; {least:g} to {most:g} is usual")
        found += [
            f"{kind.name} with a period of {period:g} s is unusual"
            for period in claims.periods
            if not any(a <= period <= b for a, b in known.periods)
        ]
    return found
