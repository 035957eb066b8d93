"""Clauses: one feature of a series said in one form, and the record of what has been said.

A clause is a list of tokens. Its writer draws a wording whose slots the claims can fill, fills
them, and states in ``Writer.stated`` exactly what the wording said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from geng_edge.claims import Claims, by_kind
from geng_export.data.numerals import (
    PRECISION,
    Dice,
    Number,
    Span,
    Token,
    Tokens,
    cycle_word,
    decimals_for,
    write,
    write_frequency,
    write_rate,
    write_steps,
    write_time,
)
from geng_export.data.spoken import counted, often, spoken
from geng_export.data.wording import UNIT_SPELLINGS, WAVE_WORDS, ByDirection, Wording, choices

#: Of the wordings that came last, among all of them.
_FREE_SHARE = 0.35
#: Of the lengths that can be said in words alone, where they may be.
_SPOKEN_SHARE = 0.5
#: Of the ranges of a rising or falling series, those said with the direction in one.
_COURSE_SHARE, _FREE_COURSE_SHARE = 0.15, 0.3

Clause = list[Token]
Fill = Callable[[str], Tokens]

_PERIOD = frozenset({"period", "adj", "a_adj", "every", "frequency"})
_PERIODS = frozenset({"period", "adj", "a_adj", "every", "period2", "adj2", "a_adj2", "every2"})
_WAVE = frozenset({"wave", "a_wave"})
_RANGE = frozenset({"low", "high", "center", "amplitude", "span", "to", "pm", "u"})
_JOINTS = (" to ", " to ", "..", " ... ")
_DASHES = (*_JOINTS, "-", "-", " - ", "\N{EN DASH}")


def article(text: str) -> str:
    """``text`` after "a" or "an"."""
    number = text.partition("-")[0].partition(" ")[0].partition(".")[0]
    vowel = text[:1].lower() in "aeiou" and not text.lower().startswith(
        ("uni", "use", "uv", "one", "eu")
    )
    spoken = number[:1] == "8" or number in ("11", "18") or text.startswith("hour")
    return f"an {text}" if vowel or spoken else f"a {text}"


def joined(parts: Sequence[Clause], separator: str, last: str) -> list[Token]:
    """One list of tokens, with ``last`` between the last two parts and ``separator`` between others."""
    tokens: list[Token] = []
    for i, clause in enumerate(parts):
        if i:
            tokens.append(last if i == len(parts) - 1 else separator)
        tokens.extend(clause)
    return tokens


class Writer:
    """Says features of one set of claims, in one split's wordings."""

    def __init__(self, claims: Claims, dice: Dice, split: str) -> None:
        self.claims = claims
        self.dice = dice
        self.split = split
        self.stated: dict[str, Any] = {}
        self.has_range = claims.low is not None and claims.high is not None
        self.span = (claims.high or 0.0) - (claims.low or 0.0) if self.has_range else 0.0
        self.unit = dice.pick(UNIT_SPELLINGS.get(claims.unit, (claims.unit,)))
        tight = len(self.unit) <= 3 or not self.unit.isascii()
        self.suffix = ("" if tight and dice() < 0.25 else " ") + self.unit if self.unit else ""
        self.spelled = self.suffix[:1] in ("", " ")  # not "zeroV"
        self.has_bare_size = False  # a swing or amplitude was said, but not around what
        self.digits = 3 if dice() < 0.7 else 4

    def claims_made(self) -> Claims:
        """What has been said so far, its events by kind, in whatever order they were told."""
        made = Claims(interval=self.claims.interval, length=self.claims.length, **self.stated)
        return replace(made, events=by_kind(made.events)) if made.events else made

    def say(
        self, feature: str, form: str, known: frozenset[str], fill: Fill, up: bool = True
    ) -> tuple[Clause, frozenset[str]]:
        """Tokens of a drawn wording and the slots it used; no tokens when no wording fits."""
        options = choices(feature, form, self.split, known)
        if self.split == "free" and self.dice() < _FREE_SHARE:
            options = choices(feature, form, "later", known) or options
        if not options:
            return [], frozenset()
        wording = self.dice.pick(options)
        return self.filled(wording, fill, up), wording.slots

    def filled(self, wording: Wording, fill: Fill, up: bool = True) -> Clause:
        """Tokens of a wording: literal texts, one of several at random, of a direction, and of slots."""
        tokens: Clause = []
        for piece in wording.pieces:
            if isinstance(piece, str):
                tokens.append(piece)
            elif isinstance(piece, tuple):
                tokens.append(self.dice.pick(piece))
            elif isinstance(piece, ByDirection):
                tokens.append(piece.up if up else piece.down)
            else:
                tokens.extend(fill(piece.name))
        return tokens

    def plain(self, feature: str, form: str, **stated: object) -> Clause:
        """A clause without slots."""
        tokens, _ = self.say(feature, form, frozenset(), no_slot)
        if tokens:
            self.stated.update(stated)
        return tokens

    def unit_suffix(self) -> Tokens:
        """The unit after a number; saying it once states it."""
        if self.suffix:
            self.stated["unit"] = self.claims.unit
        return (self.suffix,)

    def value(self, value: float, role: str) -> tuple[Number, float]:
        """A number in value units, rounded to suit the range."""
        decimals = decimals_for(self.span if self.span > 0.0 else abs(value), self.digits)
        text, stated = write(value, decimals, self.dice, self.spelled)
        return Number(text, role), stated


def no_slot(name: str) -> Tokens:
    """For wordings that have no slots."""
    raise KeyError(name)


def say_trend(w: Writer, form: str) -> Clause:
    """The trend, with its shape about half of the time."""
    trend, shape = w.claims.trend, w.claims.trend_shape
    if "trend" in w.stated:
        return []
    if trend == "none":
        return w.plain("trend.none", form, trend="none")
    up = trend == "up"
    shaped = shape is not None and w.dice() < 0.5
    feature = f"shape.{shape}" if shaped else "trend.some"
    tokens, _ = w.say(feature, form, frozenset(), no_slot, up)
    if tokens:
        w.stated["trend"] = trend
        if shaped:
            w.stated["trend_shape"] = shape
    return tokens


class PeriodFill:
    """Fills the slots of one period and remembers the period that was written, in steps."""

    def __init__(self, w: Writer, index: int) -> None:
        self.dice = w.dice
        self.interval = w.claims.interval
        self.steps = w.claims.periods[index]
        self.seconds = self.steps * self.interval
        self.role = "period" if index == 0 else "period2"
        self.stated = self.steps
        self.in_time = w.dice() < (0.35 if self.interval == 1.0 else 0.6)
        self.rate = write_rate(self.seconds, w.dice)
        self.free = w.split == "free"
        self.often = often(self.seconds, w.dice) if self.free else None
        self.count = counted(self.steps, w.claims.length, w.dice) if self.free else None

    def slots(self) -> frozenset[str]:
        """Slots that can be filled beside those that every period fills."""
        ways = {"rate": self.rate, "often": self.often, "count": self.count}
        return frozenset(name for name, way in ways.items() if way is not None)

    def __call__(self, slot: str) -> Tokens:
        """Tokens of ``period``, ``every``, ``adj``, ``a_adj``, ``frequency`` or ``rate``."""
        if slot == "frequency":
            return self._number(write_frequency(self.seconds, self.dice), self.interval)
        if slot == "rate" and self.rate is not None:
            return self._number(self.rate, self.interval)
        if slot == "often" and self.often is not None:
            before, span = self.often
            return before, *self._number(span, self.interval)
        if slot == "count" and self.count is not None:
            return self._number(self.count, 1.0)
        if slot == "period":
            return self._length("noun")
        form = "adverb" if slot == "every" else "adjective"
        word = cycle_word(self.seconds, self.dice, form) if self.in_time else None
        word = self._spoken(form) or word
        if word is not None:
            tokens = self._number(word, self.interval)
        elif form == "adverb":
            return "every ", *self._measured("noun")
        else:
            tokens = self._length(form)
        if slot != "a_adj":
            return tokens
        first = tokens[0]
        text = first.text if isinstance(first, Number) else first
        return article(text).partition(" ")[0] + " ", *tokens

    def _number(self, span: tuple[str, str, float], unit: float) -> Tokens:
        number, after, size = span
        self.stated = size / unit
        return Number(number, self.role), after

    def _spoken(self, form: str) -> Span | None:
        if not self.free or self.dice() >= _SPOKEN_SHARE:
            return None
        return spoken(self.seconds, self.dice, form)

    def _length(self, form: str) -> Tokens:
        if form == "noun" and (said := self._spoken(form)) is not None:
            return self._number(said, self.interval)
        return self._measured(form)

    def _measured(self, form: str) -> Tokens:
        if self.in_time:
            span = write_time(self.seconds, PRECISION * self.seconds, self.dice, form)
            if span is not None:
                return self._number(span, self.interval)
        return self._number(write_steps(self.steps, PRECISION * self.steps, self.dice, form), 1.0)


def say_period(w: Writer, form: str) -> Clause:
    """One or two periods, or that there is none, or that there is one of unknown length."""
    claims = w.claims
    if "periodic" in w.stated:
        return []
    if not claims.periods:
        feature = "period.some" if claims.periodic else "period.none"
        return w.plain(feature, form, periodic=claims.periodic)
    first = PeriodFill(w, 0)
    if len(claims.periods) > 1 and w.dice() < 0.8:
        second = PeriodFill(w, 1)
        second.in_time = first.in_time
        tokens, _ = w.say(
            "period.two",
            form,
            _PERIODS,
            lambda slot: second(slot[:-1]) if slot.endswith("2") else first(slot),
        )
        made: tuple[float, ...] = (first.stated, second.stated)
    else:
        known = _PERIOD | first.slots()
        if claims.wave is not None and w.dice() < 0.6:
            known = known | _WAVE
        tokens, slots = w.say(
            "period.one",
            form,
            known,
            lambda slot: _wave(w, slot) if slot in _WAVE else first(slot),
        )
        made = (first.stated,)
        if slots & _WAVE:
            w.stated["wave"] = claims.wave
    if tokens:
        w.stated["periodic"], w.stated["periods"] = True, made
    return tokens


def _wave(w: Writer, slot: str) -> Tokens:
    word = w.dice.pick(WAVE_WORDS[w.split][w.claims.wave or "sine"])
    return (article(word) if slot == "a_wave" else word,)


def say_wave(w: Writer, form: str) -> Clause:
    """The shape of a cycle, unless the period's clause has said it."""
    if "wave" in w.stated:
        return []
    tokens, _ = w.say("wave", form, _WAVE, lambda slot: _wave(w, slot))
    if tokens:
        w.stated["wave"] = w.claims.wave
    return tokens


class RangeFill:
    """Fills the slots of the value range and remembers what was written."""

    def __init__(self, w: Writer) -> None:
        self.w = w
        low, high = w.claims.low, w.claims.high
        self.true = {"low": low, "high": high, "mean": w.claims.mean}
        if low is not None and high is not None:
            self.true |= {"center": (low + high) / 2.0, "amplitude": w.span / 2.0, "span": w.span}
        self.stated: dict[str, float] = {}
        self.dashes = False

    def __call__(self, slot: str) -> Tokens:
        """Tokens of a limit, of the unit ``u``, or of the joints ``to`` and ``pm``."""
        if slot == "u":
            return self.w.unit_suffix()
        if slot == "to":
            return (self.w.dice.pick(_DASHES if self.dashes else _JOINTS),)
        if slot == "pm":
            return (self.w.dice.pick((" +/- ", " \N{PLUS-MINUS SIGN} ", "\N{PLUS-MINUS SIGN}")),)
        value = self.true[slot]
        number, self.stated[slot] = self.w.value(0.0 if value is None else value, slot)
        self.dashes = number.text[0].isdigit()  # "5-10", but neither "-5--3" nor "zero-10"
        return (number,)

    def limits(self) -> dict[str, float]:
        """low, high and mean as far as the text gives them."""
        said = self.stated
        half = said.get("amplitude", said.get("span", 0.0) / 2.0)
        middle = said.get("center", said.get("mean"))
        limits: dict[str, float] = {k: said[k] for k in ("low", "high", "mean") if k in said}
        if half > 0.0 and middle is not None:
            limits |= {"low": middle - half, "high": middle + half}
        return limits


#: Features that say trend and range in one: "climbs from 3 to 9".
_COURSES = {"up": "range.rising", "down": "range.falling"}


def say_range(w: Writer, form: str) -> Clause:
    """Both limits, mostly; now and then one of them, or only how far apart they are."""
    fill = RangeFill(w)
    share = _FREE_COURSE_SHARE if w.split == "free" else _COURSE_SHARE
    if w.split != "development" and w.has_range and w.claims.trend in _COURSES and w.dice() < share:
        course = _COURSES[w.claims.trend]
        tokens, _ = w.say(course, form, frozenset({"low", "high", "u"}), fill)
        if tokens:
            w.stated.update(fill.limits(), trend=w.claims.trend)
            return tokens
    one_period = len(w.claims.periods) == 1 and "periodic" not in w.stated
    if w.split != "development" and w.has_range and one_period and w.dice() < 0.15:
        tokens = _say_range_and_period(w, form, fill)
        if tokens:
            return tokens
    drawn = w.dice()
    feature = "range.both"
    known = _RANGE
    mean = w.claims.mean
    if not w.has_range:
        feature = "range.low" if w.claims.low is not None else "range.high"
    elif drawn < 0.06:
        feature = ("range.low", "range.high", "range.size")[int(drawn * 50.0)]
        w.has_bare_size = feature == "range.size"
    elif mean is not None and abs(mean - fill.true["center"]) < 0.01 * w.span:  # type: ignore[operator]
        known = known | {"mean"}
    tokens, _ = w.say(feature, form, known, fill)
    w.stated.update(fill.limits())
    return tokens


def _say_range_and_period(w: Writer, form: str, limits: RangeFill) -> Clause:
    """Limits and period in one: "between 3 and 9 every hour"."""
    period = PeriodFill(w, 0)
    tokens, _ = w.say(
        "range.cycle",
        form,
        _RANGE | _PERIOD,
        lambda slot: period(slot) if slot in _PERIOD else limits(slot),
    )
    if tokens:
        w.stated.update(limits.limits(), periodic=True, periods=(period.stated,))
    return tokens


def say_mean(w: Writer, form: str) -> Clause:
    """The mean, unless the range's clause has said it or would be misread with it.

    "A swing of 10, mean 4" reads as 4 - 5 to 4 + 5.
    """
    if "mean" in w.stated or w.claims.mean is None or w.has_bare_size:
        return []
    number, stated = w.value(w.claims.mean, "mean")
    known = frozenset({"mean", "u"})
    tokens, _ = w.say("mean", form, known, lambda s: w.unit_suffix() if s == "u" else (number,))
    if tokens:
        w.stated["mean"] = stated
    return tokens
