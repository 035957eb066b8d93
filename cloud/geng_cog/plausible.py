"""Physical plausibility: what no series of a quantity can be, and what it hardly is.

A *fault* is against physics or against the answer itself and never leaves :class:`geng_cog.cog.Cog`: the
grammar does not let a model write one, and answers from elsewhere are refused. A *doubt* is far from what
sensors of that kind show; it lowers a candidate's score in self-training, and counts in the rubric.
"""

from __future__ import annotations

from collections.abc import Iterator

from geng_edge.wire.answer import ChannelClaims

from geng_cog.knowledge import Kind, by_label, kinds, scenarios
from geng_cog.statement import Statement

LEAST_STEPS_A_PERIOD = 4.0
#: How far beyond the spans and periods of the training scenarios is still believed.
SLACK = 5.0


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


def doubts(statement: Statement) -> list[str]:
    """What is hardly ever so; ``faults`` included."""
    found = faults(statement)
    for claims in statement.channels:
        kind = by_label().get(f"{claims.quantity} [{claims.unit}]")
        if kind is None:
            continue
        width = claims.high - claims.low
        least, most = kind.span
        if not least / SLACK <= width <= most * SLACK:
            found.append(f"{kind.name} spans {width:g} {kind.unit}; {least:g} to {most:g} is usual")
        usual = _usual_periods(kind.key)
        for period in claims.periods:
            if not any(1.0 / SLACK <= period / p <= SLACK for p in usual):
                found.append(f"{kind.name} with a period of {period:g} s is unusual")
    return found


def _usual_periods(key: str) -> tuple[float, ...]:
    return tuple(p for s in scenarios("train") if s.kind.key == key for p in s.periods)


def named_kinds(text: str) -> frozenset[str]:
    """Keys of the kinds that a text names by one of their words."""
    lowered = f" {text.lower()} "
    return frozenset(
        key for key, kind in kinds().items() if any(word.lower() in lowered for word in kind.words)
    )
