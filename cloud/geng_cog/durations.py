"""Durations as text: ``604800`` is ``1 week``, ``44712`` is ``12.42 h``."""

from __future__ import annotations

import math

#: Unit words of a statement and their seconds, longest first.
UNITS = {"week": 604800.0, "day": 86400.0, "h": 3600.0, "min": 60.0, "s": 1.0, "ms": 1e-3}
MOST_DECIMALS = 4


def duration_text(seconds: float) -> str:
    """The shortest exact text of a duration; at most four decimals."""
    best = ""
    for unit, size in UNITS.items():
        number = number_text(seconds / size, digits=6)
        if float(number) and abs(float(number) * size / seconds - 1.0) < 1e-4:
            text = f"{number} {unit}"
            if not best or len(number) < len(best.partition(" ")[0]):
                best = text
    return best or f"{number_text(seconds)} s"


def duration_seconds(text: str) -> float:
    """Seconds of ``number unit``.

    Raises:
        ValueError: It is none.
    """
    number, _, unit = text.partition(" ")
    if unit not in UNITS:
        raise ValueError(f"duration is {text!r}; it must be a number and one of {', '.join(UNITS)}")
    return round(float(number) * UNITS[unit], 9)


def number_text(value: float, digits: int = 9) -> str:
    """``value`` with ``digits`` significant digits, no exponent, at most four decimals."""
    if value == 0.0:
        return "0"
    rounded = float(f"{value:.{digits}g}")
    text = f"{rounded:.{MOST_DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def rounded_limits(low: float, high: float) -> tuple[float, float]:
    """Both limits of a range with as many digits as a person would give: 1 to 10 % of the range."""
    largest, width = max(abs(low), abs(high)), abs(high - low)
    digits = max(2, min(9, math.ceil(math.log10(largest / width)) + 2)) if width > 0.0 else 3
    return float(number_text(low, digits)), float(number_text(high, digits))
