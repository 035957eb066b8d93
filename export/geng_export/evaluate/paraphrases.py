"""Free paraphrases: descriptions as a user would type them, held out from all training."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from geng_edge.claims import Claims, Event

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHARES = (15, 85)


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
def _entries() -> list[dict[str, Any]]:
    with (Path(__file__).parent / "paraphrases.toml").open("rb") as file:
        entries: list[dict[str, Any]] = tomllib.load(file)["description"]
    return entries


def paraphrases(count: int, seed: int = 0) -> list[Asked]:
    """``count`` descriptions, each written one in turn, its numbers drawn from ``seed``."""
    entries = _entries()
    return [
        _filled(entries[i % len(entries)], np.random.default_rng((4_000_003, seed, i)))
        for i in range(count)
    ]


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
    stated = [
        task
        for task, said in ((1, claims.trend), (2, claims.periodic), (3, events or None))
        if said is not None
    ]
    return Asked(text, claims, stated[0] if len(stated) == 1 else 4 if stated else 3)
