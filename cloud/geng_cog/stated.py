"""What a task states about time in so many words: read, never guessed.

"... for one week, every 10 minutes" states a span of 604,800 s and an interval of 600 s. The language
model chooses what is left open; what is stated binds it, through the grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from geng_edge.errors import ArgumentError
from geng_edge.request import LONGEST_CHAIN
from geng_edge.wire.answer import (
    LEAST_STEPS,
    LONGEST_INTERVAL,
    LONGEST_SPAN,
    MOST_TASK,
    SHORTEST_INTERVAL,
)

_WORDS = {
    "a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0,
    "seven": 7.0, "eight": 8.0, "nine": 9.0, "ten": 10.0, "eleven": 11.0, "twelve": 12.0,
    "fifteen": 15.0, "twenty": 20.0, "thirty": 30.0, "half a": 0.5, "half an": 0.5, "a quarter of an": 0.25,
    "other": 2.0, "single": 1.0, "full": 1.0, "whole": 1.0,
}  # fmt: skip
_UNITS = (
    (r"milliseconds?|millis|msecs?|ms", 1e-3),
    (r"microseconds?|us", 1e-6),
    (r"seconds?|secs?|s", 1.0),
    (r"minutes?|mins?", 60.0),
    (r"hours?|hrs?|hr|h", 3600.0),
    (r"days?|d", 86400.0),
    (r"weeks?|wks?", 604800.0),
    (r"fortnights?", 1209600.0),
    (r"weekends?", 172800.0),
    (r"months?", 2592000.0),
    (r"quarters?", 7776000.0),
    (r"years?", 31536000.0),
)
_UNIT = "|".join(u for u, _ in _UNITS)
_DIGITS = r"\d[\d,]*(?:\.\d+)?"
_NAMED = "|".join(sorted(_WORDS, key=len, reverse=True))
_AMOUNT = rf"{_DIGITS}|{_NAMED}"
_GIVEN = rf"(?P<n>{_DIGITS}(?=[\s-]*[a-z])|(?:{_NAMED})(?=[\s-]))[\s-]*(?P<u>{_UNIT})\b(?!-ahead)"
_TIME = rf"(?:(?P<n>{_DIGITS}|(?:{_NAMED})(?=[\s-]))[\s-]*)?(?P<u>{_UNIT})\b(?!-ahead)"
_RATES = {"hourly": 3600.0, "minutely": 60.0, "half-hourly": 1800.0, "quarter-hourly": 900.0}
_SAMPLE = r"(?:samples?|readings?|values?|points?|measurements?|rows?|records?|data points?)"
_EVERY = (
    re.compile(rf"\b(?:every|each|once (?:every|per|an?)|once)\s+{_TIME}", re.I),
    re.compile(rf"\b(?:at|with|in|using)\s+(?:an?\s+)?{_TIME}[\s-]*(?:sampling\s+)?"
               r"(?:intervals?|steps?|resolution|spacing|cadence|sampling|grid)\b", re.I),
    re.compile(rf"\b(?:interval|sampling|sampled|step|dt|resolution|cadence|spacing)\b\s*"
               rf"(?:time|interval|rate|period|step)?\s*(?:of|is|at|=|:)?\s*{_GIVEN}", re.I),
    re.compile(rf"{_GIVEN}[\s-]+(?:sampling\s+)?(?:intervals?|steps?|resolution|cadence|sampling)\b",
               re.I),
    re.compile(rf"{_GIVEN}\s+apart\b", re.I),
)  # fmt: skip
_PER = re.compile(
    rf"(?P<n>{_AMOUNT})\s+{_SAMPLE}\s*(?:per|an?|each|every|/)\s*(?P<u>{_UNIT})\b", re.I
)
_HERTZ = re.compile(r"(?P<n>\d+(?:\.\d+)?)\s*(?P<k>k?)hz\b", re.I)
_RATE = re.compile(rf"\b({'|'.join(_RATES)})\b", re.I)
_COUNT = re.compile(rf"(?P<n>\d[\d,]*)\s+{_SAMPLE}\b", re.I)
_SPAN = re.compile(
    rf"(?<![\w.])(?:{_TIME}|(?P<word>daily|weekly)\s+(?:record|data|log|series))", re.I
)


@dataclass(frozen=True)
class Stated:
    """Seconds that a task names; None where it names none."""

    span: float | None = None
    interval: float | None = None


def read_stated(task: str) -> Stated:
    """Read span and interval off a task.

    Raises:
        ArgumentError: The task is no text of 1 to 2000 characters, or its times contradict each other.
    """
    size = len(task) if task.strip() else 0
    if not 1 <= size <= MOST_TASK:
        raise ArgumentError(f"task is {size} characters; it must be 1 to {MOST_TASK}", name="task")
    interval, rest = _interval(task)
    span = _span(rest, interval)
    for name, value, most in (
        ("interval", interval, LONGEST_INTERVAL),
        ("span", span, LONGEST_SPAN),
    ):
        if value is not None and not SHORTEST_INTERVAL <= value <= most:
            raise ArgumentError(
                f"{name} is {value:g} s; it must be {SHORTEST_INTERVAL:g} to {most:g} s", name=name
            )
    if span is not None and interval is not None:
        steps = span / interval
        if not LEAST_STEPS <= round(steps) <= LONGEST_CHAIN:
            raise ArgumentError(
                f"the task's span is {span:g} s at an interval of {interval:g} s, {steps:.3g} steps; "
                f"it must be {LEAST_STEPS} to {LONGEST_CHAIN} steps",
                name="task",
            )
    return Stated(span, interval)


def _interval(task: str) -> tuple[float | None, str]:
    """The interval, and the task without the words that say it."""
    for pattern in (_PER, *_EVERY):
        found = pattern.search(task)
        if found:
            seconds = _seconds(found["n"], found["u"])
            if pattern is _PER:
                seconds = _seconds(None, found["u"]) / max(_amount(found["n"]), 1e-9)
            return seconds, task[: found.start()] + " | " + task[found.end() :]
    found = _RATE.search(task)
    if found:
        return _RATES[found[1].lower()], task[: found.start()] + " | " + task[found.end() :]
    found = _HERTZ.search(task)
    sampled = found and re.search(r"sampl|reading|record|rate", task, re.I)
    if found and sampled and float(found["n"]) > 0.0:
        hertz = float(found["n"]) * (1000.0 if found["k"] else 1.0)
        return 1.0 / hertz, task[: found.start()] + " | " + task[found.end() :]
    return None, task


def _span(rest: str, interval: float | None) -> float | None:
    found = _SPAN.search(rest)
    while found:
        if found["word"]:
            return 86400.0 if found["word"].lower() == "daily" else 604800.0
        if found["n"] is not None or _announced(rest[: found.start()]):
            return _seconds(found["n"], found["u"])
        found = _SPAN.search(rest, found.end())
    counted = _COUNT.search(rest)
    if counted and interval is not None:
        return _amount(counted["n"]) * interval
    return None


def _announced(before: str) -> bool:
    """Whether the words before a bare unit say that a duration follows: 'over the week'."""
    return bool(
        re.search(r"\b(?:for|over|during|covering|lasting)\s+(?:the\s+|about\s+)?$", before, re.I)
    )


def _amount(text: str | None) -> float:
    if text is None:
        return 1.0
    word = " ".join(text.lower().split())
    return _WORDS[word] if word in _WORDS else float(word.replace(",", "").strip() or 1.0)


def _seconds(amount: str | None, unit: str) -> float:
    for pattern, size in _UNITS:
        if re.fullmatch(pattern, unit, re.I):
            return round(_amount(amount) * size, 9)
    raise AssertionError(unit)
