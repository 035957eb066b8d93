"""Descriptions: claims put into words, with the place and the role of every number.

A quarter of the training texts use the predefined format of the paper ("Periodic data with a
period of 64 steps, values range from -5 to 5, upward trend, no anomaly"); the others draw their
wordings from phrases.toml, in any order, with clauses left out and numbers rounded. What comes
back claims exactly what the text says: a rounded number is claimed as rounded, an event placed by
a word is claimed with that word's band, and what is not mentioned is not claimed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from geng_edge.claims import Claims, by_kind
from geng_export.data import clauses as c
from geng_export.data import details as d
from geng_export.data import paper, whole
from geng_export.data.clauses import Clause, Writer, joined
from geng_export.data.numerals import Dice, Number, Token
from geng_export.data.wording import SPLITS, choices
from geng_export.models.frame import ROLES

__all__ = ["ROLES", "Description", "Span", "phrase"]


@dataclass(frozen=True)
class Span:
    """Characters ``start`` to ``end`` of a text are one number, in the role ``role``."""

    start: int
    end: int
    role: str


@dataclass(frozen=True)
class Description:
    """A text, what it claims, and where its numbers are."""

    text: str
    claims: Claims
    spans: tuple[Span, ...]


def phrase(claims: Claims, rng: np.random.Generator, split: str = "train") -> Description:
    """Describe ``claims`` in words.

    Args:
        claims: What may be said; what is None is not mentioned.
        rng: Decides what is said and how; the same state gives the same description.
        split: "train", "free" for free text as well, or "tuning" or "development" for wordings that
            training never uses. The paper's format belongs to all of them.

    Returns:
        The description. Its claims are a subset of ``claims``, with numbers as the text rounds
        them; periods stay within 0.4 % of the truth.

    Raises:
        ValueError: ``split`` is none of them.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; it must be one of {', '.join(SPLITS)}")
    dice = Dice(rng)
    if claims.events is not None and len(claims.events) > 1:
        claims = replace(claims, events=by_kind(claims.events))
    writer = Writer(claims, dice, split)
    if split == "free" and dice() < _WHOLE_SHARE and (tokens := whole.write(writer)):
        return _finished(tokens, writer)
    return _finished(_drawn_style(dice, split)(writer), writer)


def _drawn_style(dice: Dice, split: str) -> Callable[[Writer], list[Token]]:
    if split == "free" and dice() < _TOLD_SHARE:
        return _told
    if split != "development" and dice() < _MIXED_SHARE:
        return _mixed
    drawn = dice()
    for share, style in _STYLES:
        drawn -= share
        if drawn < 0.0:
            return style
    return paper.write


def _finished(tokens: list[Token], writer: Writer) -> Description:
    """Join tokens, set capitals, note the spans."""
    dice = writer.dice
    # Kelvin in lower case would be thousands.
    lowered = dice() < 0.1 and not any(_KELVIN.match(t) for t in tokens if isinstance(t, str))
    capital = not lowered and dice() < 0.85
    parts: list[str] = []
    spans: list[Span] = []
    length, ending = 0, ""
    for token in tokens:
        if isinstance(token, Number):
            text, role = token
            spans.append(Span(length, length + len(text), role))
            capital, ending = False, ""
        elif token:
            text = token
            if capital:
                text = text[0].upper() + text[1:]
            ending = (ending + text)[-2:]
            capital = not lowered and ending in (". ", ".\n")
            if lowered:
                text = text.lower()
        else:
            continue
        parts.append(text)
        length += len(text)
    return Description("".join(parts), writer.claims_made(), tuple(spans))


# ---------------------------------------------------------------------- which features are said


def _features(w: Writer, form: str, most: int) -> list[Clause]:
    """At most ``most`` clauses, the weightier features first choice, in random order."""
    said: list[Clause] = []
    for attempt in range(2):  # an unlucky draw may leave nothing; the second one says everything
        for say in _drawn_features(w, everything=attempt > 0):
            clause = say(w, form)
            if clause:
                said.append(clause)
            if len(said) == most:
                break
        if said:
            break
    w.dice.shuffle(said)
    return said or [d.say_subject(w, form)]


def _drawn_features(w: Writer, everything: bool) -> Iterator[Callable[[Writer, str], Clause]]:
    """The features that this description mentions."""
    claims, dice = w.claims, w.dice
    has_events = claims.events is not None and len(claims.events) > 0
    # What a description rules out is ruled out more often in training than people do, because a
    # series that happens to have none of it teaches nothing about the word "no".
    denied = 1.0 if w.split == "development" else 1.6
    chances = (
        (c.say_range, 0.87 if claims.low is not None or claims.high is not None else 0.0),
        (
            c.say_period,
            0.92 if claims.periodic else 0.3 * denied if claims.periodic is False else 0.0,
        ),
        (c.say_trend, {None: 0.0, "none": 0.35 * denied}.get(claims.trend, 0.88)),
        (_say_events, 0.94 if has_events else 0.4 * denied if claims.events is not None else 0.0),
        (c.say_mean, 0.3),
        (d.say_noise, 0.4 if claims.noise or claims.noise_std else 0.0),
        (c.say_wave, 0.35 if claims.wave and claims.periodic else 0.0),
        (d.say_resolution, 0.6 if claims.resolution else 0.0),
        (d.say_colour, {"red": 0.3, "white": 0.06}.get(claims.colour or "", 0.0)),
        (d.say_stationary, 0.2 if claims.stationary is not None else 0.0),
        (d.say_sampling, 0.12),
        (d.say_unit, 0.1 if claims.unit else 0.0),
        (d.say_aside, 0.0 if w.split == "development" else 0.2),
    )
    for say, chance in chances:
        if chance > 0.0 and (everything or dice() < chance):
            yield say


def _say_events(w: Writer, form: str) -> Clause:
    """Every event in one clause, or that there is none."""
    events = w.claims.events or ()
    if not events:
        return w.plain("event.none", form, events=())
    said = [d.say_event(w, form, i) for i in d.said_in(w.dice, events)]
    separator = {"sentence": ". ", "pair": " & "}.get(form, ", ")
    return joined(said, separator, " and " if form == "noun" else separator)


# --------------------------------------------------------------------------------------- styles


_FRAME_SLOTS = frozenset({"list", "sentences", "notes", "subject", "tag", "intro"})
_LISTS = ((", ", " and "), (", ", ", and "), (", ", ", "), (", ", ", "), ("; ", "; "))
_NOTES = ((", ", ", "), (". ", ". "), ("; ", "; "), (" / ", " / "), (", ", ", "))
_MOST = 8


def _framed(w: Writer, kind: str) -> list[Token]:
    """Fill one frame: its subject, and its features as a list, as sentences or as notes."""
    frame = w.dice.pick(choices("frames", kind, w.split, _FRAME_SLOTS))
    return w.filled(frame, lambda slot: tuple(_FRAME_FILL[slot](w)))


_FRAME_FILL: dict[str, Callable[[Writer], list[Token]]] = {
    "list": lambda w: joined(_features(w, "noun", _MOST), *w.dice.pick(_LISTS)),
    "sentences": lambda w: [*joined(_features(w, "sentence", _MOST), *_sentence_joints(w)), "."],
    "notes": lambda w: joined(_features(w, "note", _MOST), *w.dice.pick(_NOTES)),
    "subject": lambda w: d.say_subject(w, "noun"),
    "tag": lambda w: d.say_subject(w, "note"),
    "intro": lambda w: [*d.say_subject(w, "sentence"), "."],
}


_SENTENCE_JOINTS = (
    *((". ", ". "),) * 3,
    ("; ", "; "),
    (", ", " and "),
    (", ", ", and "),
    (" and ", ", and "),
    (". also, ", ". also, "),
    (", while ", ", and "),
    (". besides, ", ". finally, "),
    (", ", ", "),
)


def _sentence_joints(w: Writer) -> tuple[str, str]:
    return (". ", ". ") if w.split == "development" else w.dice.pick(_SENTENCE_JOINTS)


_LIST_OPENINGS = (
    *("with ", "showing ", "having ", "it has ", "there is ", "expect ", "please add ", "give it "),
    *("i want ", "it should have ", "we need ", "make sure there is ", "plus ", "also ", "", ""),
)
_NOTE_OPENINGS = ("", "", "", "details: ", "notes: ", "p.s. ", "- ")


def _mixed(w: Writer) -> list[Token]:
    """A subject, then some features as a list, others as sentences or notes, as people mix them."""
    dice = w.dice
    forms = [dice.pick(("noun", "sentence", "note")) for _ in range(1 + int(3.0 * dice()))]
    chunks: list[list[Clause]] = [[] for _ in forms]
    for say in list(_drawn_features(w, everything=dice() < 0.1))[:_MOST]:
        at = int(len(forms) * dice())
        clause = say(w, forms[at])
        if clause:
            chunks[at].append(clause)
    parts: list[Clause] = []
    if dice() < 0.7 or not any(chunks):
        parts.append(d.say_subject(w, dice.pick(("noun", "sentence", "note"))))
    for form, chunk in zip(forms, chunks, strict=True):
        dice.shuffle(chunk)
        if chunk:
            parts.append(_chunk(w, form, chunk))
    return joined(parts, *dice.pick(((". ", ". "), (". ", ". "), ("; ", "; "), (" - ", ", "))))


def _told(w: Writer) -> list[Token]:
    """A story: a sentence or two for each feature, and talk that claims nothing between them."""
    dice = w.dice
    parts = [d.say_subject(w, "sentence")] if dice() < 0.7 else []
    for say in list(_drawn_features(w, everything=dice() < 0.1))[:_MOST]:
        clause = say(w, "sentence")
        if clause:
            parts.append(clause)
    dice.shuffle(parts)
    told: list[Clause] = []
    for part in parts or [d.say_subject(w, "sentence")]:
        if dice() < _TALK_SHARE:
            told.append(d.say_aside(w, "sentence"))
        told.append(part)
    if dice() < _TALK_SHARE:
        told.append(d.say_aside(w, "sentence"))
    return [*joined(told, ". ", ". "), dice.pick((".", ".", "", "!"))]


def _chunk(w: Writer, form: str, clauses: Sequence[Clause]) -> Clause:
    if form == "noun":
        return [w.dice.pick(_LIST_OPENINGS), *joined(clauses, *w.dice.pick(_LISTS))]
    if form == "note":
        return [w.dice.pick(_NOTE_OPENINGS), *joined(clauses, *w.dice.pick(_NOTES))]
    return joined(clauses, *_sentence_joints(w))


class _Layout(NamedTuple):
    """How key = value pairs are written."""

    opening: str
    before: str
    between: str
    separator: str
    closing: str


_JSON = _Layout("{", '"', '": ', ", ", "}")
_LAYOUTS = {
    "train": (
        _Layout("", "", ": ", ", ", ""),
        _Layout("", "", ": ", "; ", ""),
        _Layout("", "", "=", ", ", ""),
        _Layout("", "", ": ", "\n", ""),
        _JSON,
    ),
    "development": (_Layout("", "", " = ", " | ", ""), _Layout("", "- ", ": ", "\n", "")),
}


def _paired(w: Writer) -> list[Token]:
    """Key and value pairs; quotes and separators cost word pieces, so there are fewer clauses."""
    layout = w.dice.pick(_LAYOUTS["development" if w.split == "development" else "train"])
    said = _features(w, "pair", 5 if layout is _JSON else 7)
    if w.dice() < 0.6:
        said.insert(0, d.say_subject(w, "pair"))
    tokens: list[Token] = [layout.opening]
    for i, pair in enumerate(_pairs(said)):
        at = pair.index(" = ")
        value = pair[at + 1 :]
        if layout is _JSON and not _is_json_number(value):
            value = ['"', *value, '"']
        tokens += [layout.separator if i else "", layout.before, *pair[:at], layout.between, *value]
    return [*tokens, layout.closing]


def _pairs(said: Sequence[Clause]) -> Iterator[Clause]:
    """Split clauses into pairs, each with the token " = " between its key and its value."""
    for clause in said:
        pair: Clause = []
        for token in clause:
            if isinstance(token, Number):
                pair.append(token)
                continue
            for part in _PAIR_MARKS.split(token):
                if part == " & ":
                    yield pair
                    pair = []
                elif part:
                    pair.append(part)
        yield pair


_PAIR_MARKS = re.compile(r"( = | & )")


def _is_json_number(value: Clause) -> bool:
    return (
        len(value) == 1
        and isinstance(value[0], Number)
        and _JSON_NUMBER.fullmatch(value[0].text) is not None
    )


_JSON_NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")

# How a token that follows a number begins in kelvin.
_KELVIN = re.compile(r"\s?K\b")

# Outside the held-out wordings, a fifth of the descriptions mixes the forms.
_MIXED_SHARE = 0.2
# Texts written in one piece, where one is true of the series.
_WHOLE_SHARE = 0.55
# Among free text, and what of it is said beside the matter.
_TOLD_SHARE, _TALK_SHARE = 0.25, 0.35
# Share of each style in the others; a quarter follows the paper's format.
_STYLES: tuple[tuple[float, Callable[[Writer], list[Token]]], ...] = (
    (0.25, paper.write),
    (0.23, lambda w: _framed(w, "list")),
    (0.17, lambda w: _framed(w, "sentences")),
    (0.11, lambda w: _framed(w, "notes")),
    (0.14, lambda w: _framed(w, "requests")),
    (0.10, _paired),
)
