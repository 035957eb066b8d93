"""Scenarios: what sensors measure where, read from scenarios.toml.

They are the knowledge that composed series start from: quantities with units, physical limits,
usual cycles and sampling intervals, and the habits of that kind of quantity.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from geng_edge.claims import EVENT_KINDS, WAVES
from geng_export.data.wording import SPLITS

# A period is worth claiming when a window of 512 steps shows it at least twice and resolves it.
SHORTEST_PERIOD, LONGEST_PERIOD = 8.0, 200.0


@dataclass(frozen=True)
class Scenario:
    """One quantity, as one device measures it in one place.

    Attributes:
        id: ``domain/name``, unique.
        low: The window's minimum lies in here, in ``unit``.
        span: Maximum minus minimum, in ``unit``, log-uniform in here.
        floor, ceiling: What the quantity cannot leave; None where nothing limits it.
        intervals: Seconds between two steps.
        periods: Usual cycles in seconds; empty for quantities without any. Each is 8 to 200 steps
            long at one of the intervals.
        waves: Shapes of a cycle, from claims.WAVES.
        trend: Weights of no trend, upward, downward.
        noise: Standard deviation as a share of the range, log-uniform in here.
        colour: Probability that the noise is red.
        events: Weight of "none" and of each event kind.
        resolutions: Quantisation steps of such devices, in ``unit``; may be empty.
        split: "train", or "development" for scenarios that are never trained on.
    """

    id: str
    domain: str
    device: str
    place: str
    quantity: str
    unit: str
    low: tuple[float, float]
    span: tuple[float, float]
    floor: float | None
    ceiling: float | None
    intervals: tuple[float, ...]
    periods: tuple[float, ...]
    waves: tuple[str, ...]
    trend: tuple[float, float, float]
    noise: tuple[float, float]
    colour: float
    events: dict[str, float]
    resolutions: tuple[float, ...]
    split: str


def read_scenarios(path: Path) -> tuple[Scenario, ...]:
    """Read and check a file of scenarios.

    Raises:
        ValueError: A scenario lacks a key, has one too many, or contradicts itself; the sentence
            names file, scenario and key.
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    habits = table.pop("habits", {})
    scenarios = []
    for domain, entries in table.items():
        for name, entry in entries.items():
            where = f"{path.name}: {domain}/{name}"
            scenario = _scenario(where, domain, name, entry, habits)
            for fault in _faults(scenario):
                raise ValueError(f"{where}: {fault}")
            scenarios.append(scenario)
    return tuple(scenarios)


_REQUIRED = ("quantity", "unit", "device", "place", "low", "span", "intervals", "habit")
_OPTIONAL = ("floor", "ceiling", "periods", "resolutions", "split")
_HABIT = ("waves", "trend", "noise", "colour", "events")


def _scenario(
    where: str, domain: str, name: str, entry: Mapping[str, Any], habits: Mapping[str, Any]
) -> Scenario:
    for key in _REQUIRED:
        if key not in entry:
            raise ValueError(f"{where}: {key} is missing")
    if entry["habit"] not in habits:
        known = ", ".join(habits)
        raise ValueError(f"{where}: habit is {entry['habit']!r}; it must be one of {known}")
    for key in entry:
        if key not in (*_REQUIRED, *_OPTIONAL, *_HABIT):
            raise ValueError(f"{where}: {key} is not a key of a scenario")
    values = {**habits[entry["habit"]], **entry}
    return Scenario(
        id=f"{domain}/{name}",
        domain=domain,
        device=values["device"],
        place=values["place"],
        quantity=values["quantity"],
        unit=values["unit"],
        low=_pair(values["low"]),
        span=_pair(values["span"]),
        floor=values.get("floor"),
        ceiling=values.get("ceiling"),
        intervals=tuple(map(float, values["intervals"])),
        periods=tuple(map(float, values.get("periods", ()))),
        waves=tuple(values["waves"]),
        trend=_triple(values["trend"]),
        noise=_pair(values["noise"]),
        colour=float(values["colour"]),
        events={kind: float(weight) for kind, weight in values["events"].items()},
        resolutions=tuple(map(float, values.get("resolutions", ()))),
        split=values.get("split", "train"),
    )


def _pair(values: list[float]) -> tuple[float, float]:
    low, high = values
    return float(low), float(high)


def _triple(values: list[float]) -> tuple[float, float, float]:
    none, up, down = values
    return float(none), float(up), float(down)


def _faults(scenario: Scenario) -> Iterator[str]:
    """What is wrong with a scenario, in sentences."""
    floor = -math.inf if scenario.floor is None else scenario.floor
    ceiling = math.inf if scenario.ceiling is None else scenario.ceiling
    least, most = scenario.low
    smallest, largest = scenario.span
    if not floor <= least <= most:
        yield f"low is {least} to {most}; it must rise and stay above the floor, {floor}"
    if not 0.0 < smallest <= largest <= ceiling - floor:
        yield f"span is {smallest} to {largest}; it must be positive, rise and fit the limits"
    if most + smallest > ceiling:
        yield f"low + span is {most + smallest}; it must be at most the ceiling, {ceiling}"
    if not scenario.intervals or min(scenario.intervals) <= 0.0:
        yield f"intervals are {scenario.intervals}; they must be positive seconds"
    for period in scenario.periods:
        steps = [period / interval for interval in scenario.intervals]
        if not any(SHORTEST_PERIOD <= s <= LONGEST_PERIOD for s in steps):
            yield f"period {period} s is {steps} steps; one of them must be 8 to 200"
    yield from _faults_of_habit(scenario)


def _faults_of_habit(scenario: Scenario) -> Iterator[str]:
    for wave in scenario.waves:
        if wave not in WAVES:
            yield f"wave is {wave!r}; it must be one of {', '.join(WAVES)}"
    if min(scenario.trend) < 0.0 or sum(scenario.trend) <= 0.0:
        yield f"trend is {scenario.trend}; weights must not be negative, nor all 0"
    if not 0.0 < scenario.noise[0] <= scenario.noise[1] < 0.5:
        yield f"noise is {scenario.noise}; it must rise within 0 to 0.5"
    if not 0.0 <= scenario.colour <= 1.0:
        yield f"colour is {scenario.colour}; it must be 0 to 1"
    if set(scenario.events) != {"none", *EVENT_KINDS} or min(scenario.events.values()) < 0.0:
        yield f"events are {scenario.events}; they must weigh none, {', '.join(EVENT_KINDS)}"
    if any(not 0.0 < r <= scenario.span[0] / 5.0 for r in scenario.resolutions):
        yield f"resolutions are {scenario.resolutions}; they must leave 5 levels or more"
    if scenario.split not in SPLITS:
        yield f"split is {scenario.split!r}; it must be one of {', '.join(SPLITS)}"


SCENARIOS = read_scenarios(Path(__file__).with_name("scenarios.toml"))


def weighted(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """One of the names, each as likely as its weight among all."""
    names = list(weights)
    w = np.array([weights[n] for n in names], dtype=np.float64)
    return names[int(rng.choice(len(names), p=w / w.sum()))]
