"""Descriptions as a user would type them, held out from all training, and others to tune by.

``paraphrases.toml`` measures: nothing is ever chosen by it. ``free_texts.toml`` is there to be looked into.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from geng_edge.claims import ANYWHERE, Claims, Event

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHARES = (15, 85)
#: Share of the window by which an event may miss the place that a free text gives it.
PLACED = 0.1


@dataclass(frozen=True)
class Asked:
    """A description and what it states.

    Attributes:
        text: The words.
        claims: What is judged, seconds a step included.
        task: 1 trend, 2 periodic, 3 anomaly, 4 more than one of them.
    """

    text: str
    claims: Claims
    task: int

    @property
    def interval(self) -> float:
        """Seconds a step."""
        return self.claims.interval


@cache
def _entries(name: str) -> list[dict[str, Any]]:
    with (Path(__file__).parent / name).open("rb") as file:
        entries: list[dict[str, Any]] = tomllib.load(file)["description"]
    return entries


def paraphrases(count: int, seed: int = 0) -> list[Asked]:
    """``count`` descriptions, each written one in turn, its numbers drawn from ``seed``."""
    entries = _entries("paraphrases.toml")
    return [
        _filled(entries[i % len(entries)], np.random.default_rng((4_000_003, seed, i)))
        for i in range(count)
    ]


def free_texts(part: str) -> list[Asked]:
    """The descriptions of set ``part``: "a" and "c" were tuned on, "b" was seen, "d" was not."""
    return [_stated(entry) for entry in _entries("free_texts.toml") if entry["set"] == part]


def _stated(entry: dict[str, Any]) -> Asked:
    """A text with its own numbers."""
    low, high = entry.get("limits", (None, None))
    periods = (float(entry["steps"]),) if "steps" in entry else ()
    events = entry.get("events")
    place = entry.get("place")
    claims = Claims(
        trend=entry.get("trend"),
        periodic=True if periods else entry.get("periodic"),
        periods=periods,
        low=low,
        high=high,
        mean=entry.get("mean"),
        events=None
        if events is None
        else tuple(
            Event(kind, 0.5, tolerance=ANYWHERE)
            if place is None
            else Event(kind, place, tolerance=PLACED)
            for kind in events
        ),
        interval=float(entry["interval"]),
    )
    return Asked(entry["text"], claims, _task(claims))


def _filled(entry: dict[str, Any], rng: np.random.Generator) -> Asked:
    decimals = int(entry["decimals"])
    low = round(float(rng.uniform(*entry["low"])), decimals)
    high = round(low + float(rng.uniform(*entry["span"])), decimals)
    mean = round(low + float(rng.uniform(0.4, 0.6)) * (high - low), decimals)
    share = int(rng.integers(SHARES[0], SHARES[1] + 1))
    interval = float(entry["interval"])
    periods: tuple[float, ...] = ()
    period = 0
    if "period" in entry:
        least, most = entry["period"]
        period = int(rng.integers(least, most + 1))
        seconds = entry.get("unit_seconds")
        periods = (period * seconds / interval if seconds else float(period),)
    text = entry["text"].format(
        low=f"{low:.{decimals}f}",
        high=f"{high:.{decimals}f}",
        mean=f"{mean:.{decimals}f}",
        period=period,
        share=share,
    )
    events = entry.get("events")
    claims = Claims(
        trend=entry.get("trend"),
        periodic=True if periods else entry.get("periodic"),
        periods=periods,
        low=low,
        high=high,
        mean=mean if entry.get("mean") else None,
        events=None
        if events is None
        else tuple(Event(kind, 0.5, tolerance=1.0) for kind in events),
        interval=interval,
    )
    return Asked(text, claims, _task(claims))


def _task(claims: Claims) -> int:
    said = ((1, claims.trend), (2, claims.periodic), (3, claims.events or None))
    stated = [task for task, what in said if what is not None]
    return stated[0] if len(stated) == 1 else 4 if stated else 3
