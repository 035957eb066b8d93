"""Lengths of time and rates that are said in more than a number and its unit.

"twice a day", "every other week", "half an hour", "1 h 30 min", "12 cycles in the window". What is a
number with a unit behind it is found by :mod:`geng_edge.numbers`, which takes these in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from geng_edge.number_words import SAMPLED, SECONDS, WORD, either, plain, spelled


class Rhythm(NamedTuple):
    """A length of time in a text.

    Attributes:
        start, end: Characters that spell it.
        until: The last of those that belong to it; no other number is in them.
        value: Cycles in a stretch of time; 1 where a length is spelled.
        seconds, steps: How long it, or one cycle, is: one of them is None.
        rate: Whether cycles are counted.
    """

    start: int
    end: int
    until: int
    value: float
    seconds: float | None
    steps: float | None
    rate: bool


_ORDINALS = {"other": 2, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "tenth": 10}
_TIMES = {"once": 1.0, "twice": 2.0, "thrice": 3.0}
_OFTEN = {"hourly": 3600.0, "daily": 86400.0, "weekly": 604800.0, "monthly": 2592000.0,
          "yearly": 31536000.0}  # fmt: skip
_DAYTIMES = ("morning", "night", "evening", "afternoon", "noon", "midday", "midnight", "dawn",
             "sunrise", "sunset")  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
             "weekend")  # fmt: skip
_WORDS = {
    "half-hourly": 1800.0, "half hourly": 1800.0, "quarter-hourly": 900.0, "quarter hourly": 900.0,
    "half-daily": 43200.0, "half-yearly": 15768000.0, "semi-diurnal": 43200.0,
    "semidiurnal": 43200.0, "fortnightly": 1209600.0, "every fortnight": 1209600.0,
    "each fortnight": 1209600.0, "a fortnight": 1209600.0,
}  # fmt: skip

_WHOLES = ("second", "minute", "hour", "day", "week", "month", "year")
_WHOLE = rf"(?:{'|'.join(_WHOLES)})"
_TIME = rf"(?:{either(SECONDS)})(?![A-Za-z/²³^])"
_N = rf"(?:\d+(?:\.\d+)?|{WORD})"
_MUCH = r"(?:single |whole |full |complete |working |calendar |passing )"
_CYCLE = (
    r"(?:(?:full|complete|whole|entire|regular|clear|distinct|equal|identical|big|small) )?"
    r"(?:cycle|oscillation|wave|period|repetition|repeat|hump|swing|round|rotation|pulse"
    r"|peak|beat|turn|stroke|crest|maximum|maxima|loop|lap|burst|undulation|vibration)s?"
)
_COUNTED = (
    r"(?:(?:the|this|a|one|our|each|it)(?= ) ?)?(?:(?:whole|entire|full|complete|given|time) )?"
    r"(?:window|record|recording|series|trace|plot|chart|graph|picture|data ?set|data|sequence|run"
    r"|file|log|signal|span|display|screen|session|total|all|it)\b"
)
_IN = r"(?:in|over|across|within|during|through|throughout|along|per|inside|on|into|to)"
_ALTOGETHER = (
    rf"(?:{_IN} {_COUNTED}|total\b|altogether\b|overall\b|all told\b|end to end\b"
    r"|from (?:start|beginning|end|one end|left|first) to (?:finish|end|right|the other|last))"
)
_OF_A_LENGTH = (
    r"(?! ?(?:of|per|each|every|an?|in|over|within|long|apart|or|to)\b)(?! ?[:=-])"
)
_LONG = (
    r"(?:takes?|taking|lasts?|lasting|of|is|needs?|about|around|roughly|after|within|exactly|[:=])"
)
_ABOUT = r"(?:at|of|with|an?|rate of|about|around|roughly|some|is|=|approximately|approx\.?|nearly)"
_SHARES = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}

_RHYTHM = re.compile(
    rf"(?<![\w.-])(?:"
    rf"(?P<word>{either(_WORDS)})(?!\w)(?!{SAMPLED})"
    # every other day, each 3rd hour, every half hour, every quarter of an hour
    rf"|(?P<every>(?:every|each) (?:(?P<nth>{either(_ORDINALS)}|\d+(?:st|nd|rd|th)) {_MUCH}?"
    rf"|(?P<part>(?:half|quarter)(?:[ -]of)?(?:[ -]an?)?[ -])|(?P<couple>couple of ))"
    rf"(?P<everywhat>{_WHOLE})s?)\b"
    rf"|(?P<andahalf>(?:every|each|an?|one) (?P<andahalfwhat>{_WHOLE}) and a half)\b"
    rf"|(?P<habit>(?:every|each) (?:{_MUCH}(?P<habitwhat>{_WHOLE})|(?P<daytime>{'|'.join(_DAYTIMES)})"
    rf"|(?P<weekday>{'|'.join(_WEEKDAYS)})))\b"
    # twice a day, three times daily, 3x per hour, once every working day
    rf"|(?P<times>{either(_TIMES)}|{_N} ?(?:times|x)(?! 10)) ?(?:(?P<timesoften>{either(_OFTEN)})\b"
    rf"|(?:per|an?|each|every|/) ?{_MUCH}?(?P<timeswhat>{_WHOLE})\b)"
    rf"|(?P<hourly>{_N})-(?P<hourlywhat>{either(_OFTEN)})\b"
    # half an hour, a quarter of an hour, a half-hour
    rf"|(?P<share>(?:an? |one )?(?:half|(?P<three>three[ -])?quarters?)(?:[ -]of)?(?:[ -]an?)?[ -](?P<sharewhat>{_WHOLE}))\b"
    # 1 h 30 min
    rf"|(?P<hours>\d+) ?(?P<hoursunit>h|hr|hrs|hours?|min|mins|minutes?|d|days?) ?"
    rf"(?P<minutes>[0-5]?\d) ?(?P<minutesunit>min|mins|minutes?|m|s|sec|secs|seconds?|h|hours?)(?![\w/²³^])"
    # a tenth of the window
    rf"|(?P<windowshare>(?:an?|one) (?P<windowpart>{either(_SHARES)}) of (?=(?:the|this|our)\b){_COUNTED})"
    # 4 cycles in 10 minutes, a peak per hour, 12 oscillations in the window
    rf"|(?P<count>{_N}|an?|single) {_CYCLE} ?(?:"
    rf"(?P<rate>(?:(?:per|an?|in|over|within|during|for every|every|each|in every|in each|in an?) |/ ?)"
    rf"(?P<many>{_N}[ -]?)?{_MUCH}?(?P<ratewhat>{_TIME}))"
    rf"|(?P<total>{_ALTOGETHER})"
    rf"|(?P<bare>\b{_OF_A_LENGTH}))"
    rf"|(?:beat|rhythm|cycle|oscillation|frequency|pulse|wave|swing)s?[,:;]? (?:{_ABOUT} )*"
    rf"(?P<plain>{_N}) (?:per|an?|each|every|/) ?(?P<plainwhat>{_WHOLE})\b"
    rf"|(?P<repeats>(?:{_N}) times) (?P<repeatstotal>{_ALTOGETHER})"
    rf"|{_LONG} (?:about |around |roughly |exactly )?(?P<one>an? (?:full |whole |single )?(?P<onewhat>{_WHOLE}))(?![\w-]| and a)"
    rf")",
    re.IGNORECASE,
)
_NOT_COUNTED = re.compile(
    r"\b(?:every|after|each|for|of|than|battery|charge|charging|about)\s$", re.IGNORECASE
)
#: A bare count of cycles is taken for one of the whole window from 3 on: "two cycles" may be two kinds.
_LEAST_BARE = 3.0


def find_rhythms(text: str, length: int) -> Iterator[Rhythm]:
    """The lengths and rates of ``text``, in order.

    Args:
        text: Any text.
        length: Steps of the window that a count of cycles is about.
    """
    for match in _RHYTHM.finditer(text):
        found = _rhythm(match, text, length)
        if found is not None:
            yield found


def _rhythm(match: re.Match[str], text: str, length: int) -> Rhythm | None:
    for name, read in _READERS.items():
        if match[name]:
            return read(match, text, length)
    return None


def _spelled_length(match: re.Match[str], name: str, seconds: float) -> Rhythm:
    start, end = match.span(name)
    return Rhythm(start, end, match.end(), 1.0, seconds, None, rate=False)


def _word(match: re.Match[str], _text: str, _length: int) -> Rhythm:
    return _spelled_length(match, "word", _WORDS[plain(match["word"])])


def _every(match: re.Match[str], _text: str, _length: int) -> Rhythm | None:
    size = SECONDS[plain(match["everywhat"])]
    if match["part"]:
        share = 0.5 if plain(match["part"]).startswith("half") else 0.25
    elif match["couple"]:
        share = 2.0
    else:
        nth = plain(match["nth"])
        share = float(_ORDINALS[nth] if nth in _ORDINALS else re.sub(r"\D", "", nth))
    return _spelled_length(match, "every", share * size) if share > 0.0 else None


def _and_a_half(match: re.Match[str], _text: str, _length: int) -> Rhythm:
    return _spelled_length(match, "andahalf", 1.5 * SECONDS[plain(match["andahalfwhat"])])


def _habit(match: re.Match[str], _text: str, _length: int) -> Rhythm:
    if match["habitwhat"]:
        return _spelled_length(match, "habit", SECONDS[plain(match["habitwhat"])])
    return _spelled_length(match, "habit", SECONDS["day" if match["daytime"] else "week"])


def _times(match: re.Match[str], _text: str, _length: int) -> Rhythm | None:
    said = plain(match["times"])
    often = match["timesoften"]
    size = _OFTEN[plain(often)] if often else SECONDS[plain(match["timeswhat"])]
    if said in _TIMES:
        count = _TIMES[said]
        return Rhythm(*match.span(), match.end(), 1.0, size / count, None, rate=False)
    number = re.sub(r" ?(?:times|x)$", "", said)
    start = match.start("times")
    return _rate(start, start + len(number), match.end(), number, size)


def _rate(start: int, end: int, until: int, said: str, seconds: float) -> Rhythm | None:
    count = _value(said)
    if count <= 0.0:
        return None
    return Rhythm(start, end, until, count, 1.0 / (count / seconds), None, rate=True)


def _value(said: str) -> float:
    return float(said) if said[0].isdigit() else spelled(plain(said))


def _hourly(match: re.Match[str], _text: str, _length: int) -> Rhythm | None:
    count = _value(match["hourly"])
    size = _OFTEN[plain(match["hourlywhat"])]
    if count <= 0.0:
        return None
    return Rhythm(*match.span("hourly"), match.end(), count, count * size, None, rate=False)


def _share(match: re.Match[str], _text: str, _length: int) -> Rhythm:
    size = SECONDS[plain(match["sharewhat"])]
    share = 0.75 if match["three"] else 0.5 if "half" in plain(match["share"]) else 0.25
    return _spelled_length(match, "share", share * size)


def _hours_and_minutes(match: re.Match[str], _text: str, _length: int) -> Rhythm | None:
    big = SECONDS[plain(match["hoursunit"])]
    unit = plain(match["minutesunit"])
    small = SECONDS["min" if unit == "m" else unit]
    if small >= big:
        return None
    seconds = float(match["hours"]) * big + float(match["minutes"]) * small
    if seconds <= 0.0:
        return None
    end = match.end("minutes")
    return Rhythm(match.start(), end, match.end(), seconds / big, seconds, None, rate=False)


def _window_share(match: re.Match[str], _text: str, length: int) -> Rhythm:
    start, end = match.span("windowshare")
    steps = length / _SHARES[plain(match["windowpart"])]
    return Rhythm(start, end, match.end(), 1.0, None, steps, rate=False)


def _count(match: re.Match[str], text: str, length: int) -> Rhythm | None:
    said = plain(match["count"])
    count = 1.0 if said in ("a", "an", "single") else _value(said)
    start, end = match.span("count")
    if match["rate"]:
        many = match["many"]
        size = SECONDS[plain(match["ratewhat"])] * (_value(many.strip(" -")) if many else 1.0)
        if size <= 0.0 or (count == 1.0 and many):  # "one cycle every 9 s" has its number
            return None
        if not said[0].isdigit() and count == 1.0:  # as "every hour" is said
            return _spelled_length(match, "rate", size)
        return _rate(start, end, match.end(), said, size)
    if match["bare"] is not None and not match["total"]:
        before = text[max(start - 12, 0) : start]
        if not _LEAST_BARE <= count <= length / 2 or _NOT_COUNTED.search(before):
            return None
    if count < 1.0:
        return None
    return Rhythm(start, end, match.end(), count, None, length / count, rate=True)


def _plain_rate(match: re.Match[str], _text: str, _length: int) -> Rhythm | None:
    start, end = match.span("plain")
    size = SECONDS[plain(match["plainwhat"])]
    return _rate(start, end, match.end(), match["plain"], size)


def _repeats(match: re.Match[str], _text: str, length: int) -> Rhythm | None:
    said = plain(match["repeats"]).removesuffix(" times")
    count, start = _value(said), match.start("repeats")
    if count <= 0.0:
        return None
    return Rhythm(start, start + len(said), match.end(), count, None, length / count, rate=True)


def _one(match: re.Match[str], _text: str, _length: int) -> Rhythm:
    return _spelled_length(match, "one", SECONDS[plain(match["onewhat"])])


_READERS = {
    "word": _word,
    "every": _every,
    "andahalf": _and_a_half,
    "habit": _habit,
    "times": _times,
    "hourly": _hourly,
    "share": _share,
    "hours": _hours_and_minutes,
    "windowshare": _window_share,
    "count": _count,
    "plain": _plain_rate,
    "repeats": _repeats,
    "one": _one,
}
