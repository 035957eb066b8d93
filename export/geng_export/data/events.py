"""Events of composed series: which happen where, how large, and what they do to the values.

An event takes a slot of the latent's row of events: its kind as one of several, its place as a share of
the window, its width in steps and its size. Sizes are drawn so that an event can be seen; one that does
not stand out of what it happens in is refused (:func:`stand_out`), not stated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from geng_edge.claims import Event
from geng_export.data.scenarios import Scenario, weighted
from geng_export.models import layout as at
from geng_export.models.layout import FloatArray

#: Probability that a window of a task has an event.
_SHARE = {1: 0.0, 2: 0.0, 3: 0.9, 4: 0.6}
_WEIGHTS = {"spike": 3.0, "dip": 2.0, "shift": 1.5, "dropout": 1.5}
#: Where an event happens, as shares of the window; either side of a shift must be seen.
_ANYWHERE, _BETWEEN = (0.08, 0.92), (0.2, 0.8)
_LATEST_DROPOUT = 0.88
#: Of the window, between two events: each can still be seen for itself. Of one kind, or of two.
_APART, _KINDS_APART = 0.12, 0.15
#: Two of these make a pair of two kinds, in the order of :func:`geng_edge.claims.by_kind`; what a
#: scenario is prone to says nothing of pairs.
_SORTS = (("spike", 1), ("dip", 1), ("shift", 1), ("shift", -1), ("dropout", 1))
#: What must stand out of the range, and of the noise in its standard deviations.
_LEAST_SIZE = {"spike": 0.35, "dip": 0.35, "shift": 0.3, "dropout": 0.12}
_LEAST_TO_NOISE = {"spike": 7.0, "dip": 7.0, "shift": 3.5, "dropout": 2.0}


def draw_events(
    rng: np.random.Generator,
    scenario: Scenario | None,
    task: int,
    row: FloatArray,
    two_kinds: float,
) -> list[Event]:
    """Draw none, one or two events into ``row``; of those drawn, the share ``two_kinds`` differ in kind."""
    if rng.random() >= _SHARE[task]:
        return []
    weights = _WEIGHTS
    if scenario is not None:
        likely = {k: v + 0.05 for k, v in scenario.events.items() if k in weights}
        weights = likely or weights
    if two_kinds > 0.0 and rng.random() < two_kinds:
        return _draw_two_kinds(rng, row)
    events: list[Event] = []
    for i in range(2 if rng.random() < 0.12 else 1):
        kind = weighted(rng, weights) if not events else events[0].kind
        if events and kind in ("shift", "dropout"):
            break
        position = _place(rng, kind)
        if events and abs(position - events[0].position) < _APART:
            break
        direction = 1 if kind != "shift" or rng.random() < 0.5 else -1
        events.append(_drawn(rng, row, i, kind, direction, position))
    return events


def _place(rng: np.random.Generator, kind: str) -> float:
    return float(rng.uniform(*(_BETWEEN if kind == "shift" else _ANYWHERE)))


def _draw_two_kinds(rng: np.random.Generator, row: FloatArray) -> list[Event]:
    """Two events of two kinds; their slots follow the kinds, so that a text may name either first."""
    while True:
        first, second = (_SORTS[i] for i in sorted(rng.permutation(len(_SORTS))[:2]))
        places = _place(rng, first[0]), _place(rng, second[0])
        if first[0] != second[0] and abs(places[0] - places[1]) >= _KINDS_APART:
            break
    return [_drawn(rng, row, 0, *first, places[0]), _drawn(rng, row, 1, *second, places[1])]


def _drawn(
    rng: np.random.Generator,
    row: FloatArray,
    index: int,
    kind: str,
    direction: int,
    position: float,
) -> Event:
    """Draw width and size, and put the event into slot ``index``."""
    width = {
        "spike": rng.uniform(0.5, 2.5),
        "dip": rng.uniform(0.5, 2.5),
        "shift": rng.uniform(0.25, 1.5),
        "dropout": rng.uniform(8.0, 45.0),
    }[kind]
    size = {
        "spike": rng.uniform(0.9, 1.6),
        "dip": rng.uniform(0.9, 1.6),
        "shift": rng.uniform(0.8, 1.6) * direction,
        "dropout": rng.uniform(0.15, 0.5),
    }[kind]
    if kind == "dropout":
        position = min(position, _LATEST_DROPOUT)
    slot = row[index * at.EVENT_WIDTH : (index + 1) * at.EVENT_WIDTH]
    slot[: len(at.EVENT_KINDS)] = 0.0
    slot[at.EVENT_KINDS.index(kind)] = 1.0
    slot[at.EVENT_POSITION], slot[at.EVENT_LOG_WIDTH], slot[at.EVENT_SIZE] = (
        position,
        math.log(width),
        size,
    )
    return Event(kind, position, direction)


def stand_out(row: FloatArray, events: Sequence[Event], span: float, noise: float) -> bool:
    """Whether each event stands out of the rendered range ``span``, and of noise that is a share of it."""
    for i, event in enumerate(events):
        size = abs(row[i * at.EVENT_WIDTH + at.EVENT_SIZE]) / span
        if size < max(_LEAST_SIZE[event.kind], _LEAST_TO_NOISE[event.kind] * noise):
            return False
    return True


def put_events(x: FloatArray, row: FloatArray) -> FloatArray:
    """Values ``[steps]`` with what the events of ``row`` do to them."""
    last = len(x) - 1
    t = np.arange(len(x))
    events = [
        row[i * at.EVENT_WIDTH : (i + 1) * at.EVENT_WIDTH] for i in range(at.EVENTS_PER_SERIES)
    ]
    for event in events:
        kind = at.EVENT_KINDS[int(np.argmax(event[: len(at.EVENT_KINDS)]))]
        place = _step(event[at.EVENT_POSITION] * last)
        width, size = math.exp(event[at.EVENT_LOG_WIDTH]), event[at.EVENT_SIZE]
        if kind in ("spike", "dip"):
            bump = abs(size) * np.exp(-0.5 * ((t - place) / width) ** 2)
            x = x + (bump if kind == "spike" else -bump)
        elif kind == "shift":
            x = x + size / (1.0 + np.exp(-np.clip((t - place) / width, -60.0, 60.0)))
    floor = x.min()
    for event in events:
        if int(np.argmax(event[: len(at.EVENT_KINDS)])) == at.EVENT_KINDS.index("dropout"):
            place = _step(event[at.EVENT_POSITION] * last)
            end = place + _step(math.exp(event[at.EVENT_LOG_WIDTH]))
            x = np.where((t >= place) & (t < end), floor - abs(event[at.EVENT_SIZE]), x)
    return x


def _step(x: float) -> int:
    """Nearest step, halves up, as the decoder rounds."""
    return math.floor(x + 0.5)
