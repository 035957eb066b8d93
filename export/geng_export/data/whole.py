"""Whole descriptions: texts of users written in one piece, with what each of them states.

Clauses put together never sound like a story, a ticket or a chat message, and what a text states may
follow from all of it. ``wordings/whole/*.toml`` holds such texts in the template language of
:mod:`geng_export.data.wording`; here one is chosen that is true of a series, and its slots are filled.
Only the text side's last training sees them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from geng_edge.claims import ANYWHERE, Claims, Event
from geng_export.data.clauses import PeriodFill, RangeFill, Writer
from geng_export.data.details import place
from geng_export.data.numerals import Number, Token, Tokens
from geng_export.data.wording import Wording, parse, read_table

PERIOD = frozenset({"period", "every", "adj", "a_adj", "often", "count", "frequency"})
_LIMITS = frozenset({"low", "high", "center", "amplitude", "span"})
_VALUES = _LIMITS | {"mean", "u"}


@dataclass(frozen=True)
class Whole:
    """A text and what it states.

    Attributes:
        wording: The parsed text.
        trend: ``up``, ``down`` or ``none``; ``some`` for either direction; None where it says nothing.
        periodic: False where it denies a cycle; True where it has one, of a length that a slot gives
            or that is not said; None where it says nothing.
        events: Kind and direction in the order of the text; None where it says nothing.
    """

    wording: Wording
    trend: str | None
    periodic: bool | None
    events: tuple[tuple[str, int], ...] | None

    @classmethod
    def from_dict(cls, entry: dict[str, Any]) -> Whole:
        """Read an entry of a file.

        Raises:
            ValueError: A brace of the text stands alone, or a key is unknown.
        """
        left = dict(entry)
        wording = parse(left.pop("text"))
        trend, said, events = left.pop("trend", None), left.pop("periodic", None), None
        if "events" in left:
            events = tuple(_kind(name) for name in left.pop("events"))
        if left:
            raise ValueError(f"text has {', '.join(left)}; it must have trend, periodic, events")
        periodic = {None: None, "none": False, "some": True}[said]
        return cls(wording, trend, True if wording.slots & PERIOD else periodic, events)

    def is_true_of(self, claims: Claims) -> bool:
        """Whether everything that it states holds; of what it does not state, nothing is asked."""
        has_range = claims.low is not None and claims.high is not None
        slots = self.wording.slots
        return (
            (self.trend is None or claims.trend in _TRENDS.get(self.trend, (self.trend,)))
            and (self.periodic is None or claims.periodic is self.periodic)
            and (not slots & PERIOD or bool(claims.periods))
            and (not slots & _LIMITS or has_range)
            and ("mean" not in slots or claims.mean is not None)
            and (self.events is None or _same(self.events, claims.events))
        )


_TRENDS = {"some": ("up", "down")}


def _kind(name: str) -> tuple[str, int]:
    kind, _, way = name.partition(" ")
    return kind, {"": 0, "up": 1, "down": -1}[way]


def _sort(event: Event) -> tuple[str, int]:
    return event.kind, event.direction if event.kind == "shift" else 0


def _same(told: tuple[tuple[str, int], ...], true: tuple[Event, ...] | None) -> bool:
    """Whether a text tells of the events that there are, in any order."""
    return true is not None and sorted(told) == sorted(map(_sort, true))


def _told(text: Whole, events: tuple[Event, ...]) -> list[int]:
    """The numbers of the events in the order in which the text tells of them."""
    left = list(range(len(events)))
    order = []
    for sort in text.events or ():
        order.append(next(i for i in left if _sort(events[i]) == sort))
        left.remove(order[-1])
    return order


@lru_cache(maxsize=1)
def texts() -> tuple[Whole, ...]:
    """Every text of ``wordings/whole``."""
    folder = Path(__file__).parent / "wordings" / "whole"
    tables = (read_table(path) for path in sorted(folder.glob("*.toml")))
    return tuple(Whole.from_dict(entry) for table in tables for entry in table["whole"])


@lru_cache(maxsize=1)
def alike() -> tuple[tuple[Whole, ...], ...]:
    """The texts in groups that are true of the same series, so that one of each is asked."""
    groups: dict[tuple[object, ...], list[Whole]] = defaultdict(list)
    for text in texts():
        events = None if text.events is None else tuple(sorted(text.events))
        slots = text.wording.slots & (PERIOD | _LIMITS | {"mean"})
        groups[text.trend, text.periodic, events, slots].append(text)
    return tuple(map(tuple, groups.values()))


def write(w: Writer) -> list[Token]:
    """A whole text that is true of the claims; nothing where there is none."""
    period = PeriodFill(w, 0) if w.claims.periods else None
    known = period.slots() if period is not None else frozenset()
    fitting = [
        text
        for first, *more in alike()
        if first.is_true_of(w.claims) and not first.wording.slots & {"often", "count"} - known
        for text in (first, *more)
    ]
    return _filled(w, w.dice.pick(fitting), period) if fitting else []


def _filled(w: Writer, text: Whole, period: PeriodFill | None) -> list[Token]:
    limits = RangeFill(w)
    events = w.claims.events or ()
    order = _told(text, events)
    placed: list[Event] = []

    def fill(slot: str) -> Tokens:
        if slot in _VALUES:
            return limits(slot)
        if slot in PERIOD and period is not None:
            return period(slot)
        if slot == "when":
            index = order[len(placed)]
            tokens, event = place(w, events[index], index)
            placed.append(event)
            return " ", *tokens
        base = 1990 if slot == "year" else 1
        return (Number(str(base + int(w.dice() ** 2 * 60.0) % 40), "other"),)

    tokens = w.filled(text.wording, fill, w.claims.trend == "up")
    w.stated.update(limits.limits(), **_stated(w.claims, text))
    if text.wording.slots & PERIOD and period is not None:
        w.stated["periods"] = (period.stated,)
    if text.events is not None:
        unsaid = [
            Event(events[i].kind, 0.5, events[i].direction, ANYWHERE) for i in order[len(placed) :]
        ]
        w.stated["events"] = (*placed, *unsaid)
    return tokens


def _stated(claims: Claims, text: Whole) -> dict[str, Any]:
    stated: dict[str, Any] = {}
    if text.trend is not None:
        stated["trend"] = claims.trend
    if text.periodic is not None:
        stated["periodic"] = text.periodic
    return stated
