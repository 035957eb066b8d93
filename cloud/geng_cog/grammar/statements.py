"""The grammar of statements: times as the task states them, numbers within physical limits.

What comes later depends on what was written: periods fit span and interval, the upper limit lies above
the lower one, and both lie within the limits of the quantity that was named.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from geng_cog import statement as words
from geng_cog.durations import UNITS, duration_seconds, duration_text, number_text
from geng_cog.features import Asked
from geng_cog.grammar.nodes import (
    GRID,
    End,
    Free,
    Node,
    Number,
    State,
    Then,
    choice,
    grid,
    literal,
)
from geng_cog.knowledge import Kind, by_label
from geng_cog.limits import Limits
from geng_cog.plausible import LEAST_STEPS_A_PERIOD, Usual, usual
from geng_cog.stated import Stated
from geng_edge.claims import EVENT_KINDS, NOISE_LEVELS, TRENDS, WAVES
from geng_edge.errors import ArgumentError
from geng_edge.request import LONGEST_CHAIN
from geng_edge.wire.answer import LEAST_STEPS

MOST_REASONING = 220
#: Where the task states no times: steps of an answer, and the shortest and longest interval.
OPEN_STEPS = (64, 4096)
OPEN_INTERVAL = (1e-4, 86400.0)
_SMALLEST = 1e-4
#: Channels that may be stated where the task does not say which.
OPEN_CHANNELS = 4


def begin(
    stated: Stated, most_channels: int = OPEN_CHANNELS, narrow: bool = False,
    channels: tuple[frozenset[str], ...] = (),
    limits: tuple[Limits | None, ...] = (),
    asked: Asked | None = None,
    opens: Callable[[Then], State] | None = None,
) -> State:  # fmt: skip
    """The state before the first character.

    Args:
        stated: What the task says of times; a number is written exactly so.
        most_channels: Channels that may be stated where ``channels`` are empty, 1 to 8.
        narrow: Keep values and periods to what is usual for the quantity too, not only to what is
            possible: for a small model, which knows no more than the scenarios do.
        channels: For each channel the quantities that may be stated, as ``name [unit]``, all of them
            where empty. None of them leaves open how many there are.
        limits: For each channel the limits that its values have; None, or no entry, leaves them open.
        opens: The grammar of the reasoning, told what follows it; any line of text by default.
        asked: Trend and anomalies of the first channel; the others then have no anomaly. None leaves
            both open.

    Raises:
        ArgumentError: A stated time cannot be written.
    """
    for seconds in (stated.span, stated.interval):
        if (
            seconds is not None
            and abs(duration_seconds(duration_text(seconds)) / seconds - 1.0) > 1e-3
        ):
            raise ArgumentError(f"time is {seconds:g} s; it must be 0.0001 ms or more", name="task")
    grammar = _Times(stated, most_channels, narrow, channels, limits, asked)
    then = Then(("span", grammar), grammar.span)
    return (Free(MOST_REASONING, then),) if opens is None else opens(then)


@dataclass(frozen=True)
class _Times:
    stated: Stated
    most_channels: int
    narrow: bool
    among: tuple[frozenset[str], ...]
    limits: tuple[Limits | None, ...]
    asked: Asked | None

    def span(self, _: str) -> State:
        return literal(words.SPAN, self._then("span value", self._span_value))

    def _span_value(self, _: str) -> State:
        then = self._then("span read", self._span_read)
        if self.stated.span is not None:
            return literal(duration_text(self.stated.span), then)
        least, most = OPEN_STEPS
        if self.stated.interval is not None:
            interval = self.stated.interval
            return duration(interval * least, interval * most, then)
        return duration(OPEN_INTERVAL[0] * least, OPEN_INTERVAL[1] * most, then)

    def _span_read(self, text: str) -> State:
        span = self.stated.span or duration_seconds(text)
        return literal(words.EVERY, Then(("every", self, span), lambda _: self._interval(span)))

    def _interval(self, span: float) -> State:
        def read(text: str) -> State:
            interval = self.stated.interval or duration_seconds(text)
            return _Channels(
                span, interval, self.most_channels, self.narrow, self.among, self.limits, self.asked
            ).channel("")

        then = Then(("interval", self, span), read)
        if self.stated.interval is not None:
            return literal(duration_text(self.stated.interval), then)
        least, most = OPEN_STEPS
        if span / LONGEST_CHAIN > OPEN_INTERVAL[1] or span < LEAST_STEPS * _SMALLEST * 1e-3:
            raise ArgumentError(
                f"span is {span:g} s; it must fit {LONGEST_CHAIN} steps", name="task"
            )
        low, high = span / most, span / least
        return duration(max(low, _SMALLEST * 1e-3), max(high, 2.0 * _SMALLEST * 1e-3), then)

    def _then(self, name: str, follow: object) -> Then:
        return Then((name, self), follow)  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Channels:
    """The lines of the channels that are still to come."""

    span: float
    interval: float
    left: int
    narrow: bool
    among: tuple[frozenset[str], ...] = ()
    limits: tuple[Limits | None, ...] = ()
    asked: Asked | None = None
    taken: tuple[str, ...] = ()

    def channel(self, _: str) -> State:
        return literal(words.CHANNEL, Then(("channel", self), self._labels))

    def _labels(self, _: str) -> State:
        among = self.among[len(self.taken)] if self.among else frozenset()
        labels = tuple(
            label
            for label in by_label()
            if label not in self.taken and (not among or label in among)
        )
        return choice(labels, Then(("label", self), self._values))

    def _values(self, label: str) -> State:
        kind = by_label()[label]
        after = replace(self, left=self.left - 1, taken=(*self.taken, label))
        lines = _Lines(kind, after)
        return literal(words.VALUES, Then(("values", lines), lines.low))

    def more(self, _: str) -> State:
        """Another channel, or the end."""
        end = literal(words.END, Then(("end",), lambda _: (End(),)))
        if self.among:
            return end if len(self.taken) == len(self.among) else self.channel("")
        return end if self.left < 1 else (*end, *self.channel(""))


@dataclass(frozen=True)
class _Lines:
    """The lines of one channel."""

    kind: Kind
    after: _Channels

    @property
    def _stated(self) -> tuple[str, str] | None:
        """Both limits as the task states them, in the unit of the quantity."""
        number = len(self.after.taken) - 1
        limits = self.after.limits[number] if number < len(self.after.limits) else None
        ends = None if limits is None else limits.of(self.kind)
        return None if ends is None else (number_text(ends[0]), number_text(ends[1]))

    def low(self, _: str) -> State:
        if self._stated is not None:
            return literal(self._stated[0], Then(("low", self), self._to))
        known = self._usual
        low, high = grid(*known.low)
        ceiling = grid(self.kind.floor, self.kind.ceiling)[1]
        least = max(1, math.ceil(known.width[0] * GRID))
        return (Number(low, min(high, ceiling - least), Then(("low", self), self._to)),)

    @property
    def _usual(self) -> Usual:
        """The limits of values and periods that this channel keeps to."""
        if self.after.narrow:
            return usual(self.kind.key)
        kind = self.kind
        return Usual(
            (kind.floor, kind.ceiling), (0.0, kind.ceiling - kind.floor), ((0.0, self.after.span),)
        )

    def _to(self, low: str) -> State:
        return literal(words.TO, Then(("to", self, low), lambda _: self._high(float(low))))

    def _high(self, low: float) -> State:
        then = Then(("high", self), lambda _: self._line(words.PERIOD))
        if self._stated is not None:
            return literal(self._stated[1], then)
        narrow, wide = self._usual.width
        at = round(low * GRID)
        ceiling = grid(self.kind.floor, self.kind.ceiling)[1]
        least = at + max(1, math.ceil(narrow * GRID))
        most = max(least, min(ceiling, at + math.floor(wide * GRID)))
        return (Number(least, most, then),)

    def _line(self, mark: str) -> State:
        return literal(mark, Then(("line", self, mark), self._word))

    def _word(self, mark: str) -> State:
        if mark == words.PERIOD:
            return self._period(first=None)
        if mark == words.TREND:
            return choice(self._trends(), self._next(words.NOISE))
        if mark == words.NOISE:
            return choice(NOISE_LEVELS, self._next(words.ANOMALY))
        return self._anomaly(second=False)

    def _trends(self) -> tuple[str, ...]:
        asked = self.after.asked
        first = len(self.after.taken) == 1
        return (asked.trend,) if asked is not None and first and asked.trend else TRENDS

    def _next(self, mark: str) -> Then:
        return Then(("next", self, mark), lambda _: self._line(mark))

    def _period(self, first: str | None) -> State:
        """A period, a second one, or none; a wave where there is one."""
        low = LEAST_STEPS_A_PERIOD * self.after.interval
        high = self.after.span
        found: State = ()
        if first is None:
            none = Then(("no period", self), lambda _: literal(words.WAVE, self._wave(("none",))))
            found = literal(words.NONE, none)
        then = Then(("period", self, first), lambda text: self._and(text, first))
        for shortest, longest in self._usual.periods:
            if max(low, shortest) <= min(high, longest):
                found += duration(max(low, shortest), min(high, longest), then)
        return found

    def _and(self, text: str, first: str | None) -> State:
        waves = literal(words.WAVE, self._wave(WAVES))
        if first is not None:
            return waves
        again = Then(("and", self), lambda _: self._period(first=text))
        return (*waves, *literal(words.AND, again))

    def _wave(self, known: tuple[str, ...]) -> Then:
        return Then(("wave", self, known), lambda _: choice(known, self._next(words.TREND)))

    def _anomaly(self, second: bool) -> State:
        asked = self.after.asked
        if asked is not None:
            wanted = asked.anomalies if len(self.after.taken) == 1 else ()
            return self._bound(wanted[1:] if second else wanted)
        kinds = tuple(
            f"{kind} {way} "
            for kind in EVENT_KINDS
            for way in words.DIRECTIONS
            if kind == "shift" or way == ("up" if kind == "spike" else "down")
        )
        found = choice(kinds, Then(("where", self, second), lambda _: self._position(not second)))
        if not second:
            found += literal(words.NONE, Then(("no anomaly", self), self.after.more))
        return found

    def _bound(self, wanted: tuple[tuple[str, int, float | None], ...]) -> State:
        """The anomalies that are asked for, and no other."""
        if not wanted:
            return literal(words.NONE, Then(("no anomaly", self), self.after.more))
        kind, direction, at = wanted[0]
        left = len(wanted) > 1
        head = f"{kind} {'up' if direction > 0 else 'down'} "
        if at is None:
            return literal(
                head, Then(("where", self, left), lambda _: self._position(left, must=left))
            )
        after = Then(("placed", self, left), lambda _: self._more(left, must=left))
        return literal(f"{head}{number_text(at, 2)}", after)

    def _position(self, again: bool, must: bool = False) -> State:
        low, high = grid(0.0, 1.0)
        then = Then(("position", self, again), lambda _: self._more(again, must))
        return (Number(low, high, then),)

    def _more(self, again: bool, must: bool = False) -> State:
        """What follows an anomaly: another one, where there may be one, or the end of the channel."""
        another = Then(("another", self), lambda _: self._anomaly(second=True))
        if must:
            return literal(words.AND, another)
        rest = self.after.more("")
        return (*rest, *literal(words.AND, another)) if again else rest


def duration(low: float, high: float, then: Then) -> State:
    """A duration of ``low`` to ``high`` seconds: a number and a unit."""
    found: list[Node] = []
    for unit, size in UNITS.items():
        least, most = grid(low / size, high / size)
        least = max(least, 1)
        if least > most:
            continue
        found.append(Number(least, most, _unit(unit, then)))
    return tuple(found)


def _unit(unit: str, then: Then) -> Then:
    def follow(number: str) -> State:
        text = f"{number} {unit}"
        return literal(f" {unit}", Then(("duration", then.key, text), lambda _: then.follow(text)))

    return Then(("unit", unit, then.key), follow)
