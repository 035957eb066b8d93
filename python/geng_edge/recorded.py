"""Series that a user brings: read from CSV, .npy or JSON, and checked.

What is missing in a file, an empty cell or a step that the stamps skip, is NaN here. A file is
hostile until it is checked: its size, its cells and its stamps, before anything is computed.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import os
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from geng_edge import npy
from geng_edge.errors import ArgumentError
from geng_edge.series import DEFAULT_START, parse_start

if TYPE_CHECKING:
    import numpy.typing as npt

FORMATS = (".csv", ".npy", ".json")
MOST_BYTES = 2**27
MOST_STEPS = 2**22
MOST_COLUMNS = 4096
_TIMES = {"time", "timestamp", "date", "datetime", "ts"}
_MISSING = {"", "nan", "na", "n/a", "null", "none"}
#: Share of an interval by which a stamp may be off its step.
_OFF = 0.1
_UNIT = re.compile(r"(.*?)(?:\[([^\]]{1,40})\]|\(([^)]{1,40})\))")


def _is_series(shape: tuple[int, ...]) -> bool:
    return 1 <= len(shape) <= 2 and all(n >= 1 for n in shape) and math.prod(shape) <= MOST_STEPS


_ARRAY = npy.Kind(
    "an array of values",
    _is_series,
    f"(steps,) or (series, steps) of at most {MOST_STEPS} values",
    ("<f4", "<f8"),
)


@dataclass(frozen=True, eq=False)
class Recorded:
    """One recorded series.

    Attributes:
        values: Float64 ``(steps,)``; NaN where a value is missing.
        interval: Seconds between two steps; None where the file does not say.
        start: ISO 8601 time of step 0; None where the file does not say.
        unit: Unit of the values; empty where the file does not say.
        name: The column or row it was.
    """

    values: npt.NDArray[np.float64]
    interval: float | None = None
    start: str | None = None
    unit: str = ""
    name: str = ""

    def check_unit(self, unit: str) -> None:
        """Refuse a series in another unit than ``unit``, where both are known.

        Raises:
            ArgumentError: They differ.
        """
        if unit and self.unit and unit != self.unit:
            raise ArgumentError(f"{self.name} is in {self.unit}; it must be in {unit}")


def load(path: str | os.PathLike[str], column: str | None = None) -> Recorded:
    """Read a series.

    CSV has a header line; the first column that is not time is read unless ``column`` names
    another. A unit may stand in the header: ``temperature [degC]``. Stamps are ISO 8601 or seconds,
    regular but for missing steps. JSON is what :meth:`geng_edge.series.Series.save` writes. Of
    several rows of an array, ``column`` names one by its number.

    Args:
        path: A file that ends in .csv, .npy or .json, of at most 128 MiB and 4,194,304 steps.
        column: Which series, where the file holds several.

    Raises:
        ArgumentError: There is no such file or column, or it is no series.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise ArgumentError(
            f"{path} ends in {path.suffix!r}; it must end in {', '.join(FORMATS)}", path=path
        )
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MOST_BYTES:
                raise ArgumentError(f"{path} is {size} bytes; it must be at most {MOST_BYTES}")
            if path.suffix == ".npy":
                return _from_array(npy.read(file, str(path), _ARRAY), str(path), column)
            text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
            read = _from_csv if path.suffix == ".csv" else _from_json
            return read(text, str(path), column)
    except OSError as error:
        raise ArgumentError(
            f"{path}: {error.strerror or error}; it must be a readable file"
        ) from error
    except UnicodeDecodeError as error:
        raise ArgumentError(f"{path} holds a byte that is no UTF-8; it must be UTF-8") from error


def _from_array(array: npt.NDArray[Any], path: str, column: str | None) -> Recorded:
    rows = np.atleast_2d(array)
    names = [str(i) for i in range(len(rows))]
    row = rows[_chosen(names, column, path)]
    if np.isinf(row).any():
        raise ArgumentError(f"{path} is infinite at step {int(np.argmax(np.isinf(row)))}; "
                            "it must be finite, or NaN where a value is missing")  # fmt: skip
    return Recorded(row.astype(np.float64), name=path)


def _from_csv(text: TextIO, path: str, column: str | None) -> Recorded:
    lines = _lines(text, path)
    header = next(lines, [])
    if len(header) > MOST_COLUMNS:
        raise ArgumentError(
            f"{path} has {len(header)} columns; it must have at most {MOST_COLUMNS}"
        )
    if not header or all(_number(cell) is not None for cell in header):
        raise ArgumentError(f"{path} begins with {header[:1]}; it must begin with a header line")
    timed = header[0].strip().lower() in _TIMES
    titles = [_title(cell) for cell in header]
    names = [name for name, _ in titles[timed:]]
    at = _chosen(names, column, path) + timed
    values, stamps = array("d"), array("d")  # a list of floats takes four times as much
    for number, line in enumerate(lines, 2):
        if not line:
            continue
        if len(line) != len(header):
            raise ArgumentError(
                f"{path} has {len(line)} cells in line {number}; it must have {len(header)}"
            )
        if len(values) == MOST_STEPS:
            raise ArgumentError(f"{path} has over {MOST_STEPS} lines; it must have fewer")
        value = _number(line[at])
        if value is None:
            raise ArgumentError(
                f"{path} has {line[at][:40]!r} in line {number}; it must be a number, or empty"
            )
        values.append(value)
        if timed:
            stamps.append(_seconds(line[0], path, number))
    if not values:
        raise ArgumentError(f"{path} has no line of values; it must have some")
    name, unit = titles[at]
    name = f"column {name!r} of {path}"
    if not timed:
        return Recorded(np.array(values), None, None, unit, name)
    x, interval = _on_grid(np.array(values), np.array(stamps), path)
    start = dt.datetime.fromtimestamp(stamps[0], dt.timezone.utc).replace(tzinfo=None)
    return Recorded(x, interval, start.isoformat(), unit, name)


def _lines(text: TextIO, path: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(text, strict=True)
    except csv.Error as error:
        raise ArgumentError(f"{path} is no CSV: {error}; it must be") from error


def _from_json(text: TextIO, path: str, column: str | None) -> Recorded:
    try:
        found = json.loads(text.read(MOST_BYTES))
        if "times" in found:
            raise ArgumentError(f"{path} has irregular stamps; they must be regular")
        rows = found["series"]
        names = list(rows)
        name = names[_chosen(names, column, path)]
        x = np.array([math.nan if v is None else float(v) for v in rows[name]])
        start, unit, interval = found["start"], found["unit"], float(found["interval"])
        unit.encode()  # JSON can hold half a character, which no file can
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        if isinstance(error, ArgumentError):
            raise
        raise ArgumentError(
            f"{path} is no JSON of a series; it must be what --out writes"
        ) from error
    if not (isinstance(start, str) and isinstance(unit, str) and x.ndim == 1 and len(x)):
        raise ArgumentError(f"{path} is no JSON of a series; it must be what --out writes")
    parse_start(start)
    return Recorded(x, interval, start, unit, f"{name!r} of {path}")


def _chosen(names: list[str], column: str | None, path: str) -> int:
    if not names:
        raise ArgumentError(f"{path} has no column of values; it must have one")
    if column is None:
        return 0
    if column not in names:
        raise ArgumentError(f"column is {column!r}; {path} has {', '.join(names[:8])}")
    return names.index(column)


def _title(cell: str) -> tuple[str, str]:
    """Name and unit of a column."""
    found = _UNIT.fullmatch(cell.strip())
    name = found[1].rstrip() if found else ""
    return (name, found[2] or found[3]) if found and name else (cell.strip(), "")


def _number(cell: str) -> float | None:
    """A value; NaN where it is missing; None where it is no number."""
    if cell.strip().lower() in _MISSING:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _seconds(cell: str, path: str, number: int) -> float:
    try:
        stamp = float(cell)
    except ValueError:
        try:
            moment = dt.datetime.fromisoformat(cell.strip().replace("Z", "+00:00"))
        except ValueError as error:
            raise ArgumentError(
                f"{path} has time {cell[:40]!r} in line {number}; it must be ISO 8601, such as "
                f"{DEFAULT_START}, or seconds"
            ) from error
        stamp = moment.replace(tzinfo=moment.tzinfo or dt.timezone.utc).timestamp()
    if not 0.0 <= abs(stamp) < 2.5e11:
        raise ArgumentError(f"{path} has time {cell[:40]!r} in line {number}; it must be a time")
    return stamp


def _on_grid(
    x: npt.NDArray[np.float64], stamps: npt.NDArray[np.float64], path: str
) -> tuple[npt.NDArray[np.float64], float | None]:
    """Values on regular steps, NaN where the stamps skip one; and the interval."""
    if len(x) == 1:
        return x, None
    gaps = np.diff(stamps)
    interval = float(np.median(gaps))
    if not gaps.min() > 0.0:
        line = int(np.argmin(gaps)) + 3
        what = "has one time twice" if gaps.min() == 0.0 else "goes back in time"
        raise ArgumentError(f"{path} {what} in line {line}; its stamps must rise")
    places = (stamps - stamps[0]) / interval
    steps = np.round(places).astype(np.int64)
    off = np.abs(places - steps)
    if off.max() > _OFF or not np.diff(steps).min() > 0:
        line = int(np.argmax(off)) + 2
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
