"""Claims: what a description states about a series, in numbers that can be checked.

A composed series is drawn from its claims, a real one has them read off by analysis; phrases.py
turns either into text and returns the claims that the text really made, and the evaluation holds
a generated series against exactly those. The vocabulary of that contract is this page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

TRENDS = ("up", "down", "none")
TREND_SHAPES = ("linear", "exponential", "saturating", "piecewise", "sigmoid")
EVENT_KINDS = ("spike", "dip", "shift", "dropout")
NOISE_LEVELS = ("none", "low", "moderate", "high")
COLOURS = ("white", "red")

# Shapes of one cycle; the phase is free. waves.py draws them.
WAVES = (
    "sine",  # one smooth hump and one trough of equal width
    "skewed",  # smooth, but rises faster than it falls or the other way round
    "triangle",  # rises and falls at constant rates
    "sawtooth",  # a constant ramp, then back at once; either direction
    "square",  # high for about half of the cycle, low for the other
    "pulse",  # a narrow peak, flat otherwise
    "bursts",  # a broad peak for a quarter of the cycle, quiet otherwise
    "daytime",  # a half-sine hump for half of the cycle, flat for the other
    "double peak",  # a higher and a lower hump: morning and evening
    "heartbeat",  # a narrow tall peak with smaller bumps around it
)

# Standard deviation of the noise as a share of the range (high - low): [from, to).
NOISE_BANDS = {
    "none": (0.0, 0.004),
    "low": (0.004, 0.02),
    "moderate": (0.02, 0.06),
    "high": (0.06, math.inf),
}

# Share of the window that a position word covers: from, to. A word is said only of an event
# inside its band, and holds for any position inside it.
POSITION_WORDS = {
    "at the very start": (0.0, 0.06),
    "at the start": (0.0, 0.1),
    "at the beginning": (0.0, 0.1),
    "near the start": (0.02, 0.18),
    "shortly after the start": (0.03, 0.17),
    "near the beginning": (0.02, 0.18),
    "early": (0.08, 0.32),
    "early on": (0.08, 0.32),
    "early in the window": (0.08, 0.32),
    "in the first quarter": (0.0, 0.25),
    "in the first third": (0.0, 0.335),
    "in the first half": (0.0, 0.5),
    "a quarter of the way through": (0.19, 0.31),
    "a third of the way in": (0.27, 0.4),
    "just before the middle": (0.36, 0.49),
    "in the middle": (0.41, 0.59),
    "around the middle": (0.39, 0.61),
    "halfway through": (0.43, 0.57),
    "midway": (0.43, 0.57),
    "in the middle third": (0.33, 0.67),
    "just after the middle": (0.51, 0.64),
    "in the second half": (0.5, 1.0),
    "two thirds of the way in": (0.6, 0.73),
    "three quarters of the way through": (0.69, 0.81),
    "late": (0.68, 0.92),
    "late on": (0.68, 0.92),
    "late in the window": (0.68, 0.92),
    "in the last third": (0.665, 1.0),
    "in the last quarter": (0.75, 1.0),
    "towards the end": (0.77, 0.97),
    "near the end": (0.82, 0.98),
    "shortly before the end": (0.83, 0.97),
    "at the end": (0.9, 1.0),
    "at the very end": (0.94, 1.0),
}

STATED = 0.02  # share of the window by which an event may miss a position given as a number
ANYWHERE = 1.0


@dataclass(frozen=True)
class Event:
    """Something that happens once in the window.

    ``position`` is where it starts or peaks, as a share of the window (0 first step, 1 last step);
    an event agrees with the claim when it is within ``tolerance`` of it. A position said by a word
    is the middle of the word's band, with half the band as tolerance; an event said without a
    position has ``tolerance`` :data:`ANYWHERE`.
    """

    kind: str
    position: float
    direction: int = 1
    tolerance: float = STATED


@dataclass(frozen=True)
class Claims:
    """What is said of a series; None, or an empty tuple of periods, where nothing is said.

    ``low``, ``high``, ``mean``, ``noise_std`` and ``resolution`` are in units of the values,
    ``periods`` in steps with the dominant one first (at most two), ``interval`` in seconds a step.
    ``events == ()`` says that there is no anomaly. ``interval`` and ``length`` are always known: a
    generation request carries them beside its text.
    """

    trend: str | None = None
    trend_shape: str | None = None
    periodic: bool | None = None
    periods: tuple[float, ...] = ()
    wave: str | None = None
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    noise: str | None = None
    noise_std: float | None = None
    colour: str | None = None
    events: tuple[Event, ...] | None = None
    stationary: bool | None = None
    resolution: float | None = None
    interval: float = 1.0
    length: int = 512
    unit: str = ""
    quantity: str = ""
    device: str = ""
    place: str = ""


def by_kind(events: Iterable[Event]) -> tuple[Event, ...]:
    """Events in the order in which a model holds them: by kind, those of one kind as they come.

    What the first is and what the second then follows from the kinds alone, wherever a text names them.
    """
    return tuple(sorted(events, key=lambda e: (EVENT_KINDS.index(e.kind), -e.direction)))


def noise_level(share: float) -> str:
    """The word for noise whose standard deviation is ``share`` of the range."""
    for word, (least, most) in NOISE_BANDS.items():
        if least <= share < most:
            return word
    raise ValueError(f"noise share is {share}; it must be 0 or more")


def event_at_word(kind: str, word: str, direction: int = 1) -> Event:
    """The claim that an event placed by ``word`` makes."""
    least, most = POSITION_WORDS[word]
    return Event(kind, (least + most) / 2.0, direction, (most - least) / 2.0)


def spanned(claims: Claims) -> Claims:
    """``claims`` without limits that span no range, and without a mean that is not between them.

    Those are what a recorded series can be laid to; one that stands alone is met by what is drawn, and
    only checked of what was recorded.
    """
    low, high, mean = claims.low, claims.high, claims.mean
    if low is None or high is None or not low < high:
        return replace(claims, low=None, high=None, mean=None)
    if mean is None or low < mean < high:
        return claims
    return replace(claims, mean=None)


def check(claims: Claims) -> None:
    """Refuse claims that contradict themselves or use words this page does not have.

    Raises:
        ValueError: Names the field, its value and what it must be.
    """
    _check_words(claims)
    _check_numbers(claims)


def _check_words(claims: Claims) -> None:
    words = (
        ("trend", claims.trend, TRENDS),
        ("trend_shape", claims.trend_shape, TREND_SHAPES),
        ("wave", claims.wave, WAVES),
        ("noise", claims.noise, NOISE_LEVELS),
        ("colour", claims.colour, COLOURS),
    )
    for name, word, known in words:
        if word is not None and word not in known:
            raise ValueError(f"{name} is {word!r}; it must be one of {', '.join(known)}")
    for event in claims.events or ():
        if event.kind not in EVENT_KINDS:
            raise ValueError(f"event is {event.kind!r}; it must be one of {', '.join(EVENT_KINDS)}")
        if not 0.0 <= event.position <= 1.0:
            raise ValueError(f"{event.kind} position is {event.position}; it must be 0 to 1")
    if claims.periods and claims.periodic is False:
        raise ValueError("periods are given and periodic is False; it must be True or None")


def _check_numbers(claims: Claims) -> None:
    numbers = {"low": claims.low, "high": claims.high, "mean": claims.mean}
    for name, value in numbers.items():
        if value is not None and not math.isfinite(value):
            raise ValueError(f"{name} is {value}; it must be finite")
    if claims.low is not None and claims.high is not None and claims.low > claims.high:
        raise ValueError(f"low is {claims.low}; it must be at most high, {claims.high}")
    if len(claims.periods) > 2:
        raise ValueError(f"there are {len(claims.periods)} periods; there must be at most 2")
    for period in claims.periods:
        if not (math.isfinite(period) and period > 0.0):
            raise ValueError(f"period is {period}; it must be positive, in steps")
    positive = {"interval": claims.interval, "resolution": claims.resolution}
    for name, value in positive.items():
        if value is not None and not (math.isfinite(value) and value > 0.0):
            raise ValueError(f"{name} is {value}; it must be positive")
    if claims.noise_std is not None and not claims.noise_std >= 0.0:
        raise ValueError(f"noise_std is {claims.noise_std}; it must be 0 or more")
    if claims.length < 1:
        raise ValueError(f"length is {claims.length}; it must be 1 or more")
