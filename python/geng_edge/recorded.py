"""Series that a user brings: read from CSV, .npy or JSON, and checked.

What is missing in a file, an empty cell or a step that the stamps skip, is NaN here. A file is
hostile until it is checked: its size, its cells and its stamps, before anything is computed.
"""

from __future__ import annotations

import csv
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

from geng_edge import npy, stamps
from geng_edge.condition import check_interval
from geng_edge.errors import ArgumentError
from geng_edge.series import moments_of
from geng_edge.stamps import MOST_STEPS, Stamps

if TYPE_CHECKING:
    import numpy.typing as npt

FORMATS = (".csv", ".npy", ".json")
MOST_BYTES = 2**27
MOST_COLUMNS = 4096
#: Least size of a value that is refused: beyond it the sums of what reads a series are not finite.
BEYOND = 1e30
_MISSING = {"", "nan", "na", "n/a", "null", "none"}
#: Without what stands before it: a pattern that takes that too needs the square of its length.
_UNIT = re.compile(r"(?:\[([^\]]{1,40})\]|\(([^)]{1,40})\))$")


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
        values: Float64 ``(steps,)``, or float32 where an array is; NaN where a value is missing.
        interval: Seconds between two steps; None where the file does not say.
        start: ISO 8601 time of step 0, with its offset from UTC where the file has one; None where the
            file does not say.
        unit: Unit of the values; empty where the file does not say.
        name: The column or row it was.
        title: The bare title of its column, without unit; empty where the file has none.
    """

    values: npt.NDArray[np.floating[Any]]
    interval: float | None = None
    start: str | None = None
    unit: str = ""
    name: str = ""
    title: str = ""

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
    another. A unit may stand in the header: ``temperature [degC]``, ``time [ms]``. Stamps are ISO 8601,
    dates in digits or seconds (:class:`geng_edge.stamps.Stamps`), regular but for missing steps. An
    empty line between others is a missing value where there is one column, and no line elsewhere.
    JSON is what :meth:`geng_edge.series.Series.save` writes; a unit may stand in a label. Of several
    rows of an array, ``column`` names one by its number.

    Args:
        path: A file that ends in .csv, .npy or .json, of at most 128 MiB, 4,194,304 steps and 4096
            columns, with values below 1e30.
        column: Which series, where the file holds several.

    Raises:
        ArgumentError: There is no such file or column, or it is no series.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ArgumentError(
            f"{path} ends in {path.suffix!r}; it must end in {', '.join(FORMATS)}", path=path
        )
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MOST_BYTES:
                raise ArgumentError(f"{path} is {size} bytes; it must be at most {MOST_BYTES}")
            if suffix == ".npy":
                found = _from_array(npy.read(file, str(path), _ARRAY), str(path), column)
            else:
                text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
                read = _from_csv if suffix == ".csv" else _from_json
                found = read(text, str(path), column)
    except OSError as error:
        raise ArgumentError(
            f"{path}: {error.strerror or error}; it must be a readable file"
        ) from error
    except UnicodeDecodeError as error:
        raise ArgumentError(f"{path} holds a byte that is no UTF-8; it must be UTF-8") from error
    beyond = np.abs(np.nan_to_num(found.values)) >= BEYOND
    if beyond.any():
        step = int(np.argmax(beyond))
        raise ArgumentError(
            f"{path} is {found.values[step]:g} at step {step}; it must be below {BEYOND:g}, or NaN where "
            "a value is missing"
        )
    return found


def _from_array(array: npt.NDArray[Any], path: str, column: str | None) -> Recorded:
    rows = np.atleast_2d(array)
    names = [str(i) for i in range(len(rows))]
    return Recorded(rows[_chosen(names, column, path)], name=path)


def _from_csv(text: TextIO, path: str, column: str | None) -> Recorded:
    lines = _lines(text, path)
    header = next(lines, [])
    _check_most(path, len(header), MOST_COLUMNS, "columns")
    if not header or all(_number(cell) is not None for cell in header):
        raise ArgumentError(f"{path} begins with {header[:1]}; it must begin with a header line")
    titles = [_title(cell) for cell in header]
    timed = titles[0][0].lower() in stamps.NAMES
    clock = Stamps(path, titles[0][1]) if timed else None
    names = [name for name, _ in titles[timed:]]
    at = _chosen(names, column, path) + timed
    values = array("d")  # a list of floats takes four times as much
    empty = 0  # lines since the last value
    for number, line in enumerate(lines, 2):
        if not line:
            empty += len(header) == 1
            continue
        if len(line) != len(header):
            raise ArgumentError(
                f"{path} has {len(line)} cells in line {number}; it must have {len(header)}"
            )
        _check_most(path, len(values) + empty + 1, MOST_STEPS, "lines")
        value = _number(line[at])
        if value is None:
            raise ArgumentError(
                f"{path} has {line[at][:40]!r} in line {number}; it must be a number, or empty"
            )
        values.extend([math.nan] * empty)
        values.append(value)
        empty = 0
        if clock is not None:
            clock.add(line[0], number)
    if not values:
        raise ArgumentError(f"{path} has no line of values; it must have some")
    title, unit = titles[at]
    name = f"column {title!r} of {path}"
    if clock is None:
        return Recorded(np.array(values), None, None, unit, name, title)
    x, interval, start = clock.axis(np.array(values))
    return Recorded(x, interval, start, unit, name, title)


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
        rows = dict(found["series"])
        _check_most(path, len(rows), MOST_COLUMNS, "columns")
        titles = [_title(label) for label in rows]
        # A label as it stands names its row too, as where two differ in their unit alone.
        names = list(rows) if column in rows else [name for name, _ in titles]
        at = _chosen(names, column, path)
        name, own_unit = titles[at]
        row = list(rows.values())[at]
        _check_most(path, len(row), MOST_STEPS, "steps")
        x = np.array([_value(v) for v in row])
        start, unit, interval = found["start"], found["unit"], _value(found["interval"])
        (unit + own_unit).encode()  # JSON can hold half a character, which no file can
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        if isinstance(error, ArgumentError):
            raise
        raise ArgumentError(
            f"{path} is no JSON of a series; it must be what --out writes"
        ) from error
    if not (isinstance(start, str) and isinstance(unit, str) and isinstance(row, list) and row):
        raise ArgumentError(f"{path} is no JSON of a series; it must be what --out writes")
    try:
        check_interval(interval)
        moments_of(start, interval, 1, len(x) - 1)
    except ArgumentError as error:
        raise ArgumentError(f"{path}: {error}") from error
    return Recorded(x, interval, start, own_unit or unit, f"{name!r} of {path}", name)


def _value(found: Any) -> float:
    """A number of JSON, whose whole numbers have no end; NaN for null."""
    try:
        return math.nan if found is None else float(found)
    except OverflowError:
        return math.inf if found > 0 else -math.inf


def _check_most(path: str, count: int, most: int, what: str) -> None:
    if count > most:
        raise ArgumentError(f"{path} has {count} {what}; it must have at most {most}")


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
    cell = cell.strip()
    found = _UNIT.search(cell)
    name = cell[: found.start()].rstrip() if found else ""
    return (name, found[1] or found[2]) if found and name else (cell, "")


def _number(cell: str) -> float | None:
    """A value; NaN where it is missing; None where it is no number."""
    if cell.strip().lower() in _MISSING:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
