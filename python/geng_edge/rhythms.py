"""Lengths of time and rates that are said in more than a number and its unit.

"twice a day", "every other week", "half an hour", "1 h 30 min", "12 cycles in the window". What is a
number with a unit behind it is found by :mod:`geng_edge.numbers`, which takes these in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from geng_edge.number_words import (
    DENOMINATORS,
    SAMPLED,
    SECONDS,
    VULGAR,
    either,
    plain,
    spelled,
)
from geng_edge.rhythm_words import (
    ABOUT,
    ALTOGETHER,
    COUNT,
    CYCLES,
    FULL,
    HABITS,
    LARGEST_OF,
    LASTS,
    LENGTHS,
    NTH,
    OF_A_DAY,
    OF_A_WEEK,
    OF_A_YEAR,
    OFTEN,
    PER,
    PER_TIME,
    SHARES,
    SIZED,
    STEP,
    TIME,
    TIMES,
    UNIT,
    WINDOW,
)


class Rhythm(NamedTuple):
    """A length of time in a text.

    Attributes:
        start, end: Characters that spell it.
        until: The last of those that belong to it; no other number is in them.
        value: Cycles in a stretch of time; 1 where a length is spelled.
        seconds, steps: How long it, or one cycle, is: one of them is None.
        rate: Whether cycles are counted.
        recurs: Whether it says that something comes back so often; "half an hour" may be how long it lasts.
    """

    start: int
    end: int
    until: int
    value: float
    seconds: float | None
    steps: float | None
    rate: bool
    recurs: bool


Match = re.Match[str]
Reader = Callable[[Match, int], Rhythm | None]

#: A bare count of cycles is taken for one of the whole window from 3 on: "two cycles" may be two kinds.
_LEAST_BARE = 3.0


def _begins(pattern: str) -> str:
    return rf"(?<![\w.-])(?<!\d,)(?<!minus )(?<!negative )(?:{pattern})"


def _value(said: str) -> float:
    return float(said) if said[0].isdigit() else spelled(plain(said))


_RECURS = re.compile(r"every|each|.*ly$", re.IGNORECASE)


def _length(match: Match, name: str | int, seconds: float, recurs: bool = False) -> Rhythm:
    start, end = match.span(name)
    recurs = recurs or _RECURS.match(match[0]) is not None
    return Rhythm(start, end, match.end(), 1.0, seconds, None, rate=False, recurs=recurs)


def _spelled(match: Match, name: str, value: float, seconds: float) -> Rhythm | None:
    """A length whose number, to the end of the group ``name``, is ``value``."""
    if seconds <= 0.0:
        return None
    recurs = _RECURS.match(match[0]) is not None
    return Rhythm(
        match.start(), match.end(name), match.end(), value, seconds, None, rate=False, recurs=recurs
    )


def _rate(match: Match, count: float, seconds: float) -> Rhythm | None:
    """``count`` cycles in so many seconds; its number is the group ``n``."""
    if count <= 0.0 or seconds <= 0.0:
        return None
    start, end = match.span("n")
    return Rhythm(start, end, match.end(), count, seconds / count, None, rate=True, recurs=True)


def _count(match: Match, count: float, steps: float) -> Rhythm | None:
    """``count`` cycles in so many steps."""
    if count <= 0.0 or steps <= 0.0:
        return None
    start, end = match.span("n")
    return Rhythm(start, end, match.end(), count, None, steps / count, rate=True, recurs=True)


def _word(match: Match, _: int) -> Rhythm:
    return _length(match, 0, LENGTHS[plain(match[0])])


def _every_nth(match: Match, _: int) -> Rhythm | None:
    nth = plain(match["nth"])
    count = float(NTH[nth] if nth in NTH else re.sub(r"\D", "", nth))
    if count <= 0.0:
        return None
    if match["unit"]:
        return _length(match, 0, count * SECONDS[plain(match["unit"])])
    return Rhythm(*match.span(), match.end(), 1.0, None, count, rate=False, recurs=True)


def _every_part(match: Match, _: int) -> Rhythm:
    shares = {"h": 0.5, "q": 0.25, "c": 2.0}  # half, quarter, couple
    return _length(match, 0, shares[plain(match["part"])[0]] * SECONDS[plain(match["unit"])])


def _and_a_half(match: Match, _: int) -> Rhythm:
    return _length(match, 0, 1.5 * SECONDS[plain(match["unit"])])


def _habit(match: Match, _: int) -> Rhythm:
    unit = match["unit"] or ("day" if match["time"] else "year" if match["season"] else "week")
    return _length(match, 0, SECONDS[plain(unit)])


def _in_times(match: Match, _: int) -> Rhythm | None:
    """Twice a day, three times daily, 3x per hour, 6 times in 10 minutes."""
    often, many = match["often"], match["many"]
    size = OFTEN[plain(often)] if often else SECONDS[plain(match["unit"] or match["units"])]
    size *= _value(many) if many else 1.0
    if match["adverb"]:
        if many and plain(match["adverb"]) == "once":  # "once every 9 s" has its number
            return None
        times = TIMES[plain(match["adverb"])]
        return _length(match, 0, size / times, recurs=True) if size > 0.0 else None
    return _rate(match, _value(match["n"]), size)


def _hourly(match: Match, _: int) -> Rhythm | None:
    count = _value(match["n"])
    return _spelled(match, "n", count, count * OFTEN[plain(match["often"])])


def _fraction(match: Match, _: int) -> Rhythm | None:
    """1/2 hour, 1 1/2 hours, ¾ h, 1/4-hourly; of "8/12 hours" each is a number."""
    share = VULGAR.get(match["share"], 0.0)
    if match["of"]:
        part, of = int(match["part"]), int(match["of"])
        if part >= of or math.gcd(part, of) > 1 or (part > 1 and of > LARGEST_OF):
            return None
        share = part / of
    value = float(match["whole"] or 0.0) + share
    size = OFTEN[plain(match["often"])] if match["often"] else SECONDS[plain(match["unit"])]
    return _spelled(match, "share", value, value * size)


def _part(match: Match, _: int) -> Rhythm:
    said = plain(match["part"])
    share = 0.75 if said.startswith("three") else 1.0 / DENOMINATORS[said]
    return _length(match, 0, share * SECONDS[plain(match["unit"])])


def _compound(match: Match, _: int) -> Rhythm | None:
    """1 h 30 min."""
    small = plain(match["small"])
    big, small_size = SECONDS[plain(match["big"])], SECONDS["min" if small == "m" else small]
    seconds = float(match["whole"]) * big + float(match["rest"]) * small_size
    return _spelled(match, "rest", seconds / big, seconds) if small_size < big else None


def _clock(match: Match, _: int) -> Rhythm | None:
    """1:30 h."""
    value = float(match["whole"]) + float(match["rest"]) / 60.0
    return _spelled(match, "rest", value, value * SECONDS[plain(match["big"])])


def _window_part(match: Match, length: int) -> Rhythm:
    start, end = match.span("said")
    steps = length / DENOMINATORS[plain(match["part"])]
    return Rhythm(start, end, match.end(), 1.0, None, steps, rate=False, recurs=False)


def _cycles_in(match: Match, _: int) -> Rhythm | None:
    """4 cycles in 10 minutes, a peak per hour, 5 waves per 100 samples."""
    said, many = plain(match["n"]), match["many"]
    size = _value(many) if many else 1.0
    if match["steps"]:
        return None if said in ("a", "an", "one", "single") else _count(match, _value(said), size)
    size *= SECONDS[plain(match["unit"])]
    if said in ("a", "an", "one", "single"):  # as "every hour"; "one every 9 s" has its number
        return None if many else _length(match, "rate", size, recurs=True)
    if _value(said) == 1.0 and many:
        return None
    return _rate(match, _value(said), size)


def _cycles_in_all(match: Match, length: int) -> Rhythm | None:
    return _count(match, _value(match["n"]), float(length))


_NO_COUNT = re.compile(r"\b(?:every|after|each|for|of|than|about|charg\w+)\s$", re.IGNORECASE)


def _bare_cycles(match: Match, length: int) -> Rhythm | None:
    """12 cycles, with nothing said of how long they take."""
    start, count = match.start(), _value(match["n"])
    if _NO_COUNT.search(match.string[max(start - 12, 0) : start]):
        return None
    if not (_LEAST_BARE <= count <= length / 2 and count == int(count)):
        return None
    return _count(match, count, float(length))


def _plain_rate(match: Match, _: int) -> Rhythm | None:
    return _rate(match, _value(match["n"]), SECONDS[plain(match["unit"])])


def _single(match: Match, _: int) -> Rhythm:
    return _length(match, "one", SECONDS[plain(match["unit"])])


#: Patterns and their readers; of two that begin at one place, the first listed is taken.
_KINDS: tuple[tuple[str, Reader], ...] = (
    (_begins(rf"(?:{either(LENGTHS)})(?!\w)(?!{SAMPLED})"), _word),
    # every other day, each 3rd hour, every 60th sample
    (
        _begins(
            rf"(?:every|each) (?P<nth>{either(NTH)}|\d+(?:st|nd|rd|th)) {FULL}?"
            rf"(?:(?P<unit>{UNIT})s?\b|{STEP})"
        ),
        _every_nth,
    ),
    # every half hour, each quarter of an hour, every couple of minutes
    (
        _begins(
            r"(?:every|each) (?:(?P<part>half|quarter|couple)(?:[ -]of)?(?:[ -]an?)?[ -])"
            rf"(?P<unit>{UNIT})s?\b"
        ),
        _every_part,
    ),
    (_begins(rf"(?:every|each|an?|one) (?P<unit>{UNIT}) and a half\b"), _and_a_half),
    (
        _begins(
            rf"(?:every|each) (?:{FULL}(?P<unit>{UNIT})|(?P<time>{OF_A_DAY})|(?P<season>{OF_A_YEAR})"
            rf"|{OF_A_WEEK})\b"
        ),
        _habit,
    ),
    (
        _begins(
            rf"(?:(?P<adverb>{either(TIMES)})|(?P<n>{COUNT})[ -]?(?:times|x)(?! 10))[ -]?"
            rf"(?:(?P<often>{either(OFTEN)})|{PER}[ -]?{FULL}?(?P<unit>{UNIT})"
            rf"|(?:{PER}|in|over|within) (?P<many>{COUNT})[ -](?P<units>{UNIT})s?)\b"
        ),
        _in_times,
    ),
    # 12-hourly, 4 hourly, but neither "a lesser one daily" nor "two daily peaks"
    (
        _begins(
            rf"(?P<n>{COUNT}(?=-)|\d+(?= hourly))[ -](?P<often>{either(OFTEN)})\b(?!{SAMPLED})"
        ),
        _hourly,
    ),
    # 1/2 hour, 1 1/2 hours, 1/4 of an hour, 1½ h, but neither 1/2/2024 nor 1/2 h/day
    (
        _begins(
            rf"(?<!/)(?:(?P<whole>[1-9]\d{{0,2}})(?:[ -]|(?=[{SHARES}])))?"
            rf"(?P<share>(?P<part>[1-9]\d?)/(?P<of>[1-9]\d{{0,3}})|[{SHARES}])"
            rf"(?:(?: of)?(?: an?)?[ -]?(?P<unit>{TIME})|[ -](?P<often>{either(OFTEN)})\b(?!{SAMPLED}))"
        ),
        _fraction,
    ),
    # half an hour, three quarters of an hour, a half-hour, a tenth of a second
    (
        _begins(
            r"(?:an? |one )?(?P<part>half|quarter|three[ -]quarters)(?:[ -]of)?"
            rf"(?:[ -]an?)?[ -](?P<unit>{UNIT})\b"
        ),
        _part,
    ),
    (_begins(rf"(?:an?|one) (?P<part>{either(DENOMINATORS)}) of an? (?P<unit>{UNIT})\b"), _part),
    (
        _begins(
            r"(?P<whole>\d+) ?(?P<big>h|hr|hrs|hours?|min|mins|minutes?|d|days?) ?(?P<rest>[0-5]?\d) ?"
            r"(?P<small>min|mins|minutes?|m|s|sec|secs|seconds?|h|hours?)(?![\w/²³^])"
        ),
        _compound,
    ),
    # 1:30 h, 2:15 min, 1h30
    (
        _begins(
            r"(?P<whole>\d{1,3}):(?P<rest>[0-5]\d) ?(?P<big>h|hrs?|hours?|mins?|minutes?)(?!\w)"
        ),
        _clock,
    ),
    (_begins(r"(?P<whole>\d{1,3})(?P<big>h)(?P<rest>[0-5]\d)(?![\w:])"), _clock),
    (
        _begins(
            rf"(?P<said>(?:an?|one) (?P<part>{either(DENOMINATORS)}) of (?=(?:the|this|our)\b){WINDOW})"
        ),
        _window_part,
    ),
    (
        _begins(rf"{LASTS}(?P<said>(?P<part>half) (?:of )?(?=(?:the|this|our)\b){WINDOW})"),
        _window_part,
    ),
    (
        _begins(
            rf"(?P<n>{COUNT}|an?|single) {CYCLES} ?(?P<rate>(?:(?:per|an?|in|over|within|during"
            r"|for every|every|each|in every|in each|in an?) |/ ?)"
            rf"(?P<many>{COUNT}(?=[ -]))?[ -]?{FULL}?(?:(?P<unit>{TIME})|(?P<steps>{STEP})))"
        ),
        _cycles_in,
    ),
    # two showers a day, 3 starts per hour
    (
        _begins(rf"(?<!to )(?<!and )(?P<n>{COUNT}) {HABITS} ?{PER_TIME}"),
        _plain_rate,
    ),
    (
        _begins(rf"(?P<n>{COUNT}) (?:(?:{CYCLES}|times) {ALTOGETHER}|per {WINDOW})"),
        _cycles_in_all,
    ),
    # number of cycles: 12
    (
        _begins(
            r"(?:(?:number|no\.|count|#) of )?(?:cycles|periods|oscillations|repetitions|waves)"
            r"(?: count)?[\"\']? ?[:=] ?(?P<n>\d+)(?= ?(?:[,;|)}\n]|\.(?!\d)|$))"
        ),
        _bare_cycles,
    ),
    # it repeats itself 8 times
    (
        (
            rf"\b(?:repeats?|recurs?|returns?|comes back|oscillates|cycles|wiggles|swings)(?: itself)?"
            rf" {ABOUT}?(?P<n>{COUNT}) times\b(?! ?{PER}\b)"
        ),
        _cycles_in_all,
    ),
    (
        _begins(
            rf"(?P<n>{COUNT}) {CYCLES}(?<=[sa])\b"
            r"(?! ?(?:per|each|every|an?|in|over|within|long|apart|or|to)\b)(?! ?[:=-])"
            rf"(?! of {SIZED})(?!(?:(?<=periods)|(?<=bursts)|(?<=peaks)) of\b)"
        ),
        _bare_cycles,
    ),
    # a beat of roughly 3 per minute
    (
        _begins(
            r"(?:(?:heartbeat|beat|rhythm|cycle|oscillation|frequency|freq\.?|pulse|wave|swing)s?"
            r"|(?:breath|puls|beat|turn|spinn|rotat|vibrat|oscillat|blink|swing)ing)[,:;]? "
            rf"(?:(?:at|of|with|an?|rate of|is|=|{ABOUT.strip()}) ?)*(?P<n>{COUNT}) ?{PER_TIME}"
        ),
        _plain_rate,
    ),
    (
        _begins(rf"{LASTS}(?P<one>an? (?:full |whole |single )?(?P<unit>{UNIT}))(?![\w-]| and a)"),
        _single,
    ),
)


@cache
def _compiled() -> tuple[tuple[re.Pattern[str], Reader], ...]:
    # When first needed: it takes half as long as importing the package.
    return tuple((re.compile(pattern, re.IGNORECASE), read) for pattern, read in _KINDS)


def find_rhythms(text: str, length: int) -> list[Rhythm]:
    """The lengths and rates of ``text``, in order, none over another.

    Args:
        text: Any text.
        length: Steps of the window that a count of cycles is about.
    """
    found = [
        (match.start(), order, rhythm)
        for order, (pattern, read) in enumerate(_compiled())
        for match in pattern.finditer(text)
        if (rhythm := read(match, length)) is not None
    ]
    out: list[Rhythm] = []
    for _, _, rhythm in sorted(found, key=lambda one: one[:2]):
        if not out or rhythm.start >= out[-1].until:
            out.append(rhythm)
    return out
