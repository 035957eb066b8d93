"""What a task states about time in so many words: read, never guessed.

"... for one week, every 10 minutes" states a span of 604,800 s and an interval of 600 s. The language
model chooses what is left open; what is stated binds it, through the grammar.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from geng_cog.amounts import (
    FIGURES,
    GIVEN,
    NAMED_UNIT,
    NUMBER,
    SAMPLE,
    SIGNED,
    START,
    TIME,
    UNIT,
    duration,
    number,
    plain,
    unit_seconds,
)
from geng_edge.errors import ArgumentError
from geng_edge.request import LONGEST_CHAIN
from geng_edge.wire.answer import (
    LEAST_STEPS,
    LONGEST_INTERVAL,
    LONGEST_SPAN,
    MOST_TASK,
    SHORTEST_INTERVAL,
)

_PER = re.compile(rf"{START}(?P<n>{NUMBER}) {SAMPLE} ?(?:per|an?|each|every|/) ?(?P<u>{UNIT})")
_TIMES_WORDS = {"twice": 2.0, "thrice": 3.0}
_TIMES = re.compile(
    rf"(?:\b(?P<word>{'|'.join(_TIMES_WORDS)})|{START}(?P<n>{NUMBER}) times) "
    rf"(?:per|an?|each|every) (?P<u>{UNIT})"
)
_ORDINALS = {"other": 2.0, "2nd": 2.0, "third": 3.0, "3rd": 3.0}
_EVERY = re.compile(
    rf"\b(?:every|each|once (?:every|each|per|an?)|once) (?:(?P<o>{'|'.join(_ORDINALS)}) (?={UNIT}))?{TIME}"
)
#: What happens every 15 minutes is no sampling.
_HAPPENS = re.compile(
    r"\b(?:arrives?|cleaned|closes?|closed|comes?|cycles|cycling|defrosts?|departs?|emptied|fed|feeding|fills?|"
    r"fires?|flushes|flushed|happens?|happening|leaves?|milked|occurs?|occurring|opens?|opened|passes|"
    r"repeats?|repeating|restarts?|runs?|running|starts?|starting|stops?|stopping|switches|switching|"
    r"training|turns?|used|visited|watered)(?: (?:on|off|up|in|by))? $"
)
_STEPS = (
    re.compile(rf"\b(?:at|with|in|using) (?:an? )?{TIME}[ -]{{0,3}}(?:sampling )?"
               r"(?:intervals?|steps?|resolution|spacing|cadence|sampling|grid)\b"),
    re.compile(r"\b(?:interval|sampling|sampled|step|dt|resolution|cadence|spacing)\b ?"
               rf"(?:time|interval|rate|period|step)? ?(?:of|is|at|=|:)? ?{GIVEN}"),
    re.compile(rf"{GIVEN}[ -]{{1,3}}(?:sampling )?(?:intervals?|steps?|resolution|cadence|sampling)\b"),
    re.compile(rf"{GIVEN} apart\b"),
)  # fmt: skip
_RATES = {"hourly": 3600.0, "minutely": 60.0}
_RATE = re.compile(rf"\b(?:(?P<part>half|quarter)[ -])?(?P<rate>{'|'.join(_RATES)})\b")
_HERTZ = rf"{START}(?P<n>{FIGURES}) ?(?P<k>[km]?)hz\b"
_KILO = {"": 1.0, "k": 1e3, "m": 1e6}
_HERTZ_BOUND = (
    re.compile(r"(?:\bsampl\w*|\brate|\breadings?|\brecord\w*)(?: (?:rate|frequency))? ?"
               rf"(?:of|at|with|is|=|:)? ?{_HERTZ}"),
    re.compile(rf"{_HERTZ}[ -]?(?:sampl|rate\b|readings?\b|record)"),
)  # fmt: skip
_HERTZ_ANY = re.compile(_HERTZ)
#: "10 seconds at 200 Hz", but not "2 seconds at 50 Hz mains".
_HERTZ_OF_SPAN = re.compile(rf"{UNIT},? at {_HERTZ}(?= ?(?:$|[,.;)]|for\b|of\b|with\b))")
_MAINS = (50.0, 60.0)
_DRIVEN = re.compile(
    r"\b(?:driven|excited|mains|rotating|running|shaken|spinning|turning|vibrating)\b"
)
_HERTZ_FAST = re.compile(rf"\bat {_HERTZ}")
_SAMPLED = re.compile(r"\b(?:sampl|reading|record|rate\b)")
_AVERAGED = re.compile(rf"{GIVEN}[ -](?:averages?|averaged|means?|medians?)\b")
_BY_DAY = {"daily": 86400.0, "weekly": 604800.0, "monthly": 2592000.0}
#: "a daily cycle", "daily and weekly patterns": what recurs is no sampling.
_DAILY = re.compile(
    rf"(?<!\ba )(?<!\btwice )(?<!\btimes )\b(?P<rate>{'|'.join(_BY_DAY)})\b(?! (?:records?|logs?|and|or|"
    r"commut\w+|courses?|curves?|cycles?|cyclic\w*|fluctuations?|oscillations?|patterns?|peaks?|period\w*|"
    r"profiles?|rhythms?|routines?|seasonality|swings?|variations?|waves?)\b)"
)

_COUNT = re.compile(rf"{START}(?P<n>\d+) {SAMPLE}\b")
_SPAN = re.compile(
    rf"(?:{GIVEN}|(?<!\w)(?P<word>daily|weekly) (?:record|data|log|series)|\b(?P<night>overnight\b|"
    r"(?:for|over|during|of) (?:an?|one|the|1) (?:whole |entire )?night\b))"
)
#: From dusk to dawn.
_NIGHT = 43200.0
_LEAD = (
    r"(?:(?:an?|the) (?:period|span|course|duration|time) of )?"
    r"(?:(?:the|about|around|approximately|roughly|nearly|almost|some|past|last|next|first|exactly|"
    r"at least|up to) ){0,3}"
)
_ANNOUNCED = re.compile(
    r"\b(?:for|over|during|covering|lasting) "
    rf"(?:{_LEAD}{SIGNED}|(?:the )?(?:about |past )?(?P<bare>{NAMED_UNIT}))"
)
#: Durations that are of a thing and not of the record: an age, the window of a mean, a place in the record.
_OF_A_THING = re.compile(
    r"[ -](?:old|averaged|(?:(?:moving|rolling|running) )?(?:averages?|means?|medians?)|"
    r"cameras?|models?|printers?|printing|scanners?)\b"  # of "3D"
)
_BEFORE_A_THING = re.compile(r"\b(?:(?:periods?|cycles?) of|after|at) $")
#: "a 24-hour diner", "5 minute temperature data": taken for the span where nothing else is.
_ADJECTIVE = re.compile(
    rf"(?:{NUMBER}-{UNIT}|(?!1 )-?{FIGURES} (?:second|minute|hour|day|week|month|year)) "
    r"(?!(?:at|during|every|for|from|in|long|of|on|over|period|record|shift|span|with|window)\b)[a-z]"
)
_SHIFT = re.compile(r"[ -]shifts? [a-z]")


@dataclass(frozen=True)
class Stated:
    """Seconds that a task names; None where it names none."""

    span: float | None = None
    interval: float | None = None


def read_stated(task: str) -> Stated:
    """Read span and interval off a task.

    Of a range the finer interval and the longer span are read.

    Raises:
        ArgumentError: The task is no text of 1 to 2000 characters, or its times contradict each other.
    """
    size = len(task) if task.strip() else 0
    if not 1 <= size <= MOST_TASK:
        raise ArgumentError(f"task is {size} characters; it must be 1 to {MOST_TASK}", name="task")
    interval, rest = _interval(plain(task))
    span = _span(rest, interval)
    if interval is None:
        interval = _resolution(rest, span)
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


def _interval(text: str) -> tuple[float | None, str]:
    """The interval, and the text without the words that say how often something is."""
    found = _PER.search(text)
    if found:
        return _share(found["u"], number(found["n"])), _without(text, [found.span()])
    every, rest = _every(text)
    if every is not None:
        return every, rest
    times, rest = _times(rest)
    if times is not None:
        return times, rest
    for pattern in _STEPS:
        found = pattern.search(rest)
        if found:
            seconds, end = duration(found)
            return seconds, _without(rest, [(found.start(), max(end, found.end()))])
    found = _RATE.search(rest)
    if found:
        part = {"half": 0.5, "quarter": 0.25, None: 1.0}[found["part"]]
        return _RATES[found["rate"]] * part, _without(rest, [found.span()])
    found = _hertz(rest)
    if found:
        hertz = number(found["n"]) * _KILO[found["k"]]
        return 1.0 / hertz, _without(rest, [(found.start("n"), found.end())])
    return None, rest


def _every(text: str) -> tuple[float | None, str]:
    """The interval that an 'every' says: the last one with a number, or else the first."""
    spans: list[tuple[int, int]] = []
    bare: list[float] = []
    numbered: list[float] = []
    for found in _EVERY.finditer(text):
        seconds, end = duration(found)
        spans.append((found.start(), max(end, found.end())))
        if _sampling(text, found.start()):
            seconds *= _ORDINALS.get(found["o"] or "", 1.0)
            (numbered if found["n"] or found["o"] else bare).append(seconds)
    told = numbered[-1:] or bare[:1]
    return (told[0] if told else None), _without(text, spans)


def _times(text: str) -> tuple[float | None, str]:
    """The interval that 'twice a day' or '4 times per hour' says."""
    matches = list(_TIMES.finditer(text))
    told = [
        _share(m["u"], _TIMES_WORDS.get(m["word"]) or number(m["n"]))
        for m in matches
        if _sampling(text, m.start())
    ]
    return (told[0] if told else None), _without(text, [m.span() for m in matches])


def _share(unit: str, times: float) -> float:
    """Seconds between two of so many times in a unit."""
    return unit_seconds(unit) / times if times > 0.0 else math.inf


def _sampling(text: str, at: int) -> bool:
    """Whether what stands there is said of samples, not of something that happens so often."""
    return not _HAPPENS.search(text[max(0, at - 20) : at])


def _hertz(text: str) -> re.Match[str] | None:
    """The frequency that is one of sampling: mains and rotors have theirs too."""
    every = [m for m in _HERTZ_ANY.finditer(text) if number(m["n"]) > 0.0]
    if not every:
        return None
    for pattern in _HERTZ_BOUND:
        bound = pattern.search(text)
        if bound and number(bound["n"]) > 0.0:
            return bound
    after = _HERTZ_OF_SPAN.search(text)
    if after and number(after["n"]) not in (0.0, *_MAINS) and not _DRIVEN.search(text):
        return after
    fast = _HERTZ_FAST.search(text)
    if fast and fast["k"] and [m.start() for m in every] == [fast.start("n")]:
        return fast
    return every[0] if _SAMPLED.search(text) else None


def _resolution(text: str, span: float | None) -> float | None:
    """The interval of '5-minute averages' and 'daily temperature', which the span must hold often enough."""
    found = _AVERAGED.search(text)
    if found:
        seconds, _ = duration(found)
        return seconds if span is None or span >= LEAST_STEPS * seconds else None
    by_day = _DAILY.search(text)
    if by_day and span is not None and span >= LEAST_STEPS * _BY_DAY[by_day["rate"]]:
        return _BY_DAY[by_day["rate"]]
    return None


def _span(rest: str, interval: float | None) -> float | None:
    """The duration that is announced, or else the first, or else what the samples add up to."""
    spans = [*_durations(_ANNOUNCED, rest), *_durations(_SPAN, rest)]
    if spans:
        # Of equals the first; an adjective only where nothing else says a duration.
        return min(spans, key=lambda told: told[0])[1]
    counted = _COUNT.search(rest)
    if counted and interval is not None:
        return number(counted["n"]) * interval
    return None


def _durations(pattern: re.Pattern[str], text: str) -> list[tuple[bool, float]]:
    """Every duration of the record that the pattern finds: whether it is an adjective, and its seconds."""
    told = []
    for found in pattern.finditer(text):
        if found.groupdict().get("night"):
            told.append((True, _NIGHT))  # any duration that is given in figures comes first
            continue
        alone = found.groupdict().get("bare") or found.groupdict().get("word")
        if alone:
            told.append((False, _BY_DAY.get(alone) or unit_seconds(alone)))
            continue
        seconds, end = duration(found, longest=True)
        before = text[max(0, found.start() - 20) : found.start()]
        announced = pattern is _ANNOUNCED
        if _OF_A_THING.match(text, end) or (not announced and _BEFORE_A_THING.search(before)):
            continue
        shift = None if announced else _SHIFT.match(text, end)
        told.append((bool(shift or _ADJECTIVE.match(text, found.start("n"))), seconds))
    return told


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text without these parts of it, which are in order."""
    kept, at = [], 0
    for start, end in spans:
        kept += [text[at:start], " | "]
        at = end
    return "".join((*kept, text[at:]))
