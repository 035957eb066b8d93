"""Series: generated values with their unit and time axis, and the files they go into."""

from __future__ import annotations

import datetime as dt
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from geng_edge import files
from geng_edge.errors import ArgumentError, MissingExtraError

FORMATS = (".npy", ".csv", ".parquet", ".json")
DEFAULT_START = "2000-01-01T00:00:00"


@dataclass(frozen=True)
class Series:
    """What a generation gives.

    Attributes:
        values: Float32 ``(count, length)``, in ``unit``.
        interval: Seconds between two steps.
        unit: Unit of the values, as the user wrote it; may be empty.
        start: ISO 8601 time of the first step.
    """

    values: npt.NDArray[np.float32]
    interval: float = 1.0
    unit: str = ""
    start: str = DEFAULT_START

    @property
    def names(self) -> list[str]:
        """Column names: ``series_0``, ``series_1``, ..."""
        return [f"series_{i}" for i in range(len(self.values))]

    def times(self) -> list[str]:
        """ISO 8601 time of each step, to the microsecond."""
        first = parse_start(self.start)
        step = dt.timedelta(seconds=self.interval)
        try:
            return [(first + step * i).isoformat() for i in range(self.values.shape[1])]
        except OverflowError as error:
            raise ArgumentError(
                f"interval is {self.interval}; the series must end before the year 10000"
            ) from error

    def to_csv(self) -> bytes:
        """A time column, then one column a series; UTF-8, one header line."""
        out = io.StringIO()
        out.write(",".join(["time", *self.names]) + "\n")
        rows = self.values.T.tolist()
        for time, row in zip(self.times(), rows, strict=True):
            out.write(time + "," + ",".join(f"{value:.7g}" for value in row) + "\n")
        return out.getvalue().encode()

    def to_json(self) -> bytes:
        """One object: start, interval, unit, and the values row by row."""
        shown = [[float(f"{v:.7g}") for v in row] for row in self.values.tolist()]
        facts = {
            "start": self.start,
            "interval": self.interval,
            "unit": self.unit,
            "series": dict(zip(self.names, shown, strict=True)),
        }
        return json.dumps(facts).encode() + b"\n"

    def save(self, path: Path) -> None:
        """Write to ``path`` in the format of its extension, whole or not at all.

        Raises:
            ArgumentError: The extension is not known.
            MissingExtraError: Parquet was asked for without pyarrow.
            OutputError: The file cannot be written.
        """
        check_format(path)
        if path.suffix == ".npy":
            files.write_npy(path, self.values)
            return
        if path.suffix == ".parquet":
            self._save_parquet(path)
            return
        data = self.to_csv() if path.suffix == ".csv" else self.to_json()
        with files.whole(path) as file:
            file.write(data)

    def _save_parquet(self, path: Path) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        columns = dict(zip(self.names, self.values, strict=True))
        table = pa.table({"time": self.times(), **columns})
        kept = {"unit": self.unit, "interval_s": str(self.interval)}
        with files.whole(path) as file:
            parquet.write_table(table.replace_schema_metadata(kept), file)


def check_format(path: Path) -> None:
    """Refuse an output whose format is unknown or not installed.

    Raises:
        ArgumentError: The extension is not known.
        MissingExtraError: Parquet without pyarrow.
    """
    if path.suffix not in FORMATS:
        raise ArgumentError(f"{path} ends in {path.suffix!r}; it must end in {', '.join(FORMATS)}")
    if path.suffix == ".parquet":
        try:
            import pyarrow as pa  # noqa: F401  only whether it is there
        except ImportError as error:
            raise MissingExtraError(
                "pyarrow is not installed; .parquet needs it: pip install 'geng-edge[parquet]'"
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
            f"start is {start!r}; it must be an ISO 8601 time such as {DEFAULT_START}"
        ) from error
