"""Windows of real series, from any folder of CSV files with a manifest.

``manifest.csv`` needs a column ``path``; ``value_cols`` (names joined by ``|``), ``interval_s``, ``unit`` and
``quantity`` (joined by ``;``), ``domain``, ``source``, ``licence`` and those that say how a file is
read (``sep``, ``skiprows``, ``columns``, ``time_col``, ``time_format``, ``segment_col``, ``na_values``,
``grid``, ``layout``) are used where they are there.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geng_export.errors import ExportError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FloatArray = npt.NDArray[np.float64]
Row = Mapping[str, str]

#: A window with more than this share missing is left out; shorter gaps are bridged by straight lines.
MOST_MISSING = 0.01
#: Share of the files that is kept for development.
DEVELOPMENT_SHARE = 0.15


@dataclass(frozen=True)
class RealWindow:
    """A window of one channel.

    Attributes:
        x: ``[length]``, without gaps; float32, or float64 of own series, whose variation may be less
            than float32 can tell at their level.
        interval: Seconds between steps (1 where the manifest does not know).
        unit, quantity: As the manifest names them.
        domain, source, licence, file: Where it comes from.
    """

    x: npt.NDArray[np.floating[Any]]
    interval: float
    unit: str
    quantity: str
    domain: str
    source: str
    licence: str
    file: str


@cache
def _restrictions() -> dict[str, dict[str, str]]:
    with (Path(__file__).parent / "sources.toml").open("rb") as file:
        return tomllib.load(file)


def permitted(row: Row) -> bool:
    """Whether shipped weights may be trained on this file; see sources.toml."""
    known = _restrictions()
    path = row.get("path", "")
    named = row.get("source", "") in known["restricted"]
    return not named and not any(path.startswith(p) for p in known["restricted_files"])


def split_of(path: str) -> str:
    """``train`` or ``development``, by a hash of the file's path."""
    share = int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big") / 2**32
    return "development" if share < DEVELOPMENT_SHARE else "train"


def read_manifest(folder: str | Path) -> list[dict[str, str]]:
    """Rows of ``folder/manifest.csv``.

    Raises:
        ExportError: There is none, or it has no column ``path``.
    """
    path = Path(folder) / "manifest.csv"
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise ExportError(f"{path}: {error}; it must be a CSV file with a column path") from error
    if "path" not in table.columns:
        raise ExportError(f"{path} has columns {', '.join(table.columns)}; path must be among them")
    return [dict(row) for row in table.to_dict("records")]


def windows(
    folder: str | Path,
    *,
    length: int = 512,
    stride: int = 256,
    split: str | None = None,
    permitted_only: bool = False,
) -> Iterator[RealWindow]:
    """Windows of every channel of every file, constant ones left out.

    Args:
        folder: Holds manifest.csv and the files.
        length, stride: Steps of a window and between the starts of two.
        split: ``train`` or ``development`` files alone; all by default.
        permitted_only: Leave out sources that shipped weights may not be trained on.

    Raises:
        ExportError: The manifest or a file cannot be read.
    """
    for row in read_manifest(folder):
        if split is not None and split_of(row["path"]) != split:
            continue
        if permitted_only and not permitted(row):
            continue
        for segment in _segments(Path(folder), row):
            yield from _cut(segment, row, length, stride)


def _cut(values: FloatArray, row: Row, length: int, stride: int) -> Iterator[RealWindow]:
    units, quantities = _names(row, "unit"), _names(row, "quantity")
    try:
        interval = float(row.get("interval_s") or 1.0)
    except ValueError:
        interval = 1.0
    for start in range(0, len(values) - length + 1, stride):
        for channel in range(values.shape[1]):
            x = _bridged(values[start : start + length, channel])
            if x is None or float(np.ptp(x)) <= 1e-9 * max(1.0, float(np.abs(x).max())):
                continue
            yield RealWindow(
                x.astype(np.float32),
                interval,
                units[min(channel, len(units) - 1)],
                quantities[min(channel, len(quantities) - 1)],
                row.get("domain", ""),
                row.get("source", ""),
                row.get("licence", ""),
                row["path"],
            )


def _names(row: Row, key: str) -> list[str]:
    return [part.strip() for part in row.get(key, "").split(";")]


def _bridged(x: FloatArray) -> FloatArray | None:
    missing = ~np.isfinite(x)
    if not missing.any():
        return x
    if missing.mean() > MOST_MISSING:
        return None
    steps = np.arange(len(x))
    return np.where(missing, np.interp(steps, steps[~missing], x[~missing]), x)


def _segments(folder: Path, row: Row) -> Iterator[FloatArray]:
    """Runs of rows ``[steps, channels]`` that belong together, missing values as NaN."""
    path = folder / row["path"]
    try:
        if row.get("layout") == "wide_rows":
            yield from _wide_rows(path, row)
            return
        table = _table(path, row)
        columns = row["value_cols"].split("|") if row.get("value_cols") else _numeric(table)
        values = table[columns].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
        times = _times(table, row) if row.get("grid") == "resample" else None
        groups = [np.arange(len(table))]
        if row.get("segment_col"):
            groups = list(table.groupby(row["segment_col"], sort=False).indices.values())
    except (OSError, ValueError, KeyError) as error:
        raise ExportError(f"{path}: {error}; it must be readable as the manifest says") from error
    for group in groups:
        if times is None:
            yield values[group]
        else:
            yield _regular(values[group], times.iloc[group], float(row["interval_s"]))


def _numeric(table: pd.DataFrame) -> list[str]:
    return [str(c) for c in table.select_dtypes("number").columns]


def _table(path: Path, row: Row) -> pd.DataFrame:
    separator = {"": ",", "ws": r"\s+"}.get(row.get("sep", ""), row.get("sep", ""))
    separator = separator.replace("TAB", "\t")
    options: dict[str, object] = {
        "sep": separator,
        "skiprows": int(row.get("skiprows") or 0),
        "encoding": "utf-8-sig",
        "encoding_errors": "replace",
    }
    if len(separator) > 1 and separator != r"\s+":
        options["engine"] = "python"
    if row.get("columns"):
        options |= {"header": None, "names": row["columns"].split("|"), "index_col": False}
    if row.get("na_values"):
        options["na_values"] = row["na_values"].split("|")
    table = pd.read_csv(path, **options)
    table.columns = [str(c).strip() for c in table.columns]
    return table


def _times(table: pd.DataFrame, row: Row) -> pd.Series:
    names = row["time_col"].split("+")
    if names == ["year", "month", "day", "hour"]:
        return pd.to_datetime(table[names])
    text = table[names].astype(str).agg(" ".join, axis=1)
    form = row.get("time_format", "")
    if form in ("s", "ms"):
        return pd.to_datetime(pd.to_numeric(text, errors="coerce"), unit=form)
    return pd.to_datetime(text, format=form or None, errors="coerce", utc=True)


def _regular(values: FloatArray, times: pd.Series, interval: float) -> FloatArray:
    """Mean of each slot of a regular grid; empty slots are NaN."""
    known = times.notna().to_numpy()
    if not known.any():
        return values[:0]
    since = (times[known] - times[known].min()).dt.total_seconds().to_numpy()
    slots = pd.DataFrame(values[known]).groupby(np.floor(since / interval + 1e-6).astype(int))
    means = slots.mean()
    return means.reindex(range(int(means.index.max()) + 1)).to_numpy(np.float64)


def _wide_rows(path: Path, row: Row) -> Iterator[FloatArray]:
    """One series a line: an id or class, then values."""
    raw = path.read_bytes()
    lines = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8").splitlines()
    separator = None if row.get("sep") == "ws" else row.get("sep", ",").replace("TAB", "\t")
    for line in lines[int(row.get("skiprows") or 0) :]:
        fields = [f.strip(' "') for f in line.strip().split(separator)][1:]
        numbers = pd.to_numeric(pd.Series(fields), errors="coerce").to_numpy(np.float64)
        known = np.flatnonzero(np.isfinite(numbers))
        if len(known):
            yield numbers[: known[-1] + 1, None]
