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
_SLOWLY = (
    r"(?:slowly|steadily|gradually|continuously|constantly|consistently|slightly|gently|linearly|"
    r"progressively|quickly|rapidly)"
)
_SLOW = r"(?:slow|steady|gradual|continuous|constant|slight|gentle|linear|long-term|overall)"
#: "a climbing gym", "a falling film": these words are of a trend only where no noun follows them.
_NO_NOUN = (
    r"(?: *(?:$|[^\w\s-])| (?:\w+ly|again|as|but|by|during|every|from|near|or|over|sampled|then|throughout|"
    r"to|towards?|until)\b)"
)
_OR_PLACE = r" (?:and|at|for|in|with)\b"
_MEASURED = (
    r" (?:air |water |soil |oil |sea |ground )?(?:concentrations?|current|demand|humidity|levels?|load|power|"
    r"prices?|pressures?|speed|temperatures?|values?|voltage)\b"
)
_LATER = (
    rf" (?:{_SLOWLY}|(?:from|by|to) \d|during|throughout|towards?|until|"
    r"over (?:time|(?:the )?(?:\w+ )?"
    r"(?:minutes?|hours?|days?|nights?|weeks?|months?|years?|period|record)))\b"
)
_TRENDS = (
    ("up", (r"upwards? trend|trend(?:ing|s)? up\w*|that (?:rises|increases|grows|climbs)|"
           r"increasing\b|climbs\b|"
           rf"{_SLOWLY} (?:rising|rises|increases|growing|grows|climbing|goes up|going up)\b|"
           rf"(?:rises|increases|grows|goes up|going up){_LATER}|{_SLOW} (?:rise|increase|growth|climb)\b|"
           rf"(?:growing|climbing)(?:{_NO_NOUN}| trend)|"
           rf"rising(?:{_NO_NOUN}|{_OR_PLACE}|{_MEASURED}| trend)")),
    ("down", (r"downwards? trend|trend(?:ing|s)? down\w*|that (?:falls|decreases|declines|shrinks)|"
             r"decreasing\b|declin(?:es|ing)\b|shrinking\b|"
             rf"{_SLOWLY} (?:falling|falls|decreases|shrinks|dropping|drops|goes down|going down)\b|"
             rf"(?:falls|decreases|shrinks|goes down|going down){_LATER}|"
             rf"{_SLOW} (?:decline|decrease|fall|drop|reduction)\b|"
             rf"falling(?:{_NO_NOUN}|{_OR_PLACE}|{_MEASURED}| trend)")),
)  # fmt: skip
_LEVEL = r"(?:level |of the level |of its level )?"
_ANOMALIES = (
    ("shift", 1, rf"(?:{_UP}) {_LEVEL}shift|shift (?:{_UP})|(?:jump|step)\w* (?:to a higher|up)"),
    ("shift", -1, (rf"(?:{_DOWN}) {_LEVEL}shift|shift (?:{_DOWN})|"
                  r"(?:drop|jump|step|fall)\w* (?:to a lower|down)")),
    ("dropout", -1, (r"drop-?outs?|sensor (?:failing|fails|failure|fault|malfunction)|signal loss|outage|"
                    r"disconnections?|flat-?lin(?:es|ing)")),
    # What broke is not said to be a sensor: what it did falls.
    ("shift", -1, r"with an? (?:\w+ ){0,2}(?:breakdown|failure|fault|malfunction)"),
    ("dip", -1, (r"(?<!sheep )(?<!cattle )dips?\b"
                r"(?![ -](?:coat\w*|meters?|nets?|pens?|switch\w*|tanks?|tubes?)\b)")),
    ("spike", 1, (r"spikes?\b|peak out of line|outliers?\b|glitch(?:es)?\b|"
                 r"(?<!gravity )(?<!height )(?<!level )(?<!magnetic )(?<!rain )(?<!temperature )"
                 r"anomal(?:y|ies)\b(?! (?:scores?|index)\b)")),
)  # fmt: skip
#: An "outage detector" asks for no outage.
_NO_DEVICE = (
    r"(?!\w*[ -](?:alarm|analy[sz]er|counter|detect(?:ion|or)|gauge|indicator|logger|meter|monitor(?:ing)?|"
    r"probe|recorder|relay|sensor|switch|tester)(?:e?s)?\b)"
)
_SORT = r"(?:any |the |an? |sudden |short |brief |sharp |sensor |single |visible |further |other |more ){0,3}"
_BARE = r"(?:any |sudden |short |brief |sharp |sensor |further |other |more ){0,2}"
_TREND = (
    r"(?:(?:(?:up|down)wards?|rising|falling|increasing|decreasing)"
    r"(?:(?: or |/)(?:(?:up|down)wards?|rising|falling|increasing|decreasing))? )?(?:trends?|drifts?)\b"
)
_ITEM = (
    rf"(?:{'|'.join(p for _, _, p in _ANOMALIES)}|{_TREND}|level shifts?|shifts?|gaps?|noise)s?\b"
)
#: "no dips, spikes or outages", but neither the dip of "no spikes and a dip" nor that of "no spikes, a dip".
_NO_ANOMALY = re.compile(
    rf"\b(?:no|not|without|free (?:of|from)|never) {_SORT}{_ITEM}"
    rf"(?:(?:, {_BARE}{_ITEM})*,? (?:(?:or|nor|or without|and no|and without) {_SORT}|and {_BARE}){_ITEM})?"
)
_WAY = (
    rf"(?:{_TREND}|(?:ris(?:e|ing)|increas(?:e|ing)|grow(?:th|ing)?|climb(?:ing)?|fall(?:ing)?|decreas(?:e|ing)|"
    r"declin(?:e|ing)|shrink(?:ing)?|go(?:ing)? (?:up|down))\b)"
)
#: A value that is "not falling below 5" may have any trend.
_NO_TREND = re.compile(
    rf"(?:\b(?:no|not|without|never|neither|nor)|n't) (?:(?:an?|any|clear|{_SLOWLY}|{_SLOW}) ){{0,3}}{_WAY}"
    rf"(?:,? (?:or|nor) (?:{_SLOWLY} )?{_WAY})?(?P<bound> (?:above|below|beyond|over|under) \d)?"
)
_STEADY = re.compile(
    r"\b(?:no trend|without (?:a|any) trend|stationary(?! (?:batter|bicycle|bike|cycl|engine|trainer)))"
)
#: Nothing at all is to stand out, unless it goes on "... but a dip".
_NONE = re.compile(
    r"(?:(?:no|without(?: any| an)?|free (?:of|from)) (?:anomal\w+|events?)\b|normal operation)"
    r"(?!,? (?:but|except|apart from|besides|other than)\b)"
)
_SEVERAL = re.compile(
    r"\b(?:two|three|four|five|six|several|multiple|many|few|some|couple of|pair of|[2-9])"
    r"(?: (?:sudden|short|brief|sharp|sensor|large|small))? $"
)
_PERCENT = re.compile(r"^\W*(?:at|after|around)\s+(\d{1,3}(?:\.\d+)?)\s*(?:%|percent)", re.I)
_PLACES = sorted(POSITION_WORDS, key=len, reverse=True)
#: Characters after an anomaly among which its place is looked for.
_NEAR = 48


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
    rest = _NO_TREND.sub(_blank, _NO_ANOMALY.sub(_blank, text))
    found: list[tuple[int, int, str, int]] = []
    for kind, direction, pattern in _ANOMALIES:
        named = rf"\b(?:{pattern}){_NO_DEVICE}"
        found += [(*m.span(), kind, direction) for m in re.finditer(named, rest)]
        rest = re.sub(named, _blank, rest)
    if _NONE.search(text):
        found = []
    return Asked(_trend(text, rest), _placed(text, sorted(found)))


def _blank(found: re.Match[str]) -> str:
    return "#" * len(found[0])


def _trend(text: str, rest: str) -> str | None:
    """The trend of a task; ``rest`` is its text without anomalies and what it negates."""
    if _STEADY.search(text):
        return "none"
    for way, pattern in _TRENDS:
        if re.search(rf"\b(?:{pattern})", rest):
            return way
    negated = any(not m["bound"] for m in _NO_TREND.finditer(text))
    listed = any(re.search(_TREND, m[0]) for m in _NO_ANOMALY.finditer(text))
    return "none" if negated or listed else None


def _placed(
    text: str, found: list[tuple[int, int, str, int]]
) -> tuple[tuple[str, int, float | None], ...]:
    """The first two anomalies of those found in the text, with their places."""
    if len(found) == 1:
        start, end, kind, direction = found[0]
        if _SEVERAL.search(text[max(0, start - 32) : start]):
            return tuple((kind, direction, at) for at in _two_places(text[end:]))
    places = [_place(text[end : end + 2 * _NEAR]) for _, end, _, _ in found[:2]]
    return tuple(
        (kind, direction, _share(place, 0.5))
        for (_, _, kind, direction), place in zip(found, places, strict=False)
    )


def _two_places(after: str) -> tuple[float | None, float | None]:
    """Places of two anomalies that are named together: each its own, or both within one."""
    near, _, other = after[: 2 * _NEAR].partition(" and ")
    first = _place(near)
    second = _place(re.sub(r"^(?:one|another|the other) ", "", other), within=0)
    if second:
        return _share(first, 0.5), _share(second, 0.5)
    if first and first[0] == first[1]:
        return first[0], None
    return _share(first, 1 / 3), _share(first, 2 / 3)


def _share(place: tuple[float, float] | None, at: float) -> float | None:
    return None if place is None else round(place[0] + (place[1] - place[0]) * at, 2)


def _place(after: str, within: int = 16) -> tuple[float, float] | None:
    """The part of the span that the words right after an anomaly say, at most ``within`` characters on."""
    near = after.partition(" and ")[0][:_NEAR]
    percent = _PERCENT.match(near)
    if percent:
        at = min(float(percent[1]) / 100.0, 1.0)
        return at, at
    for words in _PLACES:
        at = near.find(words)
        if 0 <= at <= within and not near[at + len(words) : at + len(words) + 1].isalpha():
            return POSITION_WORDS[words]
    return None
