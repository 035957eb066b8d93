"""Numbers as people write them, and the value that is left of a number once it is written.

Every writer returns tokens (literal text, or a number with its role) together with the value that
the text states, so that a rounded number is claimed as rounded. A token list joins into the text,
and the place of each number in it is known by construction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np

T = TypeVar("T")


class Number(NamedTuple):
    """A number in the text and the part it plays."""

    text: str
    role: str


Token = str | Number
Tokens = tuple[Token, ...]

NUMBER_WORDS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_MINUS = (*("-",) * 25, "\N{MINUS SIGN}", "minus ")
# A period or a duration may differ from the truth by this share of itself once it is written.
PRECISION = 0.004

_MINUTE, _HOUR, _DAY, _WEEK = 60.0, 3600.0, 86400.0, 604800.0
# Seconds; abbreviations; singular and plural. Bare "m" is never minutes: it is metres.
_TIME_UNITS: tuple[tuple[float, tuple[str, ...], str, str], ...] = (
    (0.001, ("ms",), "millisecond", "milliseconds"),
    (1.0, ("s", "s", "sec"), "second", "seconds"),
    (_MINUTE, ("min", "min", "mins"), "minute", "minutes"),
    (_HOUR, ("h", "h", "hr"), "hour", "hours"),
    (_DAY, ("d",), "day", "days"),
    (_WEEK, ("wk",), "week", "weeks"),
)
# "an hourly cycle" and "repeats every hour".
_CYCLE_WORDS = (
    (_HOUR, ("hourly",), ("every hour", "each hour")),
    (_DAY, ("daily", "daily", "daily", "diurnal", "day-night"), ("every day", "each day")),
    (_WEEK, ("weekly",), ("every week", "each week")),
)
_STEP_WORDS = ("steps", "steps", "steps", "samples", "points", "time steps", "readings")


class Dice:
    """Uniform draws in blocks: a single draw from a numpy generator costs more than a phrase can."""

    __slots__ = ("_left", "_rng")

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._left: list[float] = rng.random(128).tolist()

    def __call__(self) -> float:
        """A draw from [0, 1)."""
        if not self._left:
            self._left = self._rng.random(128).tolist()
        return self._left.pop()

    def pick(self, options: Sequence[T]) -> T:
        """One of ``options``, all equally likely."""
        return options[int(self() * len(options))]

    def shuffle(self, items: list[T]) -> None:
        """Fisher-Yates, in place."""
        for i in range(len(items) - 1, 0, -1):
            j = int(self() * (i + 1))
            items[i], items[j] = items[j], items[i]


def decimals_for(scale: float, digits: int) -> int:
    """Decimals that leave ``digits`` significant digits of ``scale``; negative means tens."""
    return digits - 1 - math.floor(math.log10(scale)) if scale > 0.0 else digits - 1


def write(value: float, decimals: int, dice: Dice, spelled: bool = True) -> tuple[str, float]:
    """``value`` rounded to ``decimals``; small ones now and then as a word if ``spelled``."""
    stated = round(value, decimals) + 0.0  # + 0.0: no negative zero
    size = abs(stated)
    if spelled and size <= 12.0 and stated >= 0.0 and stated == int(stated) and dice() < 0.02:
        return NUMBER_WORDS[int(stated)], stated
    if _is_scientific(size, dice):
        places = max(math.floor(math.log10(size)) + decimals, 0)
        mantissa, _, exponent = f"{size:.{places}e}".partition("e")
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        text = f"{mantissa}e{int(exponent)}"
    else:
        comma = "," if size >= 10_000.0 and dice() < 0.4 else ""
        text = f"{size:{comma}.{max(decimals, 0)}f}"
        if "." in text and dice() < 0.85:
            text = text.rstrip("0").rstrip(".")
    if stated < 0.0:
        text = dice.pick(_MINUS) + text
    return text, stated


def _is_scientific(size: float, dice: Dice) -> bool:
    if size == 0.0 or 1e-3 <= size < 1e5:
        return False
    return size < 1e-5 or size >= 1e10 or dice() < 0.2


def _shortest(value: float, slack: float, dice: Dice) -> tuple[str, float]:
    """The fewest decimals that state ``value`` within ``slack``, now and then one more."""
    for decimals in range(6):
        if abs(round(value, decimals) - value) <= slack:
            break
    if dice() < 0.1:
        decimals += 1
    stated = round(value, decimals)
    if stated == int(stated):
        number = int(stated)
        if 0 < number <= 12 and dice() < 0.1:
            return NUMBER_WORDS[number], stated
        return str(number), stated
    return f"{stated:.{decimals}f}", stated


@lru_cache(maxsize=4096)
def _fitting_units(seconds: float) -> tuple[int, ...]:
    """Time units in which ``seconds`` is between 0.5 and 1000, the ones with few decimals first."""
    fitting = []
    for i, (size, *_) in enumerate(_TIME_UNITS):
        count = seconds / size
        if 0.5 <= count < 1000.0:
            decimals = next((d for d in range(3) if abs(round(count, d) - count) < 1e-6 * count), 3)
            fitting.append((decimals, abs(math.log10(count) - 0.8), i))
    return tuple(entry[-1] for entry in sorted(fitting))


class Span(NamedTuple):
    """A length of time as written: number, unit, and the seconds that both say."""

    number: str
    unit: str
    seconds: float


def write_time(seconds: float, slack: float, dice: Dice, form: str = "noun") -> Span | None:
    """A length of time within ``slack`` seconds; None when no unit suits it.

    ``form`` is "noun" (24 h, 24 hours) or "adjective" (24-hour).
    """
    units = _fitting_units(seconds)
    if not units:
        return None
    size, short, singular, plural = _TIME_UNITS[
        units[0] if len(units) == 1 or dice() < 0.8 else units[1]
    ]
    number, count = _shortest(seconds / size, slack / size, dice)
    if form == "adjective":
        return Span(
            number, "-" + singular if dice() < 0.85 else " " + dice.pick(short), count * size
        )
    if number.isalpha() or dice() < 0.45:
        return Span(number, " " + (singular if count == 1.0 else plural), count * size)
    return Span(number, ("" if dice() < 0.25 else " ") + dice.pick(short), count * size)


def write_steps(steps: float, slack: float, dice: Dice, form: str = "noun") -> Span:
    """A number of steps within ``slack``; the third field is in steps, not seconds."""
    number, count = _shortest(steps, slack, dice)
    if form == "adjective":
        return Span(number, dice.pick(("-step", "-step", "-sample", "-point")), count)
    return Span(number, " " + dice.pick(_STEP_WORDS), count)


def cycle_word(seconds: float, dice: Dice, form: str) -> Span | None:
    """Write "daily", or "every day" when ``form`` is not "adjective"; None when no word says the cycle."""
    for size, adjectives, adverbs in _CYCLE_WORDS:
        if abs(seconds - size) <= PRECISION * size and dice() < 0.6:
            return Span(dice.pick(adjectives if form == "adjective" else adverbs), "", size)
    return None


def write_frequency(seconds: float, dice: Dice) -> Span:
    """Cycles a second, minute, hour or day: the third field is the period in seconds."""
    hertz = 1.0 / seconds
    scale, unit = _frequency_unit(hertz, dice)
    rate = hertz / scale
    decimals = decimals_for(rate, 1)
    while abs(round(rate, decimals) - rate) > PRECISION * rate:
        decimals += 1
    stated = round(rate, decimals)
    return Span(f"{stated:.{max(decimals, 0)}f}", " " + unit, 1.0 / (stated * scale))


def _frequency_unit(hertz: float, dice: Dice) -> tuple[float, str]:
    if hertz >= 2000.0:
        return 1000.0, "kHz"
    if hertz >= 0.05 or dice() < 0.15:
        return 1.0, "Hz" if dice() < 0.85 else "cycles per second"
    for size, name in ((_MINUTE, "minute"), (_HOUR, "hour")):
        if hertz * size >= 0.5:
            return 1.0 / size, f"cycles per {name}"
    return 1.0 / _DAY, "cycles per day"


def write_rate(seconds: float, dice: Dice) -> Span | None:
    """Write "three times per day"; None unless a whole number of cycles fits a usual stretch of time."""
    stretch = _handy_stretch(seconds)
    if stretch is None:
        return None
    count, size, name = stretch
    per = dice.pick((f"per {name}", f"a {name}" if name != "hour" else "an hour", f"every {name}"))
    number = NUMBER_WORDS[count] if count <= 12 and dice() < 0.5 else str(count)
    return Span(number, f" times {per}", size / count)


def _handy_stretch(seconds: float) -> tuple[int, float, str] | None:
    """The shortest usual stretch of time that holds 2 to 60 whole cycles."""
    for size, name in ((_MINUTE, "minute"), (_HOUR, "hour"), (_DAY, "day"), (_WEEK, "week")):
        count = round(size / seconds)
        if 2 <= count <= 60 and abs(size / seconds - count) <= PRECISION * count:
            return count, size, name
    return None
