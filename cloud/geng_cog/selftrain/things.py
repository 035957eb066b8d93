"""Things: devices and places that a document speaks of, and training scenarios that are like them."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence

from geng_cog.knowledge import Scenario, scenarios
from geng_cog.selftrain.documents import Document

#: A word that as many scenarios have for a device or a place tells none of them from the others.
COMMON = 10
_WORD = re.compile(r"[a-z][a-z-]*")
_BEFORE = frozenset(["a", "an", "the", "each", "every", "of", "in", "for", "on", "at"])


def things(document: Document) -> tuple[str, ...]:
    """Devices and places of the sorts that training scenarios know, in words of the document.

    A sort is the last word of a scenario's device or place ("boiler" of "heating boiler"); what the
    document sets before it ("a gas boiler") belongs to the thing.
    """
    read = ["", "", *_WORD.findall(f"{document.title} {document.text}".lower())]
    found: dict[str, None] = {}
    for ahead, before, word in zip(read, read[1:], read[2:], strict=False):
        both = f"{before} {word}"
        if both in _terms() or (word in _sorts() and ahead in _BEFORE and before not in _BEFORE):
            found[both] = None
        elif word in _sorts():
            found[word] = None
    return tuple(found)


def nearest(known: Sequence[Scenario], named: str, device: str) -> list[Scenario]:
    """Those of the scenarios that are most like the device, and then called alike.

    Args:
        known: Scenarios of one kind of quantity.
        named: What the quantity is called.
        device: Device or place.
    """
    ranks = [(likeness(s, device), s.said == named) for s in known]
    best = max(ranks, default=None)
    return [s for s, rank in zip(known, ranks, strict=True) if rank == best]


def likeness(scenario: Scenario, device: str) -> int:
    """How many telling words a scenario's device and place share with a device."""
    return len((_own(scenario) - _common()) & set(device.lower().split()))


@functools.cache
def _own(scenario: Scenario) -> frozenset[str]:
    return frozenset(f"{scenario.device} {scenario.place}".lower().split())


@functools.cache
def _common() -> frozenset[str]:
    counts = Counter(w for s in scenarios("train") for w in _own(s))
    return frozenset(w for w, n in counts.items() if n >= COMMON)


@functools.cache
def _terms() -> frozenset[str]:
    return frozenset(t for s in scenarios("train") for t in (s.device, s.place))


@functools.cache
def _sorts() -> frozenset[str]:
    return frozenset(t.split()[-1] for t in _terms()) - _common()
