"""The development set, the tuning set and the seed pairs: as drawn once, kept in the package."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator
from dataclasses import asdict
from importlib import resources

import numpy as np

from geng_cog.evaluate.rubric import Task, task_of
from geng_cog.knowledge import Scenario, scenarios
from geng_cog.seeds import Pair, seed_pair

#: Tasks drawn for each scenario of a set, and pairs of each training scenario.
DEVELOPMENT, TUNING, SEEDS = 2, 3, 3
_SEED = 20240


def draw_seeds() -> list[Pair]:
    """The seed pairs: three of each training scenario, two of each pair that shares a place."""
    rng = np.random.default_rng(_SEED)
    found = [seed_pair([s], rng) for s in scenarios("train") for _ in range(SEEDS)]
    return found + [seed_pair(both, rng) for both in together("train") for _ in range(2)]


def draw_tasks(split: str) -> list[Task]:
    """The tasks of ``tuning`` or ``development``, in wordings that no seed pair has."""
    number = {"development": DEVELOPMENT, "tuning": TUNING}[split]
    rng = np.random.default_rng((_SEED, number))
    subjects: list[tuple[Scenario, ...]] = [(s,) for s in scenarios(split) for _ in range(number)]
    subjects += [both for both in together(split) for _ in range(2)]
    return [
        task_of(seed_pair(subject, rng, held=True), f"{subject[0].id}#{i}")
        for i, subject in enumerate(subjects)
    ]


def together(split: str) -> Iterator[tuple[Scenario, Scenario]]:
    """Scenarios of one place that one device could measure: kinds differ, times agree."""
    for first, second in itertools.combinations(scenarios(split), 2):
        if (
            first.place == second.place
            and first.kind.key != second.kind.key
            and first.kind.label != second.kind.label
            and first.said != second.said
            and set(first.intervals) & set(second.intervals)
            and first.periods[:1] == second.periods[:1]
        ):
            yield first, second


@functools.cache
def tasks(split: str) -> tuple[Task, ...]:
    """The tasks of the file ``tuning.jsonl`` or ``development.jsonl`` of the package."""
    text = resources.files("geng_cog.knowledge").joinpath(f"{split}.jsonl").read_text("utf-8")
    return tuple(Task.from_dict(json.loads(line)) for line in text.splitlines())


def lines(split: str) -> str:
    """What such a file holds; for making it anew."""
    return "".join(
        json.dumps(asdict(task), ensure_ascii=False) + "\n" for task in draw_tasks(split)
    )
