"""The rubric: which claims of an answer are right, held against a reference.

Counted for every task: the interval and the span (as the task says; where it does not, that they show the
period and resolve it), and that nothing in the answer is doubtful (plausible). Counted for every channel of
the reference: quantity, unit, range, period, trend, anomaly. Beside the count, for the record: wave, noise.
A channel that the answer lacks has all of its claims wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from geng_cog.knowledge import Scenario
from geng_cog.plausible import doubts
from geng_cog.seeds import LEAST_CYCLES, LEAST_STEPS_A_PERIOD, Pair
from geng_cog.statement import Statement
from geng_edge.claims import NOISE_BANDS
from geng_edge.wire.answer import ChannelClaims

#: A period is right within this share of the reference.
PERIOD_TOLERANCE = 0.15
#: A time that is stated must be met within this share.
TIME_TOLERANCE = 0.01
#: At least this share of the answer's range lies within the reference's, ...
LEAST_OVERLAP = 0.5
#: ... whose span is met within this factor.
SPAN_FACTOR = 2.0
#: A place in the span is met within this share of it.
PLACE_TOLERANCE = 0.15
#: A trend counts as usual for a scenario from this weight on.
USUAL_TREND = 0.25
COUNTED = (
    "interval",
    "span",
    "plausible",
    "quantity",
    "unit",
    "range",
    "period",
    "trend",
    "anomaly",
)
BESIDE = ("wave", "noise")


@dataclass(frozen=True)
class Reference:
    """What is right about one channel.

    Attributes:
        quantity, unit: Of the kind.
        low: Where the minimum may lie; ``span``: how far the maximum may lie above it.
        periods: Seconds; each of them is right where the record shows it, none where it shows none.
        trend, waves, noise: Words that are right.
        anomalies: Kind, place and direction that were asked for.
    """

    quantity: str
    unit: str
    low: tuple[float, float]
    span: tuple[float, float]
    periods: tuple[float, ...]
    trend: tuple[str, ...]
    waves: tuple[str, ...]
    noise: tuple[str, ...]
    anomalies: tuple[tuple[str, float, int], ...]


@dataclass(frozen=True)
class Task:
    """A task of the development or tuning set with its references.

    Attributes:
        id: The scenario's, and a number.
        text: As it is asked.
        span, interval: Seconds, where the task states them.
        channels: One reference for each channel that is asked for.
    """

    id: str
    text: str
    span: float | None
    interval: float | None
    channels: tuple[Reference, ...]

    @classmethod
    def from_dict(cls, entry: dict[str, Any]) -> Task:
        """Read a line of a set."""
        channels = []
        for c in entry["channels"]:
            made: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in c.items()}
            made["anomalies"] = tuple(tuple(a) for a in made["anomalies"])
            channels.append(Reference(**made))
        return cls(entry["id"], entry["text"], entry["span"], entry["interval"], tuple(channels))


def task_of(pair: Pair, name: str) -> Task:
    """The task of a drawn pair, with what its scenarios say is right."""
    channels = []
    for i, (s, claims) in enumerate(zip(pair.scenarios, pair.statement.channels, strict=True)):
        usual = (claims.trend,) if i == 0 and "trend" in pair.asked else usual_trends(s)
        found = tuple((a.kind, a.position, a.direction) for a in claims.anomalies)
        channels.append(
            Reference(
                s.kind.name,
                s.kind.unit,
                s.low,
                s.span,
                s.periods,
                usual,
                s.habit.waves,
                usual_noise(s),
                found,
            )
        )
    statement = pair.statement
    return Task(
        name, pair.task, statement.span if "span" in pair.asked else None,
        statement.interval if "interval" in pair.asked else None, tuple(channels),
    )  # fmt: skip


def usual_trends(scenario: Scenario) -> tuple[str, ...]:
    """The trends that are right for a scenario where none is asked for."""
    weights = dict(zip(("none", "up", "down"), scenario.habit.trend, strict=True))
    return tuple(
        w for w, weight in weights.items() if weight >= USUAL_TREND * sum(weights.values())
    )


def usual_noise(scenario: Scenario) -> tuple[str, ...]:
    """The words for noise that are right for a scenario."""
    least, most = scenario.habit.noise
    return tuple(w for w, (a, b) in NOISE_BANDS.items() if a < most and b > least)


def judge(statement: Statement | None, task: Task) -> dict[str, list[bool]]:
    """Every claim by its name: right or wrong, once for each time it counts.

    Args:
        statement: None where the answer did not parse: everything is wrong.
        task: What is right.
    """
    if statement is None:
        return {
            name: [False] * (len(task.channels) if name not in COUNTED[:3] else 1)
            for name in (*COUNTED, *BESIDE)
        }
    found: dict[str, list[bool]] = {name: [] for name in (*COUNTED, *BESIDE)}
    found["interval"].append(_interval(statement, task))
    found["span"].append(_span(statement, task))
    found["plausible"].append(not doubts(statement))
    for reference, claims in zip(
        task.channels, _matched(task.channels, statement.channels), strict=True
    ):
        for name, right in _channel(reference, claims, statement).items():
            found[name].append(right)
    return found


def _matched(
    wanted: Sequence[Reference], given: Sequence[ChannelClaims]
) -> list[ChannelClaims | None]:
    """The channel that answers each reference: of its quantity, else the next one left."""
    left = list(given)
    found: list[ChannelClaims | None] = [None] * len(wanted)
    for exact in (True, False):
        for i, reference in enumerate(wanted):
            if found[i] is None:
                same = [c for c in left if not exact or c.quantity == reference.quantity]
                if same:
                    found[i] = same[0]
                    left.remove(same[0])
    return found


def _interval(statement: Statement, task: Task) -> bool:
    if task.interval is not None:
        return abs(statement.interval / task.interval - 1.0) <= TIME_TOLERANCE
    return _shows(statement, task) or (
        statement.span / statement.interval >= 64.0 and not any(c.periods for c in task.channels)
    )


def _span(statement: Statement, task: Task) -> bool:
    if task.span is not None:
        return abs(statement.span / task.span - 1.0) <= TIME_TOLERANCE
    return _shows(statement, task) or not any(c.periods for c in task.channels)


def _shows(statement: Statement, task: Task) -> bool:
    """Whether some usual period of the first channel is shown and resolved."""
    return bool(_shown(task.channels[0].periods, statement))


def _shown(periods: Sequence[float], statement: Statement) -> list[float]:
    return [
        p
        for p in periods
        if statement.span / p >= LEAST_CYCLES and p / statement.interval >= LEAST_STEPS_A_PERIOD
    ]


def _channel(
    reference: Reference, claims: ChannelClaims | None, statement: Statement
) -> dict[str, bool]:
    if claims is None:
        return dict.fromkeys((*COUNTED[3:], *BESIDE), False)
    same = claims.unit == reference.unit
    return {
        "quantity": claims.quantity == reference.quantity,
        "unit": same,
        "range": same and range_right(claims.low, claims.high, reference.low, reference.span),
        "period": _period(reference, claims, statement),
        "trend": claims.trend in reference.trend,
        "anomaly": _anomaly(reference, claims),
        "wave": (claims.wave in reference.waves)
        if claims.periods
        else not _shown(reference.periods, statement),
        "noise": claims.noise in reference.noise,
    }


def range_right(
    low: float, high: float, lows: tuple[float, float], spans: tuple[float, float]
) -> bool:
    """Whether a range overlaps the reference's enough and is about as wide.

    Args:
        low, high: The range.
        lows: From and to, where the reference's minimum may lie.
        spans: From and to, how far its maximum may lie above it.
    """
    bottom, top = lows[0], lows[1] + spans[1]
    inside = max(0.0, min(high, top) - max(low, bottom)) / (high - low)
    width = high - low
    return inside >= LEAST_OVERLAP and spans[0] / SPAN_FACTOR <= width <= spans[1] * SPAN_FACTOR


def _period(reference: Reference, claims: ChannelClaims, statement: Statement) -> bool:
    shown = _shown(reference.periods, statement)
    if not claims.periods:
        return not shown
    return any(abs(claims.periods[0] / p - 1.0) <= PERIOD_TOLERANCE for p in reference.periods)


def _anomaly(reference: Reference, claims: ChannelClaims) -> bool:
    if len(claims.anomalies) != len(reference.anomalies):
        return False
    return all(
        any(
            a.kind == kind and (kind != "shift" or a.direction == way)
            and abs(a.position - place) <= PLACE_TOLERANCE
            for a in claims.anomalies
        )
        for kind, place, way in reference.anomalies
    )  # fmt: skip


def share(judged: Sequence[dict[str, list[bool]]]) -> dict[str, float]:
    """Shares of right claims: ``all`` counted ones together, and each by its name."""
    found = {
        name: [right for entry in judged for right in entry[name]] for name in (*COUNTED, *BESIDE)
    }
    counted = [right for name in COUNTED for right in found[name]]
    return {
        "all": sum(counted) / len(counted),
        **{name: sum(rights) / len(rights) for name, rights in found.items()},
    }
