"""Rows as a table: Markdown for people, CSV and JSON for programs, JSON with every raw sample."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from geng_edge.bench import board
from geng_edge.bench.case import SETTINGS
from geng_edge.bench.measure import Row
from geng_edge.bench.subject import Subject

FORMATS = ("md", "csv", "json", "jsonl")
_TIMES = ("cold", "load", "first_step", "step", "sample")
NOTHING = "n/a"
# Settings that a Markdown table shows even where all rows agree.
_ALWAYS = ("isa", "precision", "threads", "batch", "steps")


def record(row: Row, subject: Subject) -> dict[str, Any]:
    """A row as plain data: settings, medians and quartiles in milliseconds, facts, raw seconds.

    What was not measured is None.
    """
    made: dict[str, Any] = asdict(row.case)
    for name in _TIMES:
        made.update(spread(name, row.seconds.get(name, [])))
    whole = made["sample_ms"]
    share, state = row.share_of_peak, row.state
    made |= {
        "series_per_s": None if whole is None else row.case.batch / whole * 1e3,
        "peak_rss_mb": None if row.peak_bytes is None else row.peak_bytes / 2**20,
        "multiply_adds_per_step": row.work.total,
        "peak_multiply_adds_per_s": row.peak,
        "peak_percent": None if share is None else 100 * share,
        "drift": row.drift,
        "celsius": state.celsius if state else None,
        "throttled": state.throttled if state else board.UNKNOWN,
        "mhz": state.mhz if state else None,
        "model": subject.path.name,
        "fingerprint": subject.fingerprint,
        **board.identity(),
        "seconds": row.seconds,
    }
    return made


def spread(name: str, seconds: Sequence[float]) -> dict[str, float | None]:
    """Median and quartiles in milliseconds, under ``<name>_ms``, ``_q1`` and ``_q3``."""
    keys = (f"{name}_ms", f"{name}_ms_q1", f"{name}_ms_q3")
    if not seconds:
        return dict.fromkeys(keys)
    values = np.percentile(np.asarray(seconds), (50, 25, 75)) * 1e3
    return dict(zip(keys, map(float, values), strict=True))


def render(records: Sequence[Mapping[str, Any]], form: str) -> str:
    """Records as csv, json or jsonl; raw samples only in the last two."""
    if form == "json":
        return json.dumps(list(records), indent=1)
    if form == "jsonl":
        return "\n".join(json.dumps(each) for each in records)
    return _csv(records)


def text(records: Sequence[Mapping[str, Any]]) -> str:
    """The Markdown table of :func:`record`'s rows."""
    return markdown(table(records))


def _csv(records: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for each in records for name in each if name != "seconds"))
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().rstrip("\n")


def table(records: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What people read: settings that differ, medians with quartiles, facts."""
    varying = [
        name
        for name in SETTINGS
        if name in _ALWAYS or len({str(each[name]) for each in records}) > 1
    ]
    return [{**{name: str(each[name]) for name in varying}, **_facts(each)} for each in records]


def _facts(each: Mapping[str, Any]) -> dict[str, str]:
    return {
        "cold ms": time_cell(each, "cold"),
        "load ms": time_cell(each, "load"),
        "first step ms": time_cell(each, "first_step"),
        "step ms": time_cell(each, "step"),
        "sample ms": time_cell(each, "sample"),
        "series/s": number(each["series_per_s"]),
        "RSS MB": number(each["peak_rss_mb"]),
        "peak %": number(each["peak_percent"]),
        "drift": number(each["drift"]),
        "degC": number(each["celsius"]),
        "throttled": str(each["throttled"]),
        "version": f"{each['version']} {each['commit']}",
        "build": str(each["build"]),
    }


def time_cell(each: Mapping[str, Any], name: str) -> str:
    """Median and quartiles of :func:`spread`, for people."""
    middle, low, high = (each[f"{name}_ms{end}"] for end in ("", "_q1", "_q3"))
    return NOTHING if middle is None else f"{number(middle)} ({number(low)}-{number(high)})"


def number(value: float | None) -> str:
    """Three digits that count; ``n/a`` for None."""
    if value is None:
        return NOTHING
    if abs(value) >= 100:
        return f"{value:.0f}"
    digits = 0 if value == 0 else 2 - int(np.floor(np.log10(abs(value))))
    return f"{value:.{max(digits, 0)}f}"


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """A Markdown table whose columns also line up as plain text; one that holds nothing is left out."""
    columns = [name for name in rows[0] if any(row[name] != NOTHING for row in rows)]
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in columns}

    def line(cells: Mapping[str, str]) -> str:
        return "| " + " | ".join(cells[name].rjust(widths[name]) for name in columns) + " |"

    rule = "| " + " | ".join("-" * (widths[name] - 1) + ":" for name in columns) + " |"
    return "\n".join([line({name: name for name in columns}), rule, *map(line, rows)])
