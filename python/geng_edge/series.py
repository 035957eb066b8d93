"""Series: generated values with their unit and time axis, and the files they go into."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_edge import files
from geng_edge.errors import ArgumentError, MissingExtraError

if TYPE_CHECKING:
    import numpy.typing as npt

FORMATS = (".npy", ".csv", ".parquet", ".json")
DEFAULT_START = "2000-01-01T00:00:00"
_ROWS_AT_A_TIME = 256


@dataclass(frozen=True, eq=False)
class Series:
    """What a generation gives.

    Attributes:
        values: Float32 ``(count, length)``, in ``unit``; float64 where a recorded series that is so was
            completed.
        interval: Seconds between two steps.
        unit: Unit of the values, as the user wrote it; may be empty.
        start: ISO 8601 time of step 0.
        first: Step that the first column of ``values`` is; other than 0 in a block of a chain.
        labels: Column names, one a row of ``values``; empty for ``series_0``, ``series_1``, ...
        offsets: Seconds by which each stamp is off its step, ``(length,)``; None for none.

    Example:
        >>> import numpy as np
        >>> from geng_edge import Series
        >>> series = Series(np.zeros((1, 64), dtype=np.float32), interval=60.0, unit="degC")
        >>> series.times()[1]
        '2000-01-01T00:01:00'
    """

    values: npt.NDArray[np.floating[Any]]
    interval: float = 1.0
    unit: str = ""
    start: str = DEFAULT_START
    first: int = 0
    labels: tuple[str, ...] = ()
    offsets: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        # One of NumPy is no number of JSON.
        object.__setattr__(self, "interval", float(self.interval))

    @property
    def names(self) -> list[str]:
        """Column names: the labels, else ``series_0``, ``series_1``, ..."""
        if self.labels:
            return list(self.labels)
        return [f"series_{i}" for i in range(len(self.values))]

    def moments(self) -> list[dt.datetime]:
        """The time of each step, rounded to the microsecond by itself."""
        moments = moments_of(self.start, self.interval, self.values.shape[1], self.first)
        if self.offsets is None:
            return moments
        off = self.offsets.tolist()
        return [m + dt.timedelta(seconds=s) for m, s in zip(moments, off, strict=True)]

    def times(self) -> list[str]:
        """ISO 8601 time of each step, all to the second, the millisecond or the microsecond."""
        moments = self.moments()
        unit = "microseconds" if self.offsets is not None else _finest(self.start, self.interval)
        return [moment.isoformat(timespec=unit) for moment in moments]

    def to_csv(self) -> Iterator[bytes]:
        """A time column, then one column a series; UTF-8, one header line, block by block.

        The header has the labels, else ``series_0 [degC]`` and so on, or ``series_0`` without a unit.
        A block of a chain that is not its first has no header. Each value has the fewest digits that
        read back as the same float; a missing one is empty.
        """
        if self.first == 0:
            yield self._header()
        times = self.times()
        for first in range(0, len(times), _ROWS_AT_A_TIME):
            last = first + _ROWS_AT_A_TIME
            rows = _shown(self.values[:, first:last].T, "")
            pairs = zip(times[first:last], rows, strict=True)
            yield "".join(f"{time},{','.join(row)}\n" for time, row in pairs).encode()

    def _header(self) -> bytes:
        unit = f" [{self.unit}]" if self.unit and not self.labels else ""
        header = io.StringIO()  # a unit that a file brought may need quotes
        writer = csv.writer(header, lineterminator="\n")
        writer.writerow(["time", *(name + unit for name in self.names)])
        return header.getvalue().encode()

    def to_json(self) -> Iterator[bytes]:
        """One object: start, interval, unit, stamps if they are irregular, and the values by row.

        The start is that of the first column, in a block of a chain too.
        """
        start = self.start
        if self.first:
            moment = moments_of(start, self.interval, 1, self.first)[0]
            start = moment.isoformat(timespec=_finest(start, self.interval))
        facts = {"start": start, "interval": self.interval, "unit": self.unit}
        if self.offsets is not None:
            facts["times"] = self.times()
        yield json.dumps(facts)[:-1].encode() + b', "series": {'
        for i, (name, row) in enumerate(zip(self.names, self.values, strict=True)):
            shown = ", ".join(_shown(row[None], "null")[0])
            yield (", " if i else "").encode() + f"{json.dumps(name)}: [{shown}]".encode()
        yield b"}}\n"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to ``path`` in the format of its extension, whole or not at all.

        A block of a chain is a file of its own: a CSV of it has a header.

        Args:
            path: A file that ends in .npy, .csv, .parquet or .json; it is replaced if it exists.

        Raises:
            ArgumentError: The extension is not known.
            MissingExtraError: Parquet was asked for without pyarrow.
            OutputError: The file cannot be written.
        """
        path = Path(path)
        check_format(path)
        if path.suffix == ".npy":
            files.write_npy(path, self.values)
            return
        if path.suffix == ".parquet":
            self._save_parquet(path)
            return
        with files.whole(path) as file:
            if path.suffix == ".csv" and self.first:
                file.write(self._header())
            file.writelines(self.to_csv() if path.suffix == ".csv" else self.to_json())

    def _save_parquet(self, path: Path) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        # A missing value is a null there, not a NaN.
        columns = {
            name: pa.array(row, mask=np.isnan(row))
            for name, row in zip(self.names, self.values, strict=True)
        }
        table = pa.table({"time": self.moments(), **columns})
        kept = {"unit": self.unit, "interval_s": str(self.interval)}
        with files.whole(path) as file:
            parquet.write_table(table.replace_schema_metadata(kept), file)


def _shown(rows: npt.NDArray[np.floating[Any]], missing: str) -> list[list[str]]:
    """Numbers with the fewest digits that read back as the same float of their type."""
    text = rows.astype("U")
    if np.isnan(rows).any():
        text[np.isnan(rows)] = missing
    return list(text.tolist())


def check_format(path: Path) -> None:
    """Refuse an output whose format is unknown or not installed.

    Raises:
        ArgumentError: The extension is not known.
        MissingExtraError: Parquet without pyarrow.
    """
    if path.suffix not in FORMATS:
        raise ArgumentError(
            f"{path} ends in {path.suffix!r}; it must end in {', '.join(FORMATS)}", path=path
        )
    if path.suffix == ".parquet":
        try:
            import pyarrow as pa  # noqa: F401  only whether it is there
        except ImportError as error:
            raise MissingExtraError(
                "pyarrow is not installed; .parquet needs it: pip install 'geng-edge[parquet]'",
                extra="parquet",
            ) from error


def parse_start(start: str) -> dt.datetime:
    """A time in ISO 8601.

    Raises:
        ArgumentError: It is none.
    """
    try:
        return dt.datetime.fromisoformat(start.replace("Z", "+00:00"))
    except ValueError as error:
        raise ArgumentError(
            f"start is {start!r}; it must be an ISO 8601 time such as {DEFAULT_START}",
            name="start",
            value=start,
        ) from error


def _finest(start: str, interval: float) -> str:
    """The coarsest unit of time that every step of a series falls on."""
    since = parse_start(start).microsecond
    for unit, size in (("seconds", 1_000_000), ("milliseconds", 1000)):
        if since % size == 0 and (interval * 1_000_000 / size).is_integer():
            return unit
    return "microseconds"


def moments_of(start: str, interval: float, length: int, skip: int = 0) -> list[dt.datetime]:
    """The times of ``length`` steps after the first ``skip``, each rounded to the microsecond by itself.

    Raises:
        ArgumentError: ``start`` is no time, or the last step lies beyond the year 9999.
    """
    first = parse_start(start)
    interval = float(interval)  # a timedelta takes none of NumPy
    try:
        return [first + dt.timedelta(seconds=interval * i) for i in range(skip, skip + length)]
    except OverflowError as error:
        years = math.floor(interval * (skip + length) / 31_556_952)
        raise ArgumentError(
            f"{skip + length} steps of {interval:g} s from {start} last {years} years; "
            "they must end before the year 10000",
            name="interval",
            value=interval,
        ) from error
