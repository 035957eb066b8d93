"""Which quantities a task names: read, as its times are, so that the language model cannot miss them.

"humidity sensor in a wardrobe" names one quantity, "temperature probe in a salad bar" leaves open whether the
temperature is of air, water or goods: there the model chooses, among those and no others. A task that
names none leaves every quantity open.
"""

from __future__ import annotations

import functools
import itertools
import re

from geng_cog.knowledge import kinds, scenarios
from geng_cog.statement import MOST_CHANNELS

#: A "canal" is known; a "city canal" is another place.
_BEFORE_PLACE = r"(?:(?:^|[,:(])\s*|\b(?:an?|the|my|our|of|in|on|at|from|for)\s+)"
_AND = re.compile(r"s?(?: sensor)?(?: and |, and |, | & | \+ )")


@functools.cache
def _words() -> dict[str, frozenset[str]]:
    """Names of quantities, lower case, and the kinds that they may mean."""
    found: dict[str, set[str]] = {}
    for key, kind in kinds().items():
        for word in (*kind.words, kind.name):
            found.setdefault(word.lower(), set()).add(key)
    for s in scenarios("train"):
        found.setdefault(s.said.lower(), set()).add(s.kind.key)
    return {word: frozenset(keys) for word, keys in found.items()}


@functools.cache
def _devices() -> dict[str, frozenset[str]]:
    """Names of devices, lower case, and the kinds that they measure in the training scenarios."""
    found: dict[str, set[str]] = {}
    for s in scenarios("train"):
        found.setdefault(s.device.lower(), set()).add(s.kind.key)
    return {device: frozenset(keys) for device, keys in found.items()}


@functools.cache
def _places() -> dict[str, frozenset[str]]:
    """Names of places, lower case, and the kinds that are measured there in the training scenarios."""
    found: dict[str, set[str]] = {}
    for s in scenarios("train"):
        found.setdefault(s.place.lower(), set()).add(s.kind.key)
    return {place: frozenset(keys) for place, keys in found.items()}


def named_channels(task: str) -> tuple[frozenset[str], ...]:
    """Labels of the kinds that a task names, a set for each channel that it asks for.

    Several channels are asked for where names are joined: "temperature and humidity". Otherwise there
    is one set: by quantity or else by device, and among these what is known to be measured in that
    place, where the place is known; empty where the task names neither quantity nor device.
    """
    text = f" {task.lower()} "
    named = _named(text, _words())
    joined = _joined(text, named)
    if len(joined) > 1:
        return tuple(_labels(keys) for keys in joined[:MOST_CHANNELS])
    named = named or _named(text, _devices())
    keys = frozenset().union(*(keys for _, _, keys in named))
    there = frozenset().union(*(keys for _, _, keys in _named(text, _places(), _BEFORE_PLACE)))
    return (_labels(keys & there or keys),)


def _labels(keys: frozenset[str]) -> frozenset[str]:
    return frozenset(kinds()[key].label for key in keys)


Match = tuple[int, int, frozenset[str]]


def _named(text: str, names: dict[str, frozenset[str]], before: str = r"(?<!\w)") -> list[Match]:
    """Every name in the text that is no part of a longer one, in order, with its kinds."""
    found = [
        (m.start(), m.end(), keys)
        for name, keys in names.items()
        for m in _pattern(name, before).finditer(text)
    ]
    return sorted(
        (
            (a, b, keys)
            for a, b, keys in found
            if not any(c <= a and b <= d and d - c > b - a for c, d, _ in found)
        ),
        key=lambda match: match[:2],
    )


def _joined(text: str, named: list[Match]) -> list[frozenset[str]]:
    """The longest run of names joined by "and" or a comma, each of other kinds than those before."""
    best: list[frozenset[str]] = []
    for at in range(len(named)):
        run = [named[at][2]]
        for before, after in itertools.pairwise(named[at:]):
            if not _AND.fullmatch(text[before[1] : after[0]]):
                break
            run.append(after[2])
        if len(run) > len(best) and all(not a & b for a, b in itertools.combinations(run, 2)):
            best = run
    return best


@functools.cache
def _pattern(name: str, before: str) -> re.Pattern[str]:
    return re.compile(rf"{before}{re.escape(name)}s?(?!\w)")
