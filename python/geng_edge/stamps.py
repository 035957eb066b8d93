"""Time columns: cells read as moments, and values laid on the regular steps that they name."""

from __future__ import annotations

import datetime as dt
import math
from array import array
from typing import TYPE_CHECKING

import numpy as np

from geng_edge.condition import check_interval
from geng_edge.errors import ArgumentError
from geng_edge.number_words import SECONDS
from geng_edge.series import DEFAULT_START

if TYPE_CHECKING:
    import numpy.typing as npt

NAMES = {"time", "timestamp", "date", "datetime", "ts"}
MOST_STEPS = 2**22
#: Seconds of the units that a time column may be in; no month or year, which are not all as long.
UNITS = {unit: size for unit, size in SECONDS.items() if size <= SECONDS["week"]}
#: Share of an interval by which a stamp may be off its step.
_OFF = 0.1
#: Share of an interval from which stamps that are off are looked at for a drift.
_DRIFT = 1e-3
#: Digits of YYYYMMDD, YYYYMMDDhhmm and YYYYMMDDhhmmss.
_CALENDAR = (8, 12, 14)
_EPOCH = dt.datetime(1970, 1, 1)
#: Seconds since then that lie within the years 1 to 9999.
_EARLIEST, _LATEST = -6.2e10, 2.5e11
_NUMBER, _NAIVE, _ZONED = "a number", "ISO 8601 without an offset from UTC", "ISO 8601 with one"


class Stamps:
    """The time column of a file, taken cell by cell.

    Cells are alike: numbers, ISO 8601 without an offset from UTC, or ISO 8601 with one, which may
    change (summer time); the series keeps that of the first.

    Numbers are in the unit of the header. Without one they are seconds since 1970, unless every cell
    of the column is a date in 8 digits (YYYYMMDD), or one with a time of day in 12 or 14
    (YYYYMMDDhhmm, YYYYMMDDhhmmss). Seconds may look so too, but have 8 digits in 1970 alone and 12 or
    14 after the year 5000, and at regular steps no more than 31 of them in a row are all dates (but
    for steps of 10,000, which name the same day of each year); a unit in the header, ``time [s]``,
    says that they are seconds. 10 digits are always seconds, as those since 1970 have them.
    """

    def __init__(self, path: str, unit: str) -> None:
        """Begin a column.

        Args:
            path: What to call the file in a message.
            unit: Of the header; may be empty.

        Raises:
            ArgumentError: The unit is not known.
        """
        unit = unit.strip().lower()
        if unit and unit not in UNITS:
            raise ArgumentError(
                f"{path} has its time in {unit!r}; it must be in s, ms, min, h or d, or without a unit"
            )
        self._path, self._scale = path, UNITS[unit] if unit else None
        self._kind, self._first, self._digits = "", _EPOCH, 0
        self._stamps, self._lines = array("d"), array("I")

    def add(self, cell: str, line: int) -> None:
        """Take the next cell.

        Raises:
            ArgumentError: It is no time, or not written as the first is.
        """
        text, moment = cell.strip(), None
        try:
            stamp, kind = float(text), _NUMBER
        except ValueError:
            moment = self._moment(text, line)
            kind = _NAIVE if moment.utcoffset() is None else _ZONED
        digits = len(text) if text.isascii() and text.isdigit() else 0
        if not self._kind:
            self._kind, self._first, self._digits = kind, moment or _EPOCH, digits
        if kind != self._kind:
            raise ArgumentError(
                f"{self._path} has time {text[:40]!r} in line {line}, {kind}, where the first is "
                f"{self._kind}; its times must be written alike"
            )
        if moment is not None:
            stamp = (moment - self._first).total_seconds()
        elif not math.isfinite(stamp):
            raise self._no_time(text, line)
        self._digits = digits if digits == self._digits else 0
        self._stamps.append(stamp)
        self._lines.append(line)

    def axis(self, x: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float | None, str]:
        """Values on regular steps, NaN where the stamps skip one; the interval; and the start.

        Raises:
            ArgumentError: The stamps are no times, or irregular.
        """
        stamps, first = np.array(self._stamps), self._first
        if self._kind == _NUMBER:
            stamps = self._seconds(stamps)
            first = _EPOCH + dt.timedelta(seconds=float(stamps[0]))
        values, interval = self._on_grid(x, stamps)
        return values, interval, first.isoformat()

    def _moment(self, text: str, line: int) -> dt.datetime:
        if self._scale is not None:
            raise ArgumentError(
                f"{self._path} has time {text[:40]!r} in line {line}; it must be a number, as the "
                "header says a unit"
            )
        try:
            return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError as error:
            raise self._no_time(text, line) from error

    def _no_time(self, text: str, line: int) -> ArgumentError:
        return ArgumentError(
            f"{self._path} has time {text[:40]!r} in line {line}; it must be ISO 8601, such as "
            f"{DEFAULT_START}, or seconds since 1970; another unit stands in the header: time [ms]"
        )

    def _seconds(self, numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Seconds since 1970 of numbers."""
        if self._scale is None and self._digits in _CALENDAR:
            found = _of_calendar(numbers, self._digits)
            if found is not None:
                return found
        stamps = numbers * (self._scale or 1.0)
        beyond = (stamps < _EARLIEST) | (stamps > _LATEST)
        if beyond.any():
            i = int(np.argmax(beyond))
            raise self._no_time(f"{numbers[i]:.15g}", self._lines[i])
        return stamps

    def _on_grid(
        self, x: npt.NDArray[np.float64], stamps: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], float | None]:
        if len(x) == 1:
            return x, None
        path, gaps = self._path, np.diff(stamps)
        interval = float(np.median(gaps))
        if not gaps.min() > 0.0:
            line = self._lines[int(np.argmin(gaps)) + 1]
            what = "has one time twice" if gaps.min() == 0.0 else "goes back in time"
            raise ArgumentError(f"{path} {what} in line {line}; its stamps must rise")
        try:
            check_interval(interval)
        except ArgumentError as error:
            raise ArgumentError(f"{path}: {error}") from error
        interval = _without_drift(stamps, gaps, interval)
        steps, off = _steps(stamps, interval)
        wrong = (off > _OFF) | (np.diff(steps, prepend=-1) <= 0)
        if wrong.any():
            line = self._lines[int(np.argmax(wrong))]
            raise ArgumentError(
                f"{path} has a stamp in line {line} that is no multiple of {interval:g} s after the "
                "first; its stamps must be regular, but for missing steps"
            )
        if steps[-1] >= MOST_STEPS:
            raise ArgumentError(
                f"{path} spans {int(steps[-1]) + 1} steps; it must span at most {MOST_STEPS}"
            )
        out = np.full(int(steps[-1]) + 1, math.nan)
        out[steps] = x
        return out, interval


def _steps(
    stamps: npt.NDArray[np.float64], interval: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The step nearest each stamp, and by which share of the interval the stamp is off it."""
    places = (stamps - stamps[0]) / interval
    steps = np.round(places).astype(np.int64)
    return steps, np.abs(places - steps)


def _without_drift(
    stamps: npt.NDArray[np.float64], gaps: npt.NDArray[np.float64], median: float
) -> float:
    """The median gap, or the mean interval where the median's grid drifts away from the stamps.

    Stamps of 60 Hz in whole ms are 16 or 17 ms apart, never 16.67. A late stamp or a jump is no
    drift: for such the mean interval explains no more than half of what is off.
    """
    off = _steps(stamps, median)[1]
    if off.max() <= _DRIFT:
        return median
    single = gaps[np.round(gaps / median) == 1.0]
    # The median is too coarse to count the steps of a long gap by.
    mean = float(single.mean()) if len(single) else median
    mean = float(stamps[-1] - stamps[0]) / float(np.round(gaps / mean).sum())
    return mean if _steps(stamps, mean)[1].mean() < off.mean() / 3.0 else median


def _of_calendar(numbers: npt.NDArray[np.float64], digits: int) -> npt.NDArray[np.float64] | None:
    """Seconds since 1970 of YYYYMMDD, YYYYMMDDhhmm or YYYYMMDDhhmmss; None where one is no date."""
    date, clock = np.divmod(numbers.astype(np.int64) * 10 ** (14 - digits), 10**6)
    year, month, day = date // 10_000, date // 100 % 100, date % 100
    hour, minute, second = clock // 10_000, clock // 100 % 100, clock % 100
    months = ((year - 1970) * 12 + month - 1).astype("M8[M]")
    days = months.astype("M8[D]") + (day - 1)
    # A day that the month does not have is one of the next.
    valid = (year >= 1) & (month >= 1) & (month <= 12) & (days.astype("M8[M]") == months)
    if not (valid & (hour < 24) & (minute < 60) & (second < 60)).all():
        return None
    seconds = days.astype(np.int64) * 86_400 + hour * 3600 + minute * 60 + second
    return np.asarray(seconds, dtype=np.float64)
