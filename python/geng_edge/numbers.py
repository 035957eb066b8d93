"""Find the numbers of a description, with their units."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from geng_edge.number_words import (
    CYCLES,
    DENOMINATORS,
    HERTZ,
    PER,
    PERCENT,
    RECORDS,
    SAMPLED,
    SECONDS,
    STEPS,
    WORD,
    either,
    plain,
    spelled,
)
from geng_edge.rhythms import Rhythm, find_rhythms

#: Steps of a window, where no other length is asked for.
WINDOW = 512
LARGEST_NUMBER = 1e30

_PERCENT = rf"\s?(?:{either(PERCENT)})(?![A-Za-z])"
_UNIT = (
    rf"(?:(?P<percent>{_PERCENT})"
    rf"|[\s-]?(?P<hertz>{either(HERTZ)})\b"
    rf"|(?:st|nd|rd|th)?[\s-]?(?P<steps>{either(STEPS)})\b"
    rf"|\s?(?P<times>(?:times|cycles|peaks|turns|oscillations|beats)\s?(?:per|a|an|each|every|/)\s?)"
    rf"(?P<per>{either(PER)})\b"
    rf"|[\s-]?(?P<time>{either(SECONDS)})(?![A-Za-z/²³^]))"
)
# The "minus" of "20 plus or minus 3", "20 plus and minus 3" and "20 plus minus 3" is no sign.
_MINUS = r"(?<!plus or )(?<!plus and )(?<!plus[ /-])(?:minus|negative)\s"
# 12,500 and 12'500 but not 0,500, and 10 000 where it ends in zeros: "5 100" may be two numbers.
_GROUPED = r"(?!0)\d{1,3}(?:[,\u202f\u00a0'\u2019_]\d{3})+(?!\d)|[1-9]\d{0,2}(?: 000)+(?!\d)"
_POWER = r"(?:[eE][-+\u2212]?\d+)"
# 3k but not 3 K, 5 thousand, 2.3 x 10^3
_SCALE = (
    r"(?-i:k)(?![\w/²³^])| ?(?:hundred|thousand|million)\b"
    r"|\s?[x\u00d7*]\s?10(?:\^|\*\*)(?P<power>[-+\u2212]?\d{1,2})(?!\d)"
)
_NUMBER = re.compile(
    rf"(?<![\w.])(?P<cycle>{either(CYCLES)})(?!\w)"
    rf"|(?:(?P<sign>\+|(?<!\+)(?<!\+/)[-\u2212\u2013]|{_MINUS})?"  # 20 +/-2 has no sign
    r"(?<![A-Za-z_])(?:(?<![\w.])|(?<=\.\.)|(?<=[-+\u2212\u2013\u00b1~]))"
    rf"(?P<digits>(?:{_GROUPED}|\d+)(?:\.\d+)?{_POWER}?|(?<!\.)\.\d+{_POWER}?)"
    rf"(?P<scale>{_SCALE})?"
    rf"|(?<![\w-])(?P<wordsign>{_MINUS})?(?P<word>{WORD})(?![\w]))"
    rf"(?P<unit>{_UNIT})?",
    re.IGNORECASE,
)
_SCALES = {"k": 1e3, "hundred": 1e2, "thousand": 1e3, "million": 1e6}
# A share of the window: "0.6 of the log", "3/4 of the way", "two fifths into the run". Thirds and quarters
# that are spelled are words for a place, which the claims reader knows.
_SMALL_PARTS = either(part for part, number in DENOMINATORS.items() if number > 4)
_SHARE = re.compile(
    rf"(?<![\w./])(?:(?P<decimal>0?\.\d+)|(?P<over>\d\d?)/(?P<under>\d\d?)"
    rf"|(?P<count>{WORD}|an?)[ -](?P<part>{_SMALL_PARTS})s?)"
    rf"(?= of the way\b| (?:of|into|through) the (?:(?:whole|entire|full) )?(?:{either(RECORDS)})\b)",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"(?:\b(?:time step|timestep|step|sample|point|index|reading|tick)s?\s*(?:no\.?|number|#|=)?\s*"
    r"|\b[tn]\s*=\s*|#\s*)$",
    re.IGNORECASE,
)
# "period 128", "period": 128, "wavelength of 40", "repeats every 36,": with no unit, in steps; as are
# both of "periods 20 and 100".
_PERIOD_BEFORE = re.compile(
    r"\b(?:(?:periods|wavelengths)(?::| of| are| =)? (?:\d+(?:\.\d+)?(?:,? and|,| &| \+) )?"
    r"|(?:period|periodicity|seasonality|wavelength|(?:cycle|season) length)[\"']?\s?(?:of|is|[:=])?\s?"
    r"(?:(?:about|around|approx\.?|roughly|some) |[~\u2248])?"
    r"|(?:repeats|repeating|recurs|cycles|oscillates) (?:itself )?every )$",
    re.IGNORECASE,
)
# "±2 g", "+/- 10 V", "amplitude of 3": as far below as above; not how exact something is, and not in
# units of which one tells a change from a value.
_BOTH_WAYS_BEFORE = re.compile(
    r"(?:\u00b1|\+ ?/? ?[-\u2212\u2013]|\bplus(?: or |/| |-| and )minus|\bamplitude(?: of| is|:| =|=)?) ?$",
    re.IGNORECASE,
)
_EXACTNESS = re.compile(
    r"\b(?:accura|precis|toleranc|nois|jitter|error|resol|uncertain|deviat|ripple|hysteres|repeatab|drift"
    r"|quanti[sz]|give or take)[^.;,\d]*$",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"\s?(?:(?:\u00b0|deg(?:rees?)?)?\s?(?:[CFK]\b|celsius|centigrade|fahrenheit|kelvin)|%|percent\b|pct\b)"
)
# "constant 5 V", "flat at 21", "stays at 3.3 V", unless the text tells of any change.
_STAYS_BEFORE = re.compile(
    r"(?:\b(?:constant|steady|unchanging|flat|fixed)(?: (?:line|signal|level|value|reading|temperature"
    r"|voltage|current|pressure|speed|humidity))?(?: (?:of|at)|:| =|=)?"
    r"|\b(?:stays|staying|stay|remains|remaining|remain|holds|holding|held|kept|stuck|frozen)"
    r"(?: (?:constant|steady|flat|fixed|still))?(?:,| exactly)? (?:at|on)) ?$",
    re.IGNORECASE,
)
_CHANGES = re.compile(
    r"(?<!\bno )(?<!\bor )(?<!\bany )(?<!\bwithout )"
    r"\b(?:then|until|till|but|except|apart|otherwise|before|after|when|while"
    r"|spik|dip|drop|jump|shift|step|ris[ei]|fall|climb|cycl|period|oscillat|swing|wave|vary|vari"
    r"|fluctuat|trend|drift|ramp|burst|peak|outage|between|repeat|daily|increas|decreas|grow|declin)",
    re.IGNORECASE,
)
_ENDS = re.compile(
    rf"(?!(?: and| &| \+) \d+(?:\.\d+)?[ -]?(?:{either(SECONDS)})\b)"  # "periods of 2 and 5 minutes"
    r"\s*(?:[,;()}\n&+]|\.(?!\d)|$|(?:and|with|no|between|from)\b)"
)
# "hourly readings" are how it is sampled.
_SAMPLING = re.compile(SAMPLED, re.IGNORECASE)
_A_TIME = re.compile(
    rf"(?:/| (?:per|an?|each|every|in an?|in one) )(?:{either(SECONDS)})\b", re.IGNORECASE
)
_GROUPS = re.compile(r"[,\u202f\u00a0'\u2019_ ]")
# [10,200], (10,200) and [100,200,300] are lists; [10,000], (1,234,567) and (1,234.5) are grouped.
_SIGNED = r"[-+\u2212\u2013]?\d+"
_NEXT = rf",(?!0\d){_SIGNED}"
_LIST = re.compile(
    rf"[\[{{]\s?{_SIGNED}(?:\.\d+)?(?:{_NEXT}(?:\.\d+)?)+\s?[\])}}]"
    rf"|\(\s?{_SIGNED}{_NEXT}\s?[\])]"
)
# 18,5 and 0,125: a decimal comma, but not in [18,5].
_COMMA = re.compile(r"(?<![\d.,\[({])(\d{1,9}(?=,\d\d?(?!\d))|0),(\d{1,9})(?![\d,.\])}])")
_POINT = re.compile(r"\d\.\d")
# 1 013 to 1 025: one number in such digits may be two, but not both ends of a range.
_SPACED = re.compile(
    r"(?<![\d.,])([1-9]\d{0,2}) (\d{3})( ?(?:to|and|-|\u2013|\.\.+) ?[-\u2212]?[1-9]\d{0,2}) "
    r"(\d{3})(?![\d.,])"
)
# "period_s": 120, period [min] = 5, period in hours: 2
_KEY = re.compile(
    rf"\b(?:period|cycle|wavelength|season)(?:[ _](?:time|length|duration))?(?:_| ?[(\[] ?| in )"
    rf"(?P<unit>{either(SECONDS)}|(?P<steps>{either(STEPS)}))[)\]]?[\"\']? ?[:=]? ?$",
    re.IGNORECASE,
)
_BELOW = re.compile(
    r" ?(?:°|deg(?:rees?)?\.?)? ?(?:[CFcf]\b|celsius|centigrade)? ?below (?:zero|freezing)\b",
    re.IGNORECASE,
)
# The unit in the "5V-10V" of a range.
_UNIT_OF_RANGE = re.compile(r"(?<![A-Za-z\d])\d+(?:\.\d+)? ?[A-Za-zµ°%]{1,4}$")
_LEFT_OF_RANGE = re.compile(r"[\d%°a-zA-Zµ²³)]\s?$")


@dataclass(frozen=True)
class Number:
    """A number of a text.

    Attributes:
        start, end: Its characters (sign included, unit not).
        value: What it spells; 1 for a word such as "daily".
        unit: ``none``, ``time``, ``steps``, ``percent`` or ``frequency``.
        seconds: Its length, or its frequency's period, in seconds.
        steps: The same in steps.
        recurs: Its words say that something comes back so often, as "daily" and "every 3rd hour" do.
        both_ways: It is as far below as above, as "±2 g" and "amplitude 3" are.
        stays: Its words say that the series stays there, as "constant 5 V" and "stays at 21" do.
    """

    start: int
    end: int
    value: float
    unit: str
    seconds: float | None
    steps: float | None
    recurs: bool = False
    both_ways: bool = False
    stays: bool = False


def find_numbers(text: str, interval: float = 1.0, length: int = WINDOW) -> list[Number]:
    """The numbers of ``text``, in order.

    Args:
        text: Any text; this never raises.
        interval: Seconds between two steps, which turns times into steps.
        length: Steps of the series, which turns "12 cycles in the window" into steps.
    """
    text = _with_points(text)
    taken = [
        (r.start, r.until, number)
        for r in find_rhythms(text, length)
        if (number := _of_rhythm(r, interval)) is not None
    ]
    taken = sorted(taken + [(n.start, n.end, n) for n in _shares(text)], key=lambda t: t[:2])
    found: list[Number] = []
    at = past = 0
    for match in _NUMBER.finditer(text):
        while at < len(taken) and taken[at][1] <= match.start():
            found.append(taken[at][2])
            at += 1
        if match.start() < past:
            continue
        number = _number(match, text, interval)
        if at < len(taken) and match.end() > taken[at][0]:
            # "3 cycles per hour" needs no more than the number and its unit.
            covers = match.start() <= taken[at][0] and match.end() >= taken[at][1]
            if number is None or number.steps is None or not covers:
                continue
            at += 1
        if number is not None:
            found.append(number)
            below = _BELOW.match(text, number.end) if number.value < 0.0 else None
            past = below.end() if below else 0  # the zero of "12 below zero" is none
    found += [number for _, _, number in taken[at:]]
    return _shared_units(found, text)


def _with_points(text: str) -> str:
    """``text`` with 18,5 as 18.5, unless it writes decimal points, and [18,24] as [18;24].

    Every character stays in its place.
    """
    text = _SPACED.sub("\\1\u00a0\\2\\3\u00a0\\4", text)
    text = _LIST.sub(lambda found: found[0].replace(",", ";"), text)
    return text if _POINT.search(text) else _COMMA.sub(r"\1.\2", text)


def _shares(text: str) -> list[Number]:
    """Places that the text gives as a share of the window, as percentages of it."""
    found = []
    for match in _SHARE.finditer(text):
        if match["decimal"]:
            share = float(match["decimal"])
        elif match["over"]:
            share = int(match["over"]) / max(int(match["under"]), 1)
        else:
            count = 1.0 if plain(match["count"]) in ("a", "an") else spelled(plain(match["count"]))
            share = count / DENOMINATORS[plain(match["part"])]
        if share <= 1.0:
            found.append(Number(match.start(), match.end(), 100.0 * share, "percent", None, None))
    return found


def _of_rhythm(rhythm: Rhythm, interval: float) -> Number | None:
    """None for cycles that no window can show ("20 strokes per minute" may be values) or too long."""
    seconds, steps = rhythm.seconds, rhythm.steps
    if seconds is not None:
        steps = seconds / interval
    elif steps is not None:
        seconds = steps * interval
    if rhythm.rate and (steps is None or steps < 2.0):
        return None
    if not all(size is None or size <= LARGEST_NUMBER for size in (rhythm.value, seconds, steps)):
        return None
    unit = "frequency" if rhythm.rate else "time"
    return Number(rhythm.start, rhythm.end, rhythm.value, unit, seconds, steps, rhythm.recurs)


def _number(match: re.Match[str], text: str, interval: float) -> Number | None:
    cycle = match["cycle"]
    if cycle:
        if _SAMPLING.match(text, match.end()):
            return None
        seconds = CYCLES[plain(cycle)]
        return Number(match.start(), match.end(), 1.0, "time", seconds, seconds / interval, True)
    digits = match["digits"]
    start = match.start()
    if digits:
        value = float(_GROUPS.sub("", digits).replace("\u2212", "-"))
        end = match.end("digits")
        if match["scale"]:
            value, end = value * _scale(match), match.end("scale")
        sign = match["sign"]
        if (
            sign
            and sign[0] in "-\u2212\u2013"
            and _LEFT_OF_RANGE.search(text[max(start - 2, 0) : start])
        ):
            # A dash that follows a number or a word joins them: "5-10", "18 - 26", "PM-2".
            joined = text[max(start - 2, 0) : start].rstrip()[-1:]
            unit = _UNIT_OF_RANGE.search(text[max(start - 12, 0) : start]) is not None
            if joined.isalpha() and text[start - 1 : start] != " " and not unit:
                return None
            if unit or joined.isdigit() or joined in "%°)" or text[start - 1 : start] != " ":
                start, sign = match.start("digits"), None
        if sign and sign[0] != "+":
            value = -value
    else:
        value, end = spelled(plain(match["word"])), match.end("word")
        if match["wordsign"]:
            value = -value
    if value > 0.0 and _BELOW.match(text, match.end("digits") if digits else end):
        value = -value
    if not abs(value) <= LARGEST_NUMBER:
        return None
    return _with_unit(match, text, start, end, value, interval)


def _scale(match: re.Match[str]) -> float:
    if match["power"]:
        return float(10.0 ** int(match["power"].replace("\u2212", "-")))
    return _SCALES[plain(match["scale"]).strip()]


def _with_unit(
    match: re.Match[str], text: str, start: int, end: int, value: float, interval: float
) -> Number:
    stays = _STAYS_BEFORE.search(text, max(start - 40, 0), start) and not _CHANGES.search(text)
    if match["percent"]:
        return Number(start, end, value, "percent", None, None, stays=bool(stays))
    if match["steps"]:
        if _A_TIME.match(text, match.end()):  # "8 samples a second" is how it is sampled
            return Number(start, end, value, "none", None, None)
        return Number(start, end, value, "steps", value * interval, value)
    if match["time"] and not (match["time"] in ("d", "S", "H", "D") and match["digits"] is None):
        seconds = value * SECONDS[plain(match["time"])]
        return Number(start, end, value, "time", seconds, seconds / interval)
    hertz = _hertz(match, value)
    if hertz is not None and hertz > 0.0:
        return Number(start, end, value, "frequency", 1.0 / hertz, 1.0 / hertz / interval)
    if _BEFORE.search(text[max(start - 16, 0) : start]):
        return Number(start, end, value, "steps", value * interval, value)
    if _PERIOD_BEFORE.search(text[max(start - 36, 0) : start]) and _ENDS.match(text, end):
        return Number(start, end, value, "steps", value * interval, value)
    if key := _KEY.search(text[max(start - 40, 0) : start]):
        steps = value if key["steps"] else value * SECONDS[plain(key["unit"])] / interval
        unit = "steps" if key["steps"] else "time"
        return Number(start, end, value, unit, steps * interval, steps)
    both_ways = value > 0.0 and _is_both_ways(text, start, end)
    return Number(start, end, value, "none", None, None, both_ways=both_ways, stays=bool(stays))


def _is_both_ways(text: str, start: int, end: int) -> bool:
    mark = _BOTH_WAYS_BEFORE.search(text, max(start - 16, 0), start)
    if mark is None or _CHANGED.match(text, end):
        return False
    return _EXACTNESS.search(text, max(mark.start() - 40, 0), mark.start()) is None


def _hertz(match: re.Match[str], value: float) -> float | None:
    if match["hertz"]:
        name = match["hertz"]
        factor = 1e6 if name.startswith("MH") else HERTZ[plain(name)]
        return value * factor
    if match["per"]:
        return value / PER[plain(match["per"])]
    return None


_A_PERCENT = re.compile(_PERCENT, re.IGNORECASE)
_JOINED = re.compile(
    r"\s*(?:-|\u2013|to|and|or|\.\.+|\u2026|\u00b1|\+/?-|plus(?: or |/| )minus)\s*$", re.IGNORECASE
)


_SCALED = re.compile(r"\d ?(k|hundred|thousand|million)$", re.IGNORECASE)


def _shared_scale(here: Number, after: Number, text: str) -> Number:
    """The first of "10 to 20 thousand" in thousands too; that of "500 to 1k" as it is."""
    scale = _SCALED.search(text, after.start, after.end)
    if scale is None or here.unit != "none" or not text[here.end - 1].isdigit():
        return here
    factor = _SCALES[plain(scale[1])]
    smaller = abs(here.value) < abs(after.value) / factor
    joined = _JOINED.fullmatch(text[here.end : after.start])
    return replace(here, value=here.value * factor) if smaller and joined else here


def _shared_units(found: list[Number], text: str) -> list[Number]:
    """Give the first of "24 and 168 steps", "10 to 12 h" or "5 to 10k" unit and scale of the second."""
    out = list(found)
    for i in range(len(out) - 2, -1, -1):
        here, after = out[i], out[i + 1]
        here = out[i] = _shared_scale(here, after, text)
        if here.unit != "none" or after.unit not in ("time", "steps", "percent"):
            continue
        cycle = plain(text[after.start : after.end]) in CYCLES
        if cycle or after.value == 0.0 or not _JOINED.fullmatch(text[here.end : after.start]):
            continue
        if after.unit == "percent" and not _A_PERCENT.match(text, after.end):
            continue  # "0.2 and 0.8 of the log"
        if after.unit == "percent" or after.seconds is None or after.steps is None:
            out[i] = Number(here.start, here.end, here.value, after.unit, None, None)
            continue
        share = here.value / after.value
        seconds, steps = after.seconds * share, after.steps * share
        if math.isfinite(seconds) and math.isfinite(steps):
            out[i] = Number(here.start, here.end, here.value, after.unit, seconds, steps)
    return out
