"""Limits of values that a task states: "between 15 and 25 degC", "4-20 mA", "around 50 % plus or minus 5".

They bind the statement as stated times do. Limits in units of time are not read: there they cannot be told
from span and interval.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from geng_cog import units
from geng_cog.durations import number_text
from geng_cog.knowledge import Kind

_NEXT = r"[-+\u2212]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_NUMBER = rf"(?<![\w.]){_NEXT}"
_TO = r"\s*(?:-|\u2013|\u2014|\.{2,3}|\bto\b|\buntil\b)\s*"
_TIME = re.compile(
    r"(?:(?:milli|micro)?seconds?|m?secs?|ms|us|s|min(?:ute)?s?|h|hours?|hrs?|d|days?|w|wks?|weeks?|months?|"
    r"quarters?|years?|o'?clock|am|pm|a\.m|p\.m|times|samples|readings|steps|points|values|rows)(?![\w/])",
    re.I,
)  # fmt: skip
#: What may follow limits that have no unit.
_GOES_ON = re.compile(
    r"(?:for|in|on|at|over|of|every|each|with|without|and|or|during|sampled|covering|lasting|while|by|from|"
    r"inside|under|beside|hourly|please|but|the|an?|one|once|slowly|rising|falling|that|including|plus)\b"
    r"|[^\w%°]|$", re.I,
)  # fmt: skip
#: "30 to 40 % of the week" is a place in the span.
_OF_SPAN = re.compile(r"\s*(?:of|into|through)\s+(?:the|its)\b", re.I)


@dataclass(frozen=True)
class Limits:
    """Limits of values as a task states them.

    Attributes:
        said: The task's words.
        start, end: Where they stand in the task, in characters.
        low, high: Numbers, in one of ``units``.
        units: That may be meant; the quantity's own where None, none that is known where empty.
    """

    said: str
    start: int
    end: int
    low: float
    high: float
    units: tuple[str, ...] | None

    def of(self, kind: Kind) -> tuple[float, float] | None:
        """Both limits in the unit of ``kind``; None where they do not convert or cannot be of it."""
        for unit in (kind.unit,) if self.units is None else self.units:
            digits = 9 if unit == kind.unit else 6
            ends = (units.converted(v, unit, kind.unit) for v in (self.low, self.high))
            low, high = (None if v is None else float(number_text(v, digits)) for v in ends)
            if low is not None and high is not None and kind.floor <= low < high <= kind.ceiling:
                return low, high
        return None


@functools.lru_cache(maxsize=256)
def read_limits(task: str) -> tuple[Limits, ...]:
    """Limits of values that a task states, in order."""
    found: list[Limits] = []
    for pattern, needs_unit in _FORMS:
        for match in pattern.finditer(task):
            limits = _limits(task, match, needs_unit)
            if limits and not any(o.start < limits.end and limits.start < o.end for o in found):
                found.append(limits)
    return tuple(sorted(found, key=lambda limits: limits.start))


def read_units(task: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Units that a task wants values in ("in °F", "(hPa)"): as it writes them, and what may be meant."""
    found = []
    for match in _WANTED.finditer(task):
        unit = units.pattern().match(task, match.end())
        if unit is None:
            continue
        rest = task[unit.end() :].lstrip()
        closed = rest.startswith((")", "]")) if match[0][-1] in "([" else bool(_GOES_ON.match(rest))
        if closed:
            found.append((unit[0], units.meant(unit[0])))
    return tuple(found)


_FORMS = (
    (re.compile(rf"\bbetween\s+(?P<a>{_NUMBER})(?P<u>[^\d,;]{{0,20}}?)\s*\band\b\s*(?P<b>{_NEXT})",
                re.I), False),
    (re.compile(rf"\b(?:from|ranging|range of|range)\s+(?P<a>{_NUMBER})(?P<u>[^\d,;]{{0,20}}?)"
                rf"{_TO}(?P<b>{_NEXT})", re.I), False),
    (re.compile(rf"(?:\b(?:around|about|near|at)\s+)?(?P<a>{_NUMBER})(?P<u>[^\d,;]{{0,20}}?)\s*"
                rf"(?:\u00b1|\+\s*/?\s*-|\bplus(?:\s+or\s+|\s*/\s*|\s+)minus\b)\s*(?P<b>{_NEXT})",
                re.I), False),
    (re.compile(rf"(?P<a>{_NUMBER})(?P<u>[^\d,;]{{0,20}}?){_TO}(?P<b>{_NEXT})", re.I), True),
)  # fmt: skip
_AROUND = _FORMS[2][0]
_WANTED = re.compile(r"\bin\s+|[(\[]")


def _limits(task: str, match: re.Match[str], needs_unit: bool) -> Limits | None:
    """The limits that a match states; None where it states none, as "between 9 and 17 h" does not."""
    first = match["u"].strip()
    rest = task[match.end() :]
    space = len(rest) - len(rest.lstrip())
    unit = units.pattern().match(task, match.end() + space)
    end = match.end()
    meant: tuple[str, ...] | None = None
    if unit is not None:
        end, meant = unit.end(), units.meant(unit[0])
        if _OF_SPAN.match(task[end:]):
            return None
    elif _TIME.match(rest.lstrip(" -")) or rest[:1] in ":/":
        return None
    elif not _GOES_ON.match(rest.lstrip()):
        meant = ()
        end += len(rest.partition(rest.split()[0])[0] + rest.split()[0])
    if first:
        if not _one(units.meant(first), meant, match.re is _AROUND):
            return None
        meant = units.meant(first)
    a, b = (float(match[n].replace(",", "").replace("\u2212", "-")) for n in "ab")
    if match.re is _AROUND:
        a, b = a - abs(b), a + abs(b)
    if (needs_unit and not meant) or (meant is None and _years(a, b)):
        return None
    start = match.start()
    if task[:start].endswith("(") and task[end:].startswith(")"):
        start, end = start - 1, end + 1
    said = " ".join(task[start:end].strip("()").split())
    return Limits(said, start, end, min(a, b), max(a, b), meant)


def _one(first: tuple[str, ...], second: tuple[str, ...] | None, around: bool) -> bool:
    """Whether both numbers are of one unit; "20 degC plus or minus 2 K" are."""
    return bool(first) and (
        second is None
        or bool({*first} & {*second})
        or (around and {*first, *second} == {"degC", "K"})
    )


def _years(a: float, b: float) -> bool:
    return all(v == int(v) and 1900 <= v <= 2100 for v in (a, b))
