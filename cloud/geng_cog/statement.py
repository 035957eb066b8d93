"""A statement: what the language model writes, as compact text that a grammar can hold to.

    Heating and people make it rise by day and fall by night.
    span 1 week, every 10 min
    # air temperature [degC]
    values 18 .. 23.5
    period 1 day
    wave daytime
    trend none
    noise low
    anomaly none
    end

One line of reasoning, one of times, seven for each channel. It parses back without loss
(:func:`parse`), and :mod:`geng_cog.grammar` lets a model write nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from geng_cog.durations import duration_seconds, duration_text, number_text
from geng_cog.knowledge import by_label
from geng_edge.claims import EVENT_KINDS, NOISE_LEVELS, TRENDS, WAVES
from geng_edge.errors import ArgumentError
from geng_edge.wire.answer import Anomaly, ChannelClaims

END = "\nend"
SPAN, EVERY, CHANNEL = "\nspan ", ", every ", "\n# "
VALUES, TO, PERIOD, WAVE = "\nvalues ", " .. ", "\nperiod ", "\nwave "
TREND, NOISE, ANOMALY, AND = "\ntrend ", "\nnoise ", "\nanomaly ", " and "
NONE = "none"
DIRECTIONS = {"up": 1, "down": -1}
MOST_CHANNELS = 8


@dataclass(frozen=True)
class Statement:
    """What the model states: one sentence or two, times in seconds, claims for each channel."""

    reasoning: str
    span: float
    interval: float
    channels: tuple[ChannelClaims, ...]

    def text(self) -> str:
        """The compact text, without the closing ``end``."""
        parts = [
            self.reasoning, SPAN, duration_text(self.span), EVERY, duration_text(self.interval)
        ]  # fmt: skip
        for claims in self.channels:
            parts += _lines(claims)
        return "".join(parts)


def _lines(claims: ChannelClaims) -> list[str]:
    periods = AND.join(duration_text(p) for p in claims.periods) or NONE
    return [
        CHANNEL, f"{claims.quantity} [{claims.unit}]",
        VALUES, number_text(claims.low), TO, number_text(claims.high),
        PERIOD, periods, WAVE, claims.wave or NONE,
        TREND, claims.trend, NOISE, claims.noise, ANOMALY, anomaly_text(claims.anomalies),
    ]  # fmt: skip


def anomaly_text(anomalies: tuple[Anomaly, ...]) -> str:
    """The line of anomalies: ``spike up 0.9``, two joined by "and", or ``none``."""
    return AND.join(map(_anomaly_text, anomalies)) or NONE


def _anomaly_text(anomaly: Anomaly) -> str:
    way = "up" if anomaly.direction > 0 else "down"
    return f"{anomaly.kind} {way} {number_text(anomaly.position, 2)}"


def parse(text: str) -> Statement:
    """Read a statement; a closing ``end`` is dropped.

    Raises:
        ArgumentError: It is none; the sentence names the line.
    """
    body = text.partition(END)[0] if text.rstrip().endswith(END.strip()) else text
    reasoning, found, rest = body.partition(SPAN)
    if not found:
        raise ArgumentError("statement has no line of times; it must have 'span ..., every ...'")
    head, *channels = rest.rstrip().split(CHANNEL)
    span, found, interval = head.partition(EVERY)
    if not found or not 1 <= len(channels) <= MOST_CHANNELS:
        raise ArgumentError(
            f"statement has {len(channels)} channels; it must have times and 1 to {MOST_CHANNELS}"
        )
    return Statement(
        reasoning.strip(), _seconds(span), _seconds(interval), tuple(map(_channel, channels))
    )


def _channel(text: str) -> ChannelClaims:
    values: list[str] = []
    rest = text
    for mark in (VALUES, PERIOD, WAVE, TREND, NOISE, ANOMALY):
        value, found, rest = rest.partition(mark)
        if not found:
            raise ArgumentError(f"channel {text[:60]!r} has no line {mark.strip()!r}")
        values.append(value.strip())
    label, limits, periods, wave, trend, noise = values
    kind = by_label().get(label)
    if kind is None:
        raise ArgumentError(f"quantity is {label[:60]!r}; it must be one of the known kinds")
    low, _, high = limits.partition(TO)
    anomalies = rest.strip()
    return ChannelClaims(
        quantity=kind.name, unit=kind.unit,
        trend=_word("trend", trend, TRENDS), noise=_word("noise", noise, NOISE_LEVELS),
        periods=() if periods == NONE else tuple(map(_seconds, periods.split(AND))),
        low=_number(low), high=_number(high), mean=None,
        anomalies=() if anomalies == NONE else tuple(map(_anomaly, anomalies.split(AND))),
        wave=None if wave == NONE else _word("wave", wave, WAVES),
    )  # fmt: skip


def _anomaly(text: str) -> Anomaly:
    kind, way, position = [*text.strip().split(" "), "", ""][:3]
    if way not in DIRECTIONS:
        raise ArgumentError(f"anomaly is {text[:60]!r}; it must say kind, up or down, and position")
    return Anomaly(_word("anomaly", kind, EVENT_KINDS), _number(position), DIRECTIONS[way])


def _word(name: str, word: str, known: tuple[str, ...]) -> str:
    if word not in known:
        raise ArgumentError(f"{name} is {word[:60]!r}; it must be one of {', '.join(known)}")
    return word


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ArgumentError(f"number is {text[:60]!r}; it must be one") from None


def _seconds(text: str) -> float:
    try:
        return duration_seconds(text.strip())
    except ValueError as error:
        raise ArgumentError(str(error)) from None
