"""Find the numbers of a description, with their units, and spell them as number channels.

Word pieces carry magnitudes badly, so every word piece that belongs to a number also carries
features of the value it spells; see :func:`number_channels`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

NUMBER_WIDTH = 32
LARGEST_NUMBER = 1e30

_SECONDS = {
    "us": 1e-6, "µs": 1e-6, "microsecond": 1e-6, "microseconds": 1e-6,
    "ms": 1e-3, "msec": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3,
    "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0,
    "min": 60.0, "mins": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hr": 3600.0, "hrs": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
    "week": 604800.0, "weeks": 604800.0, "wk": 604800.0,
    "month": 2592000.0, "months": 2592000.0,
    "year": 31536000.0, "years": 31536000.0, "yr": 31536000.0,
}  # fmt: skip
_STEPS = {"step", "steps", "sample", "samples", "point", "points", "reading", "readings",
          "observation", "observations", "tick", "ticks", "time step", "time steps", "timestep",
          "timesteps", "index", "time-steps", "data points"}  # fmt: skip
_PERCENT = {"%", "percent", "per cent", "pct"}
_HERTZ = {"hz": 1.0, "khz": 1e3, "mhz": 1e-3, "hertz": 1.0, "rpm": 1.0 / 60.0}
_PER = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0}
_SMALL = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_CYCLES = {
    "hourly": 3600.0, "daily": 86400.0, "weekly": 604800.0, "monthly": 2592000.0,
    "yearly": 31536000.0, "annual": 31536000.0, "annually": 31536000.0, "diurnal": 86400.0,
    "circadian": 86400.0, "nightly": 86400.0, "day-night": 86400.0, "day/night": 86400.0,
    "every second": 1.0, "every minute": 60.0, "every hour": 3600.0, "every day": 86400.0,
    "every week": 604800.0, "each minute": 60.0, "each hour": 3600.0, "each day": 86400.0,
    "each week": 604800.0, "once a day": 86400.0, "once an hour": 3600.0, "once a week": 604800.0,
    "once per day": 86400.0, "once per hour": 3600.0,
}  # fmt: skip


# Letters that a case-blind pattern takes for s, i, k and the micro sign.
_TWINS = str.maketrans(
    {"\u017f": "s", "\u0130": "i", "\u0131": "i", "\u212a": "k", "\u03bc": "\u00b5"}
)


def _plain(word: str) -> str:
    """``word`` as the tables spell it."""
    return word.translate(_TWINS).lower().translate(_TWINS)


def _either(words: Sequence[str] | set[str] | dict[str, float]) -> str:
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))


_WORD = (
    rf"(?:(?:{_either({k: 0.0 for k, v in _SMALL.items() if v >= 20})})[- ](?:one|two|three|four|five|six"
    rf"|seven|eight|nine)|{_either(dict.fromkeys(_SMALL, 0.0))})(?:[ -](?:hundred|thousand))?"
)
_UNIT = (
    rf"(?:\s?(?P<percent>{_either(_PERCENT)})(?![A-Za-z])"
    rf"|[\s-]?(?P<hertz>{_either(_HERTZ)})\b"
    rf"|[\s-]?(?P<steps>{_either(_STEPS)})\b"
    rf"|\s?(?P<times>(?:times|cycles|peaks|turns|oscillations|beats)\s?(?:per|a|an|each|every|/)\s?)"
    rf"(?P<per>{_either(_PER)})\b"
    rf"|[\s-]?(?P<time>{_either(_SECONDS)})(?![A-Za-z/²³^]))"
)
# The "minus" of "20 plus or minus 3" is no sign.
_MINUS = r"(?<!plus or )(?<!plus/)(?<!plus-)(?:minus|negative)\s"
_NUMBER = re.compile(
    rf"(?<![\w.])(?P<cycle>{_either(_CYCLES)})(?!\w)"
    rf"|(?:(?P<sign>[-+\u2212\u2013]|{_MINUS})?"
    r"(?<![A-Za-z_])(?:(?<![\w.])|(?<=\.\.)|(?<=[-+\u2212\u2013\u00b1~]))"
    r"(?P<digits>(?:\d{1,3}(?:[,\u202f]\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+\u2212]?\d+)?|\.\d+(?:[eE][-+\u2212]?\d+)?)"
    rf"|(?<![\w-])(?P<wordsign>{_MINUS})?(?P<word>{_WORD})(?![\w]))"
    rf"(?P<unit>{_UNIT})?",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"(?:\b(?:time step|timestep|step|sample|point|index|reading|tick)s?\s*(?:no\.?|number|#|=)?\s*"
    r"|\b[tn]\s*=\s*|#\s*)$",
    re.IGNORECASE,
)
_LEFT_OF_RANGE = re.compile(r"[\d%°a-zA-Zµ²³)]\s?$")


@dataclass(frozen=True)
class Number:
    """A number of a text.

    Attributes:
        start, end: Its characters (sign included, unit not).
        value: What it spells; 1 for a word such as "daily".
        unit: ``none``, ``time``, ``steps``, ``percent`` or ``frequency``.
        seconds: Its length, or its frequency's period, in seconds.
        steps: The same in steps.
    """

    start: int
    end: int
    value: float
    unit: str
    seconds: float | None
    steps: float | None


def find_numbers(text: str, interval: float = 1.0) -> list[Number]:
    """The numbers of ``text``, in order.

    Args:
        text: Any text; this never raises.
        interval: Seconds between two steps, which turns times into steps.
    """
    found: list[Number] = []
    for match in _NUMBER.finditer(text):
        number = _number(match, text, interval)
        if number is not None:
            found.append(number)
    return _shared_units(found, text)


def _number(match: re.Match[str], text: str, interval: float) -> Number | None:
    cycle = match["cycle"]
    if cycle:
        seconds = _CYCLES[_plain(cycle)]
        return Number(match.start(), match.end(), 1.0, "time", seconds, seconds / interval)
    digits = match["digits"]
    start = match.start()
    if digits:
        value = float(digits.replace(",", "").replace("\u202f", "").replace("\u2212", "-"))
        end = match.end("digits")
        sign = match["sign"]
        if (
            sign
            and sign[0] in "-\u2212\u2013"
            and _LEFT_OF_RANGE.search(text[max(start - 2, 0) : start])
        ):
            # A dash that follows a number or a word joins them: "5-10", "18 - 26", "PM-2".
            joined = text[max(start - 2, 0) : start].rstrip()[-1:]
            if joined.isalpha() and text[start - 1 : start] != " ":
                return None
            if joined.isdigit() or joined in "%°)" or text[start - 1 : start] != " ":
                start, sign = match.start("digits"), None
        if sign and sign[0] != "+":
            value = -value
    else:
        value, end = _spelled(_plain(match["word"])), match.end("word")
        if match["wordsign"]:
            value = -value
    if not abs(value) <= LARGEST_NUMBER:
        return None
    return _with_unit(match, text, start, end, value, interval)


def _with_unit(
    match: re.Match[str], text: str, start: int, end: int, value: float, interval: float
) -> Number:
    if match["percent"]:
        return Number(start, end, value, "percent", None, None)
    if match["steps"]:
        return Number(start, end, value, "steps", value * interval, value)
    if match["time"] and not (match["time"] in ("d", "S", "H", "D") and match["digits"] is None):
        seconds = value * _SECONDS[_plain(match["time"])]
        return Number(start, end, value, "time", seconds, seconds / interval)
    hertz = _hertz(match, value)
    if hertz is not None and hertz > 0.0:
        return Number(start, end, value, "frequency", 1.0 / hertz, 1.0 / hertz / interval)
    if _BEFORE.search(text[max(start - 16, 0) : start]):
        return Number(start, end, value, "steps", value * interval, value)
    return Number(start, end, value, "none", None, None)


def _hertz(match: re.Match[str], value: float) -> float | None:
    if match["hertz"]:
        name = match["hertz"]
        factor = 1e6 if name.startswith("MH") else _HERTZ[_plain(name)]
        return value * factor
    if match["per"]:
        return value / _PER[_plain(match["per"])]
    return None


def _spelled(word: str) -> float:
    total, scale = 0, 1
    for part in re.split(r"[ -]", word):
        if part in ("hundred", "thousand"):
            scale = 100 if part == "hundred" else 1000
        else:
            total += _SMALL[part]
    return float(total * scale)


_JOINED = re.compile(r"\s*(?:-|\u2013|to|and|or|\.\.+)\s*$", re.IGNORECASE)


def _shared_units(found: list[Number], text: str) -> list[Number]:
    """Give the first of "24 and 168 steps" or "10 to 12 h" the unit of the second."""
    out = list(found)
    for i in range(len(out) - 2, -1, -1):
        here, after = out[i], out[i + 1]
        if here.unit != "none" or after.unit not in ("time", "steps", "percent"):
            continue
        cycle = _plain(text[after.start : after.end]) in _CYCLES
        if cycle or after.value == 0.0 or not _JOINED.fullmatch(text[here.end : after.start]):
            continue
        if after.unit == "percent" or after.seconds is None or after.steps is None:
            out[i] = Number(here.start, here.end, here.value, after.unit, None, None)
            continue
        share = here.value / after.value
        out[i] = Number(
            here.start, here.end, here.value, after.unit, after.seconds * share, after.steps * share
        )
    return out


def number_channels(
    numbers: Sequence[Number], offsets: Sequence[tuple[int, int]]
) -> npt.NDArray[np.float32]:
    """Number channels of word pieces.

    Args:
        numbers: From :func:`find_numbers`.
        offsets: Character span of each word piece; ``(0, 0)`` for special ones.

    Returns:
        Float32 ``[tokens, 32]``: zeros but for pieces of a number. Columns: 0 is a number, 1 sign,
        2 log magnitude, 3 time or frequency, 4 steps, 5 percent, 6 has a length in steps, 7 its
        logarithm, 8-9 log distance and sign to the number before, 10 ordinal, 11 whole, 12-19 Fourier
        terms of the magnitude, 20-27 of the steps, 28-29 zero, 30 the value, 31 the steps.
    """
    channels = np.zeros((len(offsets), NUMBER_WIDTH), dtype=np.float32)
    previous: float | None = None
    first = 0
    for ordinal, number in enumerate(numbers):
        row = _row(number, previous, ordinal)
        previous = number.value
        while first < len(offsets) and offsets[first][1] <= number.start:
            first += 1
        for i in range(first, len(offsets)):
            a, b = offsets[i]
            if b > a:
                if a >= number.end:
                    break
                if b > number.start:
                    channels[i] = row
    return channels


def _row(number: Number, previous: float | None, ordinal: int) -> list[float]:
    value = number.value
    magnitude = math.log10(max(abs(value), 1e-12))
    row = [0.0] * NUMBER_WIDTH
    row[0] = 1.0
    row[1] = float((value > 0) - (value < 0))
    row[2] = min(max(magnitude / 6.0, -2.0), 2.0)
    row[3] = float(number.unit in ("time", "frequency"))
    row[4] = float(number.unit == "steps")
    row[5] = float(number.unit == "percent")
    if previous is not None:
        row[8] = math.log10(max(abs(value - previous), 1e-12)) / 6.0
        row[9] = float((value > previous) - (value < previous))
    row[10] = ordinal / 8.0
    row[11] = float(value == math.floor(value))
    for k in range(4):
        angle = 2.0 * math.pi * magnitude * 2**k
        row[12 + 2 * k], row[13 + 2 * k] = math.sin(angle), math.cos(angle)
    if number.steps is not None:
        steps = min(max(number.steps, -LARGEST_NUMBER), LARGEST_NUMBER)
        row[6] = 1.0
        row[7] = math.log2(max(steps, 1e-3)) / 8.0
        for k in range(4):
            angle = 2.0 * math.pi * row[7] * 2**k
            row[20 + 2 * k], row[21 + 2 * k] = math.sin(angle), math.cos(angle)
        row[31] = steps
    row[30] = value
    return row
