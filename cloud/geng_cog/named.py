"""Which quantities a task names: read, as its times are, so that the language model cannot miss them.

"humidity sensor in a wardrobe" names one quantity, "temperature probe in a salad bar" leaves open whether the
temperature is of air, water or goods: there the model chooses, among those and no others. A task that
names none leaves every quantity open.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from geng_cog.knowledge import kinds, scenarios
from geng_cog.limits import read_limits
from geng_cog.statement import MOST_CHANNELS
from geng_cog.vocabulary import content_words, known_words

#: A "canal" is known; a "city canal" is another place.
_BEFORE_PLACE = r"(?:(?:^|[,:(])\s*|\b(?:an?|the|my|our|of|in|on|at|from|for)\s+)"
#: What joins the names of a list, and what ends the list.
_JOINT = re.compile(
    r"(?P<and>,?\s+(?:and|plus)\s+|\s*[&+/]\s*)|(?P<comma>,\s*)|"
    r"[.:;()?!]|\b(?:in|on|at|of|from|for|with|without|over|every|during|measuring|measures|recording|"
    r"sampled|covering|lasting|including|that|while|inside|under|beside|by|to|via|as|or)\b"
)
#: Words that look like a quantity where they are none: of how a series looks, or of another one.
_NO_NAME = re.compile(
    r"\b(?:no|low|moderate|high|little|some|much|without(?: any)?) noise\b|"
    r"\b(?:higher|lower|of the|its) level\b|\blevel shift|\bwind direction\b"
)
_MOST_WORDS = 4
#: Machines stand anywhere: what one of them shows says nothing of what else is measured in that place.
_ANYWHERE = "plant"

Keys = frozenset[str]
Match = tuple[int, int, Keys]


@dataclass(frozen=True)
class Quantity:
    """A quantity that a task asks for.

    Attributes:
        said: The task's words for it.
        at: Where they begin, in characters.
        known: Keys of the kinds that they may mean; empty where they mean none that is known.
        fitting: Those that fit what is asked for beside it and the place; what the model may choose.
    """

    said: str
    at: int
    known: Keys
    fitting: Keys


@functools.cache
def _words() -> dict[str, Keys]:
    """Names of quantities, lower case, and the kinds that they may mean."""
    found: dict[str, set[str]] = {}
    for key, kind in kinds().items():
        for word in (*kind.words, kind.name):
            found.setdefault(word.lower(), set()).add(key)
    for s in scenarios("train"):
        found.setdefault(s.said.lower(), set()).add(s.kind.key)
    return {word: frozenset(keys) for word, keys in found.items()}


@functools.cache
def _devices() -> dict[str, Keys]:
    """Names of devices, lower case, and the kinds that they measure in the training scenarios."""
    found: dict[str, set[str]] = {}
    for s in scenarios("train"):
        found.setdefault(s.device.lower(), set()).add(s.kind.key)
    return {device: frozenset(keys) for device, keys in found.items()}


@functools.cache
def _places() -> dict[str, Keys]:
    """Names of places, lower case, and the kinds that are measured there in the training scenarios."""
    found: dict[str, set[str]] = {}
    for s in scenarios("train"):
        found.setdefault(s.place.lower(), set()).add(s.kind.key)
    return {place: frozenset(keys) for place, keys in found.items()}


def named_channels(task: str) -> tuple[frozenset[str], ...]:
    """Labels of the kinds that a task names, a set for each channel that it asks for.

    Several channels are asked for where names are joined: "temperature and humidity". Otherwise there
    is one set: by quantity or else by device. Each is narrowed to what is measured beside the others
    and in that place, where that is known. One empty set where the task names neither quantity nor device.
    """
    return tuple(labels(q.fitting) for q in given(task)) or (frozenset(),)


def given(task: str) -> list[Quantity]:
    """The quantities that a task asks for and that an answer can give, one for each channel."""
    return [q for q in read_quantities(task) if q.fitting][:MOST_CHANNELS]


def labels(keys: Keys) -> frozenset[str]:
    """``name [unit]`` of kinds."""
    return frozenset(kinds()[key].label for key in keys)


@functools.lru_cache(maxsize=256)
def read_quantities(task: str) -> tuple[Quantity, ...]:
    """The quantities that a task asks for, in its order; empty where it names neither these nor a device.

    One without ``fitting`` cannot be given: nothing like it is known, or it is asked for twice.
    """
    text = "".join(c.lower() if len(c.lower()) == 1 else c for c in task)
    for limits in read_limits(task):
        text = _blanked(text, limits.start, limits.end)
    for match in _NO_NAME.finditer(text):
        text = _blanked(text, *match.span(), by="#")
    named = _named(text, _words())
    there = _place(text, named)
    listed = max(_lists(task, text, named), key=_names, default=[])
    if _names(listed) > 1:
        return tuple(_apart([replace(q, fitting=_there(q, there)) for q in _beside(listed)]))
    found = named or _named(text, _devices())
    if not found:
        return ()
    start, end, _ = found[0]
    keys = frozenset[str]().union(*(keys for _, _, keys in found))
    # A device may measure more than is known of it, so only a quantity can be missed.
    only = Quantity(task[start:end], start, keys if named else frozenset(kinds()), keys)
    return (replace(only, fitting=_there(only, there)), *(q for q in listed if not q.known))


@dataclass(frozen=True)
class _Place:
    """Kinds that are measured in a place of the training scenarios, and the groups that these are of."""

    keys: Keys
    groups: frozenset[str]


def _place(text: str, named: list[Match]) -> _Place:
    found = _named(text, _places(), _BEFORE_PLACE)
    groups: set[str] = set()
    for _, end, keys in found:
        after = text[end:].split(maxsplit=1)[:1]
        at = len(text) - len(text[end:].lstrip())
        # What is in a "paint shop" is not what is in a "paint shop compressor".
        if not content_words(*after or " ") or any(start == at for start, _, _ in named):
            groups |= _groups(keys) - {_ANYWHERE}
    return _Place(frozenset[str]().union(*(keys for _, _, keys in found)), frozenset(groups))


def _blanked(text: str, start: int, end: int, by: str = " ") -> str:
    return text[:start] + by * (end - start) + text[end:]


def _names(listed: Iterable[Quantity]) -> int:
    return sum(bool(q.known) for q in listed)


def _named(text: str, names: dict[str, Keys], before: str = r"(?<!\w)") -> list[Match]:
    """Every name in the text that is no part of a longer one, in order, with its kinds."""
    found = [
        (m.start(), m.end(), keys)
        for name, keys in names.items()
        for m in _pattern(name, before).finditer(text)
    ]
    return sorted(
        (
            (a, b, keys)
            for a, b, keys in found
            if not any(c <= a and b <= d and d - c > b - a for c, d, _ in found)
        ),
        key=lambda match: match[:2],
    )


@functools.cache
def _pattern(name: str, before: str) -> re.Pattern[str]:
    return re.compile(rf"{before}{re.escape(name)}s?(?!\w)")


@dataclass(frozen=True)
class _Piece:
    """Words between two joints; ``joint`` is ``and`` or ``comma``, empty where a list begins."""

    start: int
    end: int
    joint: str


def _lists(task: str, text: str, named: list[Match]) -> list[list[Quantity]]:
    """Every list of the task that names a quantity: its parts, and those that name nothing known."""
    hidden = text
    for start, end, _ in named:
        hidden = _blanked(hidden, start, end, by="#")  # a "state of charge" ends no list
    pieces, start, joint = [], 0, ""
    for match in _JOINT.finditer(hidden):
        pieces.append(_Piece(start, match.start(), joint))
        start, joint = match.end(), match.lastgroup or ""
    pieces.append(_Piece(start, len(text), joint))
    runs: list[list[_Piece]] = []
    for piece in pieces:
        if not piece.joint or not runs:
            runs.append([])
        runs[-1].append(piece)
    found = [_parts(task, run, named) for run in runs]
    return [parts for parts in found if _names(parts)]


def _parts(task: str, run: list[_Piece], named: list[Match]) -> list[Quantity]:
    """The quantities of a list. Without any "and", what names the same again only says it more precisely."""
    within = [[m for m in named if p.start <= m[0] and m[1] <= p.end] for p in run]
    told = [i for i, names in enumerate(within) if names]
    listing = any(p.joint == "and" for p in run)
    found: list[Quantity] = []
    for i, (piece, names) in enumerate(zip(run, within, strict=True)):
        if names:
            # "greenhouse temperature and humidity sensor": what stands next to the joint counts.
            start, end, keys = names[0] if i else names[-1]
            same = [q for q in found if q.known & keys]
            if same and not listing:
                keys &= same[0].known
                found[found.index(same[0])] = replace(same[0], known=keys, fitting=keys)
            else:
                found.append(Quantity(task[start:end], start, keys, keys))
            continue
        said = _unknown(task[piece.start : piece.end])
        first = i < told[0] if told else True
        joined = run[i + 1].joint == "and" if first and i + 1 < len(run) else piece.joint == "and"
        beside = i + 1 in told if first else i - 1 in told or bool(found and not found[-1].known)
        if not first and i < told[-1]:
            joined = beside = True
        if first and content_words(said) <= known_words():
            continue  # "living room and kitchen temperature" names a place
        if said and joined and beside:
            found.append(Quantity(said, piece.start, frozenset(), frozenset()))
    return found


def _unknown(words: str) -> str:
    """What a part of a list names that is no known quantity; empty where it names nothing."""
    parts = words.split()
    while parts and not content_words(parts[0]):
        parts.pop(0)
    while parts and not content_words(parts[-1]):
        parts.pop()
    return " ".join(parts) if len(parts) <= _MOST_WORDS else ""


def _groups(keys: Keys) -> frozenset[str]:
    return frozenset(group for key in keys for group in kinds()[key].groups)


def _among(keys: Keys, groups: frozenset[str]) -> Keys:
    """Those of the groups or of none; all where there are none such."""
    found = frozenset(k for k in keys if not kinds()[k].groups or groups & {*kinds()[k].groups})
    return found if groups and found else keys


def _beside(listed: list[Quantity]) -> list[Quantity]:
    """Each with the kinds that are measured together with the others of the list."""
    found = []
    for q in listed:
        keys = q.known
        for other in listed:
            if other is not q and all(kinds()[k].groups for k in other.known):
                keys = _among(keys, _groups(other.known))
        found.append(replace(q, fitting=keys))
    return found


def _there(quantity: Quantity, place: _Place) -> Keys:
    """The kinds that are measured in the place, else such as are measured together with these."""
    return quantity.fitting & place.keys or _among(quantity.fitting, place.groups)


def _apart(listed: list[Quantity]) -> list[Quantity]:
    """Each with kinds of its own: those that leave least open choose first."""
    taken: Keys = frozenset()
    found = dict.fromkeys(range(len(listed)), frozenset[str]())
    for i in sorted(found, key=lambda i: len(listed[i].fitting)):
        found[i] = listed[i].fitting - taken
        taken |= found[i]
    return [replace(q, fitting=found[i]) for i, q in enumerate(listed)]
