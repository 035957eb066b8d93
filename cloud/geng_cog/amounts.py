"""Amounts of time in a text: '90 s', 'twenty-four hours', '1,5 h', '1/2 day', '2 weeks and 3 days'.

:func:`plain` writes every number of a text in figures; the patterns are for such a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_ONES = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
}  # fmt: skip
_TEENS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
_WORDS = {**_ONES, **_TEENS, **_TENS, "a": 1, "an": 1}
_PARTS = {"half": 0.5, "quarter": 0.25, "quarters": 0.25}
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
    # A quarter of the way is no three months.
    (r"quarters?(?! of\b)", 7776000.0),
    (r"years?", 31536000.0),
)


def _any(words: Iterable[str]) -> str:
    return "|".join(words)


SAMPLE = r"(?:samples?|readings?|values?|points?|measurements?|rows?|records?|data points?)"
UNIT = rf"(?:{_any(u for u, _ in _UNITS)})\b(?!-ahead)"
#: Units that may stand without a number: 'over the week'.
NAMED_UNIT = (
    r"(?:seconds?|minutes?|hours?|days?|weeks?|fortnights?|weekends?|months?|quarters?|years?)"
    r"\b(?!-ahead)"
)
#: Where a number may begin: what is read is never the tail of a longer one.
START = r"(?<![\w.])(?<!\d[,/-])"
FIGURES = r"(?:\d+(?:\.\d+)?|\.\d+)"
NUMBER = rf"(?:{FIGURES}|(?:an?|one)(?=[ -]))"
_AMOUNT = rf"{NUMBER})(?:(?: to | or |-)(?P<m>{FIGURES}))?[ -]{{0,3}}"
#: Number and unit: groups ``n``, ``m`` where it is a range, and ``u``.
GIVEN = rf"{START}(?P<n>{_AMOUNT}(?P<u>{UNIT})"
#: The same, that may be below zero: after 'for' and 'every' a minus is one.
SIGNED = rf"(?P<n>-?{_AMOUNT}(?P<u>{UNIT})"
#: The same, or the unit alone.
TIME = rf"(?:(?P<n>-?{_AMOUNT})?(?P<u>{UNIT})"

_SMALL = rf"(?:{_any(_TENS)})(?:[ -](?:{_any(_ONES)}))?|{_any(_TEENS)}|{_any(_ONES)}"
#: A comma before three digits, and no other, parts thousands; so does a dot in a number of samples.
_WRITTEN = re.compile(
    r"(?<![\w.])(?<!\d[,/])(?:"
    rf"(?P<part>(?:(?:an?|one|three)[ -])?(?:half|quarters?))(?:[ -]of)?(?:[ -]an?)?(?=[ -]{UNIT})|"
    rf"(?:(?P<count>[1-9]\d{{0,2}}(?:\.\d{{3}}){{1,4}})(?= {SAMPLE}\b)|"
    r"(?P<thousands>[1-9]\d{0,2}(?:[, ]\d{3}){1,4}(?!,?\d)(?:\.\d+)?)|"
    r"(?:(?P<whole>\d+)[ -])?(?P<over>\d+)/(?P<under>[1-9]\d*)|"
    rf"(?P<comma>\d+,\d+)|(?P<figures>{FIGURES})|"
    rf"(?P<words>(?:an?|{_any(_ONES)})[ -]hundred(?:(?: and)?[ -](?:{_SMALL}))?|{_SMALL})(?![a-z]))"
    r"(?: and an? (?P<more>half|quarter)\b)?)"
)
_FULL = r"(?:full|whole|single|entire)[ -]"
_FULL_AFTER_NUMBER = re.compile(rf"(?<=\d[ -]){_FULL}(?={UNIT})")
_COUPLE = re.compile(rf"\b(?:an? )?couple of (?={UNIT})")
_EVERY_M = re.compile(r"\bevery (?P<n>\d+) ?m\b")
#: "on a school day" is of one day, "rises during the working day" of no span.
_SORT_OF_DAY = re.compile(
    r"\b(?P<lead>on|for|over|of) (?:an?|one) (?:autumn|busy|business|cloudy|cold|hot|normal|ordinary|quiet|"
    r"rainy|school|spring|summer|sunny|typical|warm|week|windy|winter|work|working)[ -]?(?=day\b)"
)
_FULL_ALONE = re.compile(rf"\b(?:(?:an?|one) )?{_FULL}(?={UNIT})")
#: "a second floor flat", "every second day": one second of time has no noun after it but these.
_SECOND = re.compile(
    r"(?<!\d)(?<!\d[ -])(?<!per )\b(?:(?:an?|one)[ -])?second[ -](?=[a-z])(?!(?:a|an|and|apart|are|as|at|"
    r"averages?|before|but|by|cadence|data|during|each|every|for|from|grid|in|including|intervals?|is|logs?|"
    r"long|means?|of|on|or|over|per|period|please|rate|readings?|recording|records?|resolution|sampl\w+|"
    r"series|showing|spacing|span|starting|steps?|that|the|then|throughout|to|until|using|values?|when|where|"
    r"which|while|windows?|with|without)\b)"
)
_MORE = re.compile(rf" (?P<and>and )?{GIVEN}")
_AND_A_HALF = re.compile(r" and a half\b")
#: Without an "and" between them, one week and ten minutes are two things: a span and an interval.
_MOST_APART = 60.0


def plain(text: str) -> str:
    """The text in lower case, with single spaces, numbers in figures, and the second of things as '2nd'.

    Only 'a', 'an' and 'one' stay words.
    """
    text = text.lower().translate(str.maketrans("\N{EN DASH}\N{MINUS SIGN}", "--"))
    text = " ".join(text.replace("\N{VULGAR FRACTION ONE HALF}", " 1/2").split())
    text = _EVERY_M.sub(r"every \g<n> min", _COUPLE.sub("2 ", text))
    text = _SORT_OF_DAY.sub(r"\g<lead> 1 ", text)
    text = _FULL_AFTER_NUMBER.sub("", _WRITTEN.sub(_in_figures, text))
    return _SECOND.sub("2nd ", _FULL_ALONE.sub("1 ", text))


def _in_figures(found: re.Match[str]) -> str:
    if found["part"]:
        words = re.split("[ -]", found["part"])
        value = _PARTS[words[-1]] * (3.0 if words[0] == "three" else 1.0)
    elif found["over"]:
        value = float(found["whole"] or 0) + float(found["over"]) / float(found["under"])
    elif found["words"]:
        value = _spelled(re.split("[ -]", found["words"]))
    elif found["comma"]:
        value = float(found["comma"].replace(",", "."))
    elif found["count"]:
        value = float(found["count"].replace(".", ""))
    else:
        value = float(re.sub("[, ]", "", found["thousands"] or found["figures"]))
    if found["more"]:
        value += _PARTS[found["more"]]
    elif found["figures"] or found["words"] == "one":
        return found[0]
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _spelled(words: list[str]) -> float:
    total = 0
    for word in words:
        total = total * 100 if word == "hundred" else total + _WORDS.get(word, 0)
    return float(total)


def number(text: str) -> float:
    """A number as :data:`NUMBER` matches it, that may have a minus."""
    return 1.0 if text.lstrip("-") in ("a", "an", "one") else float(text)


def unit_seconds(unit: str) -> float:
    """Seconds of one unit, as :data:`UNIT` matches it."""
    return next(size for pattern, size in _UNITS if re.fullmatch(pattern, unit))


def duration(found: re.Match[str], longest: bool = False) -> tuple[float, int]:
    """Seconds of a match of one of the patterns here, and where its words end.

    What follows and belongs to it is added: '1 h 30 min', '2 weeks and 3 days', 'an hour and a half'.

    Args:
        found: Has the groups ``n``, ``m`` and ``u``; one unit where ``n`` is None.
        longest: Take the end of a range, not its beginning.
    """
    text, end, size = found.string, found.end("u"), unit_seconds(found["u"])
    if found["n"] is None or found["m"] is not None:
        said = found["m"] if longest and found["m"] is not None else found["n"]
        return round((number(said) if said else 1.0) * size, 9), end
    total = number(found["n"]) * size
    more = _MORE.match(text, end)
    while more and more["m"] is None:
        smaller = unit_seconds(more["u"])
        added = number(more["n"]) * smaller
        if added >= size or (not more["and"] and size / smaller > _MOST_APART):
            break
        total, end, size = total + added, more.end("u"), smaller
        more = _MORE.match(text, end)
    half = _AND_A_HALF.match(text, end)
    if half:
        total, end = total + 0.5 * size, half.end()
    return round(total, 9), end
