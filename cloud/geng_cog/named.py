"""Which quantities a task names: read, as its times are, so that the language model cannot miss them.

"humidity sensor in a wardrobe" names one quantity, "temperature probe in a salad bar" leaves open whether the
temperature is of air, water or goods: there the model chooses, among those and no others. A task that
names none leaves every quantity open.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from geng_cog.knowledge import kinds, scenarios


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


def named_labels(task: str) -> frozenset[str]:
    """Labels of the kinds that a task names, by quantity or else by device; empty where by neither."""
    text = f" {task.lower()} "
    keys = _named(text, _words()) or _named(text, _devices())
    return frozenset(kinds()[key].label for key in keys)


def _named(text: str, names: dict[str, frozenset[str]]) -> frozenset[str]:
    """The kinds of every name in the text that is no part of a longer one."""
    found: list[tuple[int, int, frozenset[str]]] = []
    for name, keys in names.items():
        found += [(m.start(), m.end(), keys) for m in _pattern(name).finditer(text)]
    longest = [
        keys
        for a, b, keys in found
        if not any(c <= a and b <= d and d - c > b - a for c, d, _ in found)
    ]
    return _union(longest)


@functools.cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}s?(?!\w)")


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)
