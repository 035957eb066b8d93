"""An answer: what the cloud says a series looks like, as text and as claims that can be checked.

Words are those of :mod:`geng_edge.claims`; the JSON keys are the names of the fields. Every class checks
itself when it is made, so an :class:`Answer` at hand keeps every rule of this page.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from geng_edge.claims import EVENT_KINDS, NOISE_LEVELS, TRENDS, WAVES
from geng_edge.condition import check_unit
from geng_edge.errors import ArgumentError
from geng_edge.request import LONGEST_CHAIN, drawn_length
from geng_edge.wire import fields

MOST_CHANNELS = 8
MOST_TASK = 2000
MOST_REASONING = 4000
MOST_DESCRIPTION = 2000
MOST_PERIODS = 2
MOST_ANOMALIES = 2
SHORTEST_INTERVAL, LONGEST_INTERVAL = 1e-6, 1e9
LEAST_STEPS = 8
#: Longest span, in seconds: three hundred years.
LONGEST_SPAN = 1e10
_NAME = re.compile(r"[A-Za-z][\w .-]{0,39}")


@dataclass(frozen=True)
class Anomaly:
    """Something that happens once.

    Attributes:
        kind: ``spike``, ``dip``, ``shift`` or ``dropout``.
        position: Where it starts or peaks, as a share of the span, 0 to 1.
        direction: 1 up, -1 down.
    """

    kind: str
    position: float
    direction: int = 1

    def __post_init__(self) -> None:
        fields.word(self.kind, "anomaly kind", EVENT_KINDS)
        _settle(self, "position", fields.number(self.position, "anomaly position", 0.0, 1.0))
        if fields.whole(self.direction, "anomaly direction", -1, 1) == 0:
            raise fields.refuse("anomaly direction", 0, "1 or -1")

    @classmethod
    def from_dict(cls, value: object, name: str = "anomaly") -> Anomaly:
        """Read and check an object.

        Raises:
            ArgumentError: It is no anomaly.
        """
        return cls(**fields.keys(value, name, ("kind", "position", "direction")))


@dataclass(frozen=True)
class ChannelClaims:
    """What is said of one channel, in numbers.

    Attributes:
        quantity: What is measured, such as ``temperature``.
        unit: Of the values, up to 20 characters that a column's name can hold; may be empty.
        trend: ``up``, ``down`` or ``none``.
        periods: Seconds, the dominant one first; 0 to 2 of them.
        low, high: Limits of the values, in ``unit``; ``low`` is below ``high``.
        mean: Between them; None where nothing is said.
        noise: ``none``, ``low``, ``moderate`` or ``high``.
        anomalies: 0 to 2 of them.
        wave: Shape of one cycle, a word of :data:`geng_edge.claims.WAVES`; None where nothing is said.
    """

    quantity: str
    unit: str
    trend: str
    periods: tuple[float, ...]
    low: float
    high: float
    mean: float | None
    noise: str
    anomalies: tuple[Anomaly, ...]
    wave: str | None

    def __post_init__(self) -> None:
        fields.text(self.quantity, "quantity", 60, 1)
        check_unit(fields.text(self.unit, "unit", 20))
        fields.word(self.trend, "trend", TRENDS)
        fields.word(self.noise, "noise", NOISE_LEVELS)
        if self.wave is not None:
            fields.word(self.wave, "wave", WAVES)
        _settle(self, "periods", fields.items(self.periods, "periods", MOST_PERIODS, _period))
        low, high = fields.number(self.low, "low"), fields.number(self.high, "high")
        if not low < high:
            raise ArgumentError(f"low is {low:g} and high is {high:g}; low must be below high")
        _settle(self, "low", low)
        _settle(self, "high", high)
        if self.mean is not None:
            _settle(self, "mean", fields.number(self.mean, "mean", low, high))
        found = fields.items(self.anomalies, "anomalies", MOST_ANOMALIES, _anomaly)
        _settle(self, "anomalies", found)

    @classmethod
    def from_dict(cls, value: object, name: str = "claims") -> ChannelClaims:
        """Read and check an object.

        Raises:
            ArgumentError: It is no claims.
        """
        return cls(**fields.keys(value, name, tuple(cls.__dataclass_fields__)))


@dataclass(frozen=True)
class Channel:
    """One channel of a device.

    Attributes:
        name: Up to 40 letters, digits, blanks, dots or hyphens; begins with a letter.
        description: What f reads: the text of the features of the series.
        claims: The same in numbers.
    """

    name: str
    description: str
    claims: ChannelClaims

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(fields.text(self.name, "channel name", 40)):
            raise fields.refuse(
                "channel name", self.name, "up to 40 letters, digits, blanks, dots or hyphens"
            )
        fields.text(self.description, "description", MOST_DESCRIPTION, 1)

    @classmethod
    def from_dict(cls, value: object, name: str = "channel") -> Channel:
        """Read and check an object.

        Raises:
            ArgumentError: It is no channel.
        """
        found = dict(fields.keys(value, name, ("name", "description", "claims")))
        found["claims"] = ChannelClaims.from_dict(found["claims"], f"{name}.claims")
        return cls(**found)


@dataclass(frozen=True)
class Answer:
    """What the cloud answers to a task.

    Attributes:
        task: What was asked, as the user wrote it; 1 to 2000 characters.
        reasoning: Why the series looks so; may be empty.
        sure: False where the device is unlike any that was seen, or where the answer leaves out something
            that the task asks for; ``reasoning`` says which.
        span: Seconds that the series lasts.
        interval: Seconds between two steps.
        channels: 1 to 8, each named once.

    Example:
        >>> from geng_edge.wire.answer import Answer, Channel, ChannelClaims
        >>> claims = ChannelClaims("temperature", "degC", "none", (86400.0,), 18, 23, None, "low", (), None)
        >>> room = Channel("temperature", "A daily cycle between 18 and 23 degC, low noise", claims)
        >>> answer = Answer("a living room for a week", "Heated by day.", True, 604800, 600, (room,))
        >>> answer.steps, Answer.from_dict(answer.to_dict()) == answer
        (1008, True)
    """

    task: str
    reasoning: str
    sure: bool
    span: float
    interval: float
    channels: tuple[Channel, ...]

    def __post_init__(self) -> None:
        fields.text(self.task, "task", MOST_TASK, 1)
        fields.text(self.reasoning, "reasoning", MOST_REASONING)
        fields.truth(self.sure, "sure")
        interval = fields.number(self.interval, "interval", SHORTEST_INTERVAL, LONGEST_INTERVAL)
        span = fields.number(self.span, "span", SHORTEST_INTERVAL, LONGEST_SPAN)
        _settle(self, "interval", interval)
        _settle(self, "span", span)
        if not LEAST_STEPS <= round(span / interval) <= LONGEST_CHAIN:
            raise ArgumentError(
                f"span is {span:g} s at an interval of {interval:g} s, {span / interval:.0f} steps; "
                f"it must be {LEAST_STEPS} to {LONGEST_CHAIN} steps",
                name="span",
                value=span,
            )
        found = fields.items(self.channels, "channels", MOST_CHANNELS, _channel, least=1)
        names = [channel.name for channel in found]
        if len(set(names)) != len(names):
            raise fields.refuse("channels", names, "named once each")
        _settle(self, "channels", found)

    @property
    def steps(self) -> int:
        """Steps that fill the span."""
        return round(self.span / self.interval)

    @property
    def length(self) -> int:
        """Steps to draw so that ``steps`` are there: a multiple of 8, 64 and more."""
        return drawn_length(self.steps)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, ready for :func:`json.dumps`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: object, name: str = "answer") -> Answer:
        """Read and check an object.

        Raises:
            ArgumentError: It is no answer.
        """
        found = dict(fields.keys(value, name, tuple(cls.__dataclass_fields__)))
        found["channels"] = fields.items(
            found["channels"], f"{name}.channels", MOST_CHANNELS, Channel.from_dict, least=1
        )
        return cls(**found)


def _settle(instance: object, name: str, value: object) -> None:
    object.__setattr__(instance, name, value)


def _period(value: object, name: str) -> float:
    return fields.number(value, name, SHORTEST_INTERVAL, LONGEST_SPAN)


def _anomaly(value: object, name: str) -> Anomaly:
    return value if isinstance(value, Anomaly) else Anomaly.from_dict(value, name)


def _channel(value: object, name: str) -> Channel:
    if not isinstance(value, Channel):
        raise fields.refuse(name, value, "a channel")
    return value
