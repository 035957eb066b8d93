"""Trend and anomalies that a task asks for in so many words: read, as its times are, never guessed.

"slowly rising, with a dip near the end" asks for an upward trend and a dip at 0.9 of the span. What is not
asked for in words is left to the language model, but anomalies: a series has none unless asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from geng_edge.claims import POSITION_WORDS

_UP = r"up|upwards?|higher|rising|increasing"
_DOWN = r"down|downwards?|lower|falling|decreasing"
_TRENDS = (
    ("none", r"no trend|without (?:a|any) trend|stationary"),
    ("up", (r"upwards? trend|trend(?:ing|s)? up\w*|(?:rising|increasing) trend|slowly (?:rising|increasing)|"
           r"that (?:rises|increases|grows|climbs)|increasing\b|growing\b|climb(?:s|ing)\b|rising\b")),
    ("down", (r"downwards? trend|trend(?:ing|s)? down\w*|(?:falling|decreasing) trend|"
             r"slowly (?:falling|decreasing)|that (?:falls|decreases|declines|shrinks)|decreasing\b|"
             r"declin(?:es|ing)\b|shrinking\b|falling\b")),
)  # fmt: skip
_LEVEL = r"(?:level |of the level |of its level )?"
_ANOMALIES = (
    ("shift", 1, rf"(?:{_UP}) {_LEVEL}shift|shift (?:{_UP})|(?:jump|step)\w* (?:to a higher|up)"),
    ("shift", -1, (rf"(?:{_DOWN}) {_LEVEL}shift|shift (?:{_DOWN})|"
                  r"(?:drop|jump|step|fall)\w* (?:to a lower|down)")),
    ("dropout", -1, r"drop-?outs?|sensor (?:failing|fails|failure)|signal loss|outage"),
    ("dip", -1, r"dips?\b"),
    ("spike", 1, r"spikes?\b|peak out of line|outliers?\b"),
)  # fmt: skip
_NONE = re.compile(
    r"(?:no|without(?: any| an)?|free of) (?:anomal\w+|spikes?|outliers?|events?)|normal operation",
    re.I,
)
_PERCENT = re.compile(r"^\W*(?:at|after|around)\s+(\d{1,3}(?:\.\d+)?)\s*(?:%|percent)", re.I)
_PLACES = sorted(POSITION_WORDS, key=len, reverse=True)


@dataclass(frozen=True)
class Asked:
    """What a task asks for.

    Attributes:
        trend: ``up``, ``down``, ``none``, or None where it does not say.
        anomalies: Kind, direction, and place as a share of the span or None where it does not say
            where; two at most.
    """

    trend: str | None = None
    anomalies: tuple[tuple[str, int, float | None], ...] = ()


def read_asked(task: str) -> Asked:
    """Read trend and anomalies off a task."""
    text = " ".join(task.lower().split())
    found: list[tuple[int, str, int, float | None]] = []
    rest = text
    if not _NONE.search(text):
        for kind, direction, pattern in _ANOMALIES:
            found += [
                (m.start(), kind, direction, _place(text[m.end() :]))
                for m in re.finditer(rf"\b(?:{pattern})", rest)
            ]
            rest = re.sub(rf"\b(?:{pattern})", lambda m: "#" * len(m[0]), rest)
    found.sort()
    trend = next((word for word, p in _TRENDS if re.search(rf"\b(?:{p})", rest)), None)
    return Asked(trend, tuple((kind, way, at) for _, kind, way, at in found[:2]))


def _place(after: str) -> float | None:
    """The place that the words right after an anomaly say."""
    near = after.partition(" and ")[0][:48]
    percent = _PERCENT.match(near)
    if percent:
        return min(float(percent[1]) / 100.0, 1.0)
    for words in _PLACES:
        at = near.find(words)
        if 0 <= at <= 16 and not near[at + len(words) : at + len(words) + 1].isalpha():
            low, high = POSITION_WORDS[words]
            return round((low + high) / 2.0, 2)
    return None
