"""Seed pairs: a scenario asked for in words, and what the answer states.

Everything is drawn from the scenarios and wordings of :mod:`geng_cog.knowledge` with one generator, so
the same seed gives the same pairs. Those of the package are ``knowledge/seeds.jsonl``.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from geng_cog.durations import duration_text, rounded_limits
from geng_cog.knowledge import Scenario
from geng_cog.statement import Statement, anomaly_text
from geng_edge.claims import noise_level
from geng_edge.wire.answer import Anomaly, ChannelClaims

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FEWEST_STEPS, MOST_STEPS = 96, 2100
#: A period is stated when the span shows it twice and the interval resolves it.
LEAST_CYCLES, LEAST_STEPS_A_PERIOD = 2.0, 6.0
#: Shares of tasks that ask for a trend, and for a trend or an anomaly: in seed pairs, where there is much
#: to learn of them, and in the sets.
SHARES, HELD_SHARES = (0.2, 0.6), (0.14, 0.3)
_SPANS = tuple(
    n * unit
    for unit, numbers in (
        (1e-3, (100, 200, 500)),
        (1.0, (1, 2, 5, 10, 20, 30, 60, 90)),
        (60.0, (2, 3, 5, 10, 15, 20, 30, 45)),
        (3600.0, (1, 2, 3, 4, 6, 8, 12)),
        (86400.0, (1, 2, 3, 4, 5, 10)),
        (604800.0, (1, 2, 3, 4, 6, 8)),
        (2592000.0, (2, 3, 6)),
        (31536000.0, (1, 2)),
    )
    for n in numbers
)
_WORDS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 8: "eight", 10: "ten"}
_NAMES = {
    "week": "week",
    "day": "day",
    "h": "hour",
    "min": "minute",
    "s": "second",
    "ms": "millisecond",
}


@dataclass(frozen=True)
class Pair:
    """A task, the statement that answers it, and where they come from.

    Attributes:
        task: In words.
        statement: What the answer states.
        scenarios: One for each channel.
        asked: What the task says beside the subject: keys of ``span``, ``interval``, ``trend``,
            ``anomaly``.
    """

    task: str
    statement: Statement
    scenarios: tuple[Scenario, ...]
    asked: tuple[str, ...]


@functools.cache
def _wordings() -> dict[str, Any]:
    text = resources.files("geng_cog.knowledge").joinpath("wordings.toml").read_text("utf-8")
    return dict(tomllib.loads(text))


def seed_pair(scenarios: Sequence[Scenario], rng: np.random.Generator, held: bool = False) -> Pair:
    """Draw one pair.

    Args:
        scenarios: One for each channel, all of one place.
        rng: Decides wording, times and values.
        held: Take the wordings that training never uses.
    """
    span, interval = _times(scenarios[0], rng)
    asked: list[str] = []
    words = _asked_times(span, interval, rng, held, asked)
    trend, anomalies, extra = _asked_features(rng, held, asked)
    claims = tuple(
        _claims(s, span, interval, trend if i == 0 else None, anomalies if i == 0 else ())
        for i, s in enumerate(scenarios)
    )
    frame = _pick(rng, "frames", held, "train" if not held else "held")
    task = frame.format(s=_subject(scenarios, rng), t=words, e=extra)
    if rng.random() < 0.2:
        task = task[0].upper() + task[1:]
    return Pair(
        task,
        Statement(reasoning(scenarios), span, interval, claims),
        tuple(scenarios),
        tuple(asked),
    )


@dataclass(frozen=True)
class Asked:
    """A task about some subject, and what it asks for beside it.

    Attributes:
        text: The task.
        asked: ``trend up`` or ``trend down``, ``anomaly`` with kind, direction and place as a statement
            writes them, ``anomaly none``, or empty.
    """

    text: str
    asked: str


def ask(subject: str, times: Scenario, rng: np.random.Generator) -> Asked:
    """A task about any subject, in a wording of the training, with times usual for ``times``."""
    asked: list[str] = []
    words = _asked_times(*_times(times, rng), rng, False, asked)
    trend, anomalies, extra = _asked_features(rng, False, asked)
    text = _pick(rng, "frames", False, "train").format(s=subject, t=words, e=extra)
    if trend is not None:
        return Asked(text, f"trend {trend}")
    if "anomaly" in asked:
        return Asked(text, f"anomaly {anomaly_text(anomalies)}")
    return Asked(text, "")


def reasoning(scenarios: Sequence[Scenario]) -> str:
    """What drives the series, one sentence for the place and one for each habit."""
    said = " and ".join(s.said for s in scenarios)
    why = " ".join(dict.fromkeys(s.habit.why for s in scenarios))
    return f"{said[0].upper()}{said[1:]} {scenarios[0].where}. {why}"


def _pick(rng: np.random.Generator, table: str, held: bool, key: str = "") -> str:
    entries = _wordings()[table]
    name = f"{key}_held" if held and f"{key}_held" in entries else key
    found: list[str] = entries[name]
    return found[int(rng.integers(len(found)))]


def _times(scenario: Scenario, rng: np.random.Generator) -> tuple[float, float]:
    """Span and interval that fit: the usual period shows, most times."""
    interval = float(rng.choice(scenario.intervals))
    period = scenario.periods[0] if scenario.periods else 0.0
    fitting = [s for s in _SPANS if FEWEST_STEPS <= s / interval <= MOST_STEPS]
    showing = [s for s in fitting if s >= 2.5 * period]
    if showing and rng.random() < 0.93:
        fitting = showing[:4]
    if not fitting:
        fitting = [interval * 500.0]
    return float(rng.choice(fitting)), interval


def usual_periods(scenario: Scenario, span: float, interval: float) -> tuple[float, ...]:
    """The usual cycles that such a record shows."""
    return tuple(
        p
        for p in scenario.periods
        if span / p >= LEAST_CYCLES and p / interval >= LEAST_STEPS_A_PERIOD
    )


def _claims(
    s: Scenario, span: float, interval: float, trend: str | None,
    anomalies: tuple[Anomaly, ...],
) -> ChannelClaims:  # fmt: skip
    low = s.low[0] + (s.low[1] - s.low[0]) / 2.0
    width = math.sqrt(s.span[0] * s.span[1])
    low = min(max(low, s.kind.floor), s.kind.ceiling - width)
    low, high = rounded_limits(low, low + width)
    shown = usual_periods(s, span, interval)
    periods = shown[:1]
    if len(shown) > 1 and shown[0] == 86400.0 and shown[1] == 604800.0:
        periods = shown[:2]
    wave = s.habit.waves[0] if periods else None
    noise = noise_level(math.sqrt(s.habit.noise[0] * s.habit.noise[1]))
    usual = ("none", "up", "down")[int(np.argmax(s.habit.trend))]
    return ChannelClaims(
        s.kind.name, s.kind.unit, trend or usual, periods, low, high, None, noise, anomalies, wave
    )


def _subject(scenarios: Sequence[Scenario], rng: np.random.Generator) -> str:
    first = scenarios[0]
    device = first.device
    article = "an" if device[0] in "aeiouAEIOU" else "a"
    if len(scenarios) > 1:
        said = " and ".join(s.said for s in scenarios)
        forms = [f"{said} {first.where}", f"{said} sensor {first.where}", f"{first.place}, {said}"]
    else:
        said = first.said
        forms = [
            f"{said} {first.where}",
            f"{said} from {article} {device} {first.where}",
            f"{first.place} {said}",
            f"{device} {first.where} measuring {said}",
            f"{said} of a {device}, {first.place}",
        ]
        if names_kind(first):
            forms += [f"{device} {first.where}"] * 4 + [f"{first.place} {device}"]
    return forms[int(rng.integers(len(forms)))]


def names_kind(scenario: Scenario) -> bool:
    """Whether the device's name tells what it measures."""
    device = scenario.device.lower()
    return any(word.lower() in device for word in scenario.kind.words)


def duration_words(seconds: float, rng: np.random.Generator, adjective: bool = False) -> str:
    """A duration as people write it: 'one week', '3 days', '10 minutes', '5-minute'."""
    if seconds in (2592000.0, 5184000.0, 7776000.0, 15552000.0):
        number, unit = str(round(seconds / 2592000.0)), "month"
    elif seconds in (31536000.0, 63072000.0):
        number, unit = str(round(seconds / 31536000.0)), "year"
    else:
        number, _, short = duration_text(seconds).partition(" ")
        unit = _NAMES[short]
        if short == "day" and number == "1" and rng.random() < 0.3:
            number, unit = "24", "hour"
        elif short == "week" and number == "1" and rng.random() < 0.3:
            number, unit = "7", "day"
    if adjective:
        return f"{number}{'-' if rng.random() < 0.4 else ' '}{unit}"
    one = number == "1"
    if number.isdigit() and int(number) in _WORDS and rng.random() < 0.4:
        number = _WORDS[int(number)] if not one or rng.random() < 0.6 else "a"
        number = "an" if number == "a" and unit == "hour" else number
    return f"{number} {unit}{'' if one else 's'}"


def _asked_times(
    span: float, interval: float, rng: np.random.Generator, held: bool, asked: list[str]
) -> str:
    drawn = rng.random()
    form = "both" if drawn < 0.55 else "span" if drawn < 0.8 else "interval" if drawn < 0.88 else ""
    if not form:
        return ""
    asked += ["span", "interval"] if form == "both" else [form]
    every = duration_words(interval, rng)
    if every.startswith(("1 ", "a ", "an ", "one ")):
        every = every.partition(" ")[2]
    return _pick(rng, "times", held, form).format(
        span=duration_words(span, rng), interval=every,
        interval_=duration_words(interval, rng, adjective=True),
    )  # fmt: skip


def _asked_features(
    rng: np.random.Generator, held: bool, asked: list[str]
) -> tuple[str | None, tuple[Anomaly, ...], str]:
    """The trend and the anomaly that are asked for, if any, and the words that ask."""
    drawn = rng.random()
    trends, features = HELD_SHARES if held else SHARES
    if drawn < trends:
        asked.append("trend")
        trend = "up" if rng.random() < 0.5 else "down"
        return trend, (), _pick(rng, "trend", held, trend)
    if drawn > features:
        return None, (), ""
    asked.append("anomaly")
    names = ("spike", "dip", "shift_up", "shift_down", "dropout", "none")
    name = names[int(rng.integers(len(names)))]
    places: dict[str, float] = _wordings()["at"]
    at = list(places)[int(rng.integers(len(places)))]
    words = _pick(rng, "anomaly", held, name).format(at=at)
    if name == "none":
        return None, (), words
    kind, _, way = name.partition("_")
    direction = -1 if kind in ("dip", "dropout") or way == "down" else 1
    return None, (Anomaly(kind, places[at], direction),), words
