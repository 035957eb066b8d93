"""What geng-cog knows as data: kinds of quantity with their physical limits, habits, scenarios.

Everything here is written by the project, under its licence. A scenario is one quantity as one device
measures it in one place. Scenarios of the splits ``development`` and ``tuning`` are never trained on:
the first is what is reported, the second is what settings are chosen by.
"""

from __future__ import annotations

import functools
import json
import sys
from dataclasses import dataclass
from importlib import resources
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SPLITS = ("train", "tuning", "development")


@dataclass(frozen=True)
class Kind:
    """A kind of quantity.

    Attributes:
        key: Its name in the tables, unique.
        name: What an answer calls it; ``name [unit]`` is unique.
        unit: Of its values.
        floor, ceiling: Physical limits in ``unit``; no answer leaves them.
        span: Smallest and largest ``high - low`` of the training scenarios.
        words: By which a text names it.
        groups: Of quantities that are measured together; empty where it may stand beside any.
    """

    key: str
    name: str
    unit: str
    floor: float
    ceiling: float
    span: tuple[float, float]
    words: tuple[str, ...]
    groups: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """``name [unit]``, as a statement writes it."""
        return f"{self.name} [{self.unit}]"


@dataclass(frozen=True)
class Habit:
    """How a sort of sensor behaves.

    Attributes:
        why: One sentence on what drives it.
        waves: Shapes of a cycle, of :data:`geng_edge.claims.WAVES`, the usual one first.
        trend: Weights of none, up, down.
        noise: Standard deviation as a share of the range, from and to.
    """

    why: str
    waves: tuple[str, ...]
    trend: tuple[float, float, float]
    noise: tuple[float, float]


@dataclass(frozen=True)
class Scenario:
    """One quantity, as one device measures it in one place.

    Attributes:
        id: ``domain/name``, unique.
        split: One of :data:`SPLITS`.
        device, place: Names; ``where`` is the place with its preposition.
        kind: What is measured.
        said: What people call it there.
        low: The minimum lies in here, in the kind's unit.
        span: Maximum minus minimum lies in here.
        intervals: Usual seconds between two readings.
        periods: Usual cycles in seconds, the usual one first; may be empty.
        habit: How it behaves.
    """

    id: str
    split: str
    device: str
    place: str
    where: str
    kind: Kind
    said: str
    low: tuple[float, float]
    span: tuple[float, float]
    intervals: tuple[float, ...]
    periods: tuple[float, ...]
    habit: Habit


def _table(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


@functools.cache
def kinds() -> dict[str, Kind]:
    """Every kind of quantity by its key."""
    entries: dict[str, Any] = tomllib.loads(_table("quantities.toml"))
    return {
        key: Kind(
            key, e["name"], e["unit"], float(e["floor"]), float(e["ceiling"]),
            (float(e["span"][0]), float(e["span"][1])), tuple(e["words"]),
            tuple(e.get("groups", ())),
        )
        for key, e in entries.items()
    }  # fmt: skip


@functools.cache
def by_label() -> dict[str, Kind]:
    """Every kind by ``name [unit]``."""
    return {kind.label: kind for kind in kinds().values()}


@functools.cache
def habits() -> dict[str, Habit]:
    """Every habit by its name."""
    entries: dict[str, Any] = tomllib.loads(_table("habits.toml"))
    return {
        name: Habit(e["why"], tuple(e["waves"]), tuple(e["trend"]), tuple(e["noise"]))
        for name, e in entries.items()
    }


@functools.cache
def scenarios(split: str | None = None) -> tuple[Scenario, ...]:
    """The scenarios, all or those of one split, in the order of the file."""
    found = []
    for line in _table("scenarios.jsonl").splitlines():
        e = json.loads(line)
        if split is not None and e["split"] != split:
            continue
        e["kind"] = kinds()[e["kind"]]
        e["habit"] = habits()[e["habit"]]
        for name in ("low", "span", "intervals", "periods"):
            e[name] = tuple(map(float, e[name]))
        found.append(Scenario(**e))
    return tuple(found)
