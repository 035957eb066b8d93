"""How numbers and lengths of time are spelled: the words that the number finder knows."""

from __future__ import annotations

import re
from collections.abc import Iterable

SECONDS = {
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
STEPS = {"step", "steps", "sample", "samples", "point", "points", "reading", "readings",
         "observation", "observations", "tick", "ticks", "time step", "time steps", "timestep",
         "timesteps", "index", "time-steps", "data points"}  # fmt: skip
PERCENT = {"%", "percent", "per cent", "pct"}
HERTZ = {"hz": 1.0, "khz": 1e3, "mhz": 1e-3, "hertz": 1.0, "rpm": 1.0 / 60.0}
PER = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0}
CYCLES = {
    "hourly": 3600.0, "daily": 86400.0, "weekly": 604800.0, "monthly": 2592000.0,
    "yearly": 31536000.0, "annual": 31536000.0, "annually": 31536000.0, "diurnal": 86400.0,
    "circadian": 86400.0, "nightly": 86400.0, "day-night": 86400.0, "day/night": 86400.0,
    "every second": 1.0, "every minute": 60.0, "every hour": 3600.0, "every day": 86400.0,
    "every week": 604800.0, "each minute": 60.0, "each hour": 3600.0, "each day": 86400.0,
    "each week": 604800.0, "once a day": 86400.0, "once an hour": 3600.0, "once a week": 604800.0,
    "once per day": 86400.0, "once per hour": 3600.0, "day in, day out": 86400.0,
    "day in day out": 86400.0, "with the day": 86400.0, "with the sun": 86400.0,
    "week in, week out": 604800.0,
}  # fmt: skip

#: Fractions of one character.
VULGAR = {"½": 1 / 2, "¼": 1 / 4, "¾": 3 / 4, "⅓": 1 / 3, "⅔": 2 / 3}

#: Parts of a whole, and how many of them it has.
DENOMINATORS = {
    "half": 2,
    "third": 3,
    "quarter": 4,
    "fifth": 5,
    "sixth": 6,
    "eighth": 8,
    "tenth": 10,
}

#: What a window is called: "0.6 of the log", "12 cycles in the clip".
RECORDS = {"window", "record", "recording", "series", "time series", "trace", "plot", "chart", "graph",
           "picture", "data set", "dataset", "data", "sequence", "run", "file", "log", "signal", "span",
           "display", "screen", "session", "clip", "frame", "capture", "measurement", "test"}  # fmt: skip

#: What follows a word such as "hourly" where it says how often is sampled.
SAMPLED = (
    r" (?:readings?|data|samples?|sampling|values|measurements|averages|means|log|logging|records"
    r"|resolution|intervals?|meter)\b"
)

_SMALL = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "dozen": 12,
}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_PARTS = {"half": 0.5, "quarter": 0.25, "quarters": 0.25}

# Letters that a case-blind pattern takes for s, i, k and the micro sign.
_TWINS = str.maketrans(
    {"\u017f": "s", "\u0130": "i", "\u0131": "i", "\u212a": "k", "\u03bc": "\u00b5"}
)


def plain(word: str) -> str:
    """``word`` as the tables spell it."""
    return word.translate(_TWINS).lower().translate(_TWINS)


def either(words: Iterable[str]) -> str:
    """A pattern for any of ``words``, the longest first."""
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))


_SCALE = either(_SCALES)
_UP_TO_99 = (
    rf"(?:(?:{either(k for k, v in _SMALL.items() if v >= 20)})[- ]"
    r"(?:one|two|three|four|five|six|seven|eight|nine)"
    rf"|half[ ]a[ ]dozen|a[ ]dozen|{either(_SMALL)})"
)
# "between one hundred and two hundred" is two numbers, "one hundred and fifty" is one.
_SCALED = (
    rf"(?:{_UP_TO_99}|a)(?:[ -](?:{_SCALE}))(?:[ -](?:{_SCALE}))?"
    rf"(?:[ ]{_UP_TO_99}[ ]hundred\b)?(?:[ ](?:and[ ])?{_UP_TO_99}(?!\w|[ -](?:{_SCALE})\b))?"
)
#: A pattern for a number in words: "twenty-five", "two thousand five hundred", "one and a half".
WORD = rf"(?:(?:{_SCALED}|{_UP_TO_99})(?:[ ]and[ ](?:a[ ](?:half|quarter)|three[ ]quarters)(?![ ]of\b))?)"


def spelled(word: str) -> float:
    """What a match of :data:`WORD` says."""
    total, current = 0.0, 0.0
    if word == "half a dozen":
        return 6.0
    for part in re.split(r"[ -]", word):
        if part == "hundred":
            current = max(current, 1.0) * 100.0
        elif part in _SCALES:
            total, current = total + max(current, 1.0) * _SCALES[part], 0.0
        elif part == "quarters":  # "and three quarters": the three is in
            current -= 3.0 - 0.75
        elif part in _PARTS:
            current += _PARTS[part]
        elif part not in ("a", "and"):
            current += _SMALL[part]
    return total + current
