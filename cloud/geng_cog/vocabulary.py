"""Words that the training scenarios and wordings know; what else a task says makes it less sure."""

from __future__ import annotations

import functools
import re
import sys
from importlib import resources
from typing import Any

from geng_cog.knowledge import kinds, scenarios

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9.]+")
#: Words of asking and of time that say nothing of a device.
_ASKING = frozenset(
    [
        "a",
        "an",
        "and",
        "the",
        "of",
        "in",
        "on",
        "at",
        "for",
        "from",
        "with",
        "every",
        "over",
        "during",
        "covering",
        "lasting",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "half",
        "data",
        "series",
        "readings",
        "reading",
        "sample",
        "samples",
        "sampled",
        "sampling",
        "interval",
        "intervals",
        "second",
        "seconds",
        "minute",
        "minutes",
        "hour",
        "hours",
        "day",
        "days",
        "week",
        "weeks",
        "month",
        "months",
        "year",
        "years",
        "weekend",
        "synthesize",
        "generate",
        "give",
        "make",
        "produce",
        "please",
        "need",
        "want",
        "me",
        "it",
        "is",
        "as",
        "to",
        "by",
        "per",
        "value",
        "values",
        "sensor",
        "synthetic",
        "realistic",
        "typical",
        "record",
        "recording",
        "recorded",
        "time",
        "step",
        "steps",
        "resolution",
        "hourly",
        "daily",
        "weekly",
        "device",
        "monitor",
        "meter",
        "measuring",
        "measures",
        "logger",
        "probe",
    ]
)


def words(text: str) -> set[str]:
    """The words of a text, lower case, plural s dropped."""
    return {w.lower().rstrip(".").removesuffix("s") for w in _WORD.findall(text)}


def content_words(text: str) -> set[str]:
    """The words that say something of a device, a place or a quantity."""
    return words(text) - _frame_words()


@functools.cache
def _frame_words() -> frozenset[str]:
    text = resources.files("geng_cog.knowledge").joinpath("wordings.toml").read_text("utf-8")
    found = {w.removesuffix("s") for w in _ASKING}

    def collect(entry: Any) -> None:
        for value in entry.values() if isinstance(entry, dict) else entry:
            if isinstance(value, str):
                found.update(words(re.sub(r"\{.*?\}", " ", value)))
            elif isinstance(value, (dict, list)):
                collect(value)

    collect(tomllib.loads(text))
    found.update(w for key in tomllib.loads(text)["at"] for w in words(key))
    return frozenset(found)


@functools.cache
def known_words() -> frozenset[str]:
    """Every word of the training scenarios: devices, places, quantities."""
    found: set[str] = set()
    for s in scenarios("train"):
        found |= words(f"{s.device} {s.place} {s.said} {s.kind.name}")
    for kind in kinds().values():
        found |= words(" ".join(kind.words))
    return frozenset(found - _frame_words())
