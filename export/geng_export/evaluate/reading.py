"""Is a description read right? What readers make of a text beside what it states; nothing is drawn.

What is read right is what a series then does, so this tells in seconds whether a change of finder or
text side is worth the minutes of conformity.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geng_edge.claims import ANYWHERE, Claims, Event, spanned
from geng_edge.claims_reader import read_claims

if TYPE_CHECKING:
    from geng_edge.generator import Generator
    from geng_export.evaluate.drawing import Description

FIELDS = ("trend", "periodic", "period", "events", "place", "range", "mean")
#: A number counts as read within this share of the period or of the range: numbers are copied, and
#: only the text's own rounding may lie between.
SAME = 0.01
#: Beside a claim's own tolerance: the reader knows places in words by tenths of the window.
COARSE = 0.05


def compare(asked: Claims, read: Claims) -> dict[str, bool]:
    """Field -> whether it is read right, for the fields that are stated or read.

    Args:
        asked: What the text states. A text with one limit alone is not judged by range and mean.
        read: What was read.
    """
    out: dict[str, bool] = {}
    if asked.trend is not None:
        out["trend"] = read.trend == asked.trend
    elif read.trend in ("up", "down"):
        out["trend"] = False
    if asked.periodic is not None:
        out["periodic"] = read.periodic == asked.periodic
    if asked.periods or read.periods:
        out["period"] = len(asked.periods) == len(read.periods) and all(
            abs(a / b - 1.0) <= SAME for a, b in zip(read.periods, asked.periods, strict=True)
        )
    kinds, found = ({e.kind for e in one.events or ()} for one in (asked, read))
    if asked.events is not None:
        out["events"] = read.events is not None and found == kinds
    elif found:
        out["events"] = False
    placed = [e for e in asked.events or () if e.tolerance < ANYWHERE]
    if placed:
        out["place"] = all(_placed(event, read) for event in placed)
    out |= _limits(asked, read)
    return out


def _placed(asked: Event, read: Claims) -> bool:
    return any(
        e.kind == asked.kind
        and e.tolerance < ANYWHERE
        and abs(e.position - asked.position) <= asked.tolerance + COARSE
        for e in read.events or ()
    )


def _limits(asked: Claims, read: Claims) -> dict[str, bool]:
    if (asked.low is None) != (asked.high is None):
        return {}
    read = spanned(read)  # a limit that stands alone is no range
    if asked.low is None or asked.high is None:
        return {} if read.low is None else {"range": False}
    out = {"range": False}
    allowed = SAME * (asked.high - asked.low)
    if read.low is not None and read.high is not None:
        out["range"] = max(abs(read.low - asked.low), abs(read.high - asked.high)) <= allowed
    if asked.mean is not None and asked.low < asked.mean < asked.high:
        out["mean"] = read.mean is not None and abs(read.mean - asked.mean) <= allowed
    return out


@dataclass(frozen=True)
class Misread:
    """A text, and the fields that were read otherwise."""

    text: str
    fields: tuple[str, ...]
    read: Claims


@dataclass(frozen=True)
class Reading:
    """Field -> (read right, stated or read); ``texts`` counts those with every field right."""

    fields: dict[str, tuple[int, int]]
    misread: tuple[Misread, ...]
    facts: dict[str, object]

    def to_dict(self) -> dict[str, Any]:
        """For JSON; the texts are not in it."""
        return {"facts": self.facts, "fields": {k: list(v) for k, v in self.fields.items()}}

    def to_markdown(self) -> str:
        """One row a field."""
        lines = [", ".join(f"{k} {v}" for k, v in self.facts.items()), ""]
        lines += ["| field | read right | of | % |", "| --- | ---: | ---: | ---: |"]
        lines += [f"| {k} | {r} | {n} | {100 * r / n:.1f} |" for k, (r, n) in self.fields.items()]
        return "\n".join(lines)


def measure(
    generator: Generator, asked: Sequence[Description], facts: dict[str, object]
) -> Reading:
    """Read every description; some 10 ms each.

    Raises:
        ArgumentError: The model has no claims reader, or a text is too long for it.
    """
    from geng_edge.condition import Condition

    right: dict[str, int] = defaultdict(int)
    seen: dict[str, int] = defaultdict(int)
    misread = []
    for one in asked:
        length = one.claims.length
        condition = Condition.from_text(one.text, one.interval, generator, one.claims.length)
        read = read_claims(generator, condition, length, one.interval)
        found = compare(one.claims, read)
        found["texts"] = all(found.values())
        for name, good in found.items():
            right[name] += good
            seen[name] += 1
        if not found.pop("texts"):
            wrong = tuple(name for name, good in found.items() if not good)
            misread.append(Misread(one.text, wrong, read))
    fields = {name: (right[name], seen[name]) for name in (*FIELDS, "texts") if seen[name]}
    return Reading(fields, tuple(misread), facts)
