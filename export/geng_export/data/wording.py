"""Wordings: the small template language of phrases.toml and wordings/, and which training may see.

``{low}`` is a slot, ``{a|b|}`` one of several at random, ``{^up|down}`` the first for an upward
direction and the second for a downward one. A wording belongs to a *feature* (``trend.some``) and a
*form* (``noun``, ``sentence``, ``note``, ``pair``).
"""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: ``free`` is what training has, and beside it the wordings of free text in wordings/free, which came
#: last: the descriptions that measure stay as they were.
SPLITS = ("train", "tuning", "development", "free")

# Of every list in phrases.toml, the wordings whose place has this remainder are held out; they
# measure, and nothing is ever chosen by them. The files in wordings/ came later and widen what
# training sees; of their lists, every eighth wording is kept back to choose settings by.
_HELD_OUT, _OF = 2, 5
_TUNING, _TUNING_OF = 4, 8


@dataclass(frozen=True)
class Slot:
    """A hole that the writer fills with text and numbers."""

    name: str


@dataclass(frozen=True)
class ByDirection:
    """Two words, of which the direction of a trend or a shift takes one."""

    up: str
    down: str


Piece = str | tuple[str, ...] | Slot | ByDirection


@dataclass(frozen=True)
class Wording:
    """A parsed template and the names of its slots."""

    pieces: tuple[Piece, ...]
    slots: frozenset[str]

    def expanded(self) -> Iterator[str]:
        """Every text this wording can make, its slots as ``{name}``."""
        choices: list[tuple[str, ...]] = []
        for piece in self.pieces:
            if isinstance(piece, Slot):
                choices.append(("{" + piece.name + "}",))
            elif isinstance(piece, ByDirection):
                choices.append((piece.up, piece.down))
            else:
                choices.append(piece if isinstance(piece, tuple) else (piece,))
        return ("".join(parts) for parts in itertools.product(*choices))


def parse(template: str) -> Wording:
    """Read one template.

    Raises:
        ValueError: A brace is not closed or not opened.
    """
    pieces: list[Piece] = []
    for text, hole in re.findall(r"([^{}]+)|\{([^{}]*)\}", template):
        if text:
            pieces.append(text)
        elif hole.startswith("^"):
            pieces.append(ByDirection(*hole[1:].split("|")))
        elif "|" in hole:
            pieces.append(tuple(hole.split("|")))
        else:
            pieces.append(Slot(hole))
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", template)):
        raise ValueError(f"template {template!r} has a lone brace; every brace must be paired")
    return Wording(tuple(pieces), frozenset(p.name for p in pieces if isinstance(p, Slot)))


def read_table(path: Path) -> dict[str, Any]:
    """A TOML file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str, list[str]]]:
    """(feature, form, templates) of every list below ``table``."""
    for key, value in table.items():
        if isinstance(value, list):
            yield prefix, key, value
        else:
            yield from _flatten(value, f"{prefix}.{key}" if prefix else key)


Known = dict[tuple[str, str, str], list[Wording]]


def _held_out_and_train(table: Mapping[str, Any], known: Known) -> None:
    for feature, form, templates in _flatten(table):
        for i, template in enumerate(templates):
            split = "development" if i % _OF == _HELD_OUT else "train"
            known.setdefault((feature, form, split), []).append(parse(template))


def _said(known: Known, splits: tuple[str, ...]) -> dict[str, set[str]]:
    """Every text that the wordings of ``splits`` make, by feature."""
    said: dict[str, set[str]] = {}
    for (feature, _, split), wordings in known.items():
        if split in splits:
            texts = (text for wording in wordings for text in wording.expanded())
            said.setdefault(feature, set()).update(texts)
    return said


def _train_and_tuning(table: Mapping[str, Any], known: Known) -> None:
    """Add a later file, leaving out every wording that says what a held-out one says."""
    held_out = _said(known, ("development",))
    for feature, form, templates in _flatten(table):
        for i, wording in enumerate(map(parse, templates)):
            if held_out.get(feature, set()).isdisjoint(wording.expanded()):
                split = "tuning" if i % _TUNING_OF == _TUNING else "train"
                known.setdefault((feature, form, split), []).append(wording)


def _later(table: Mapping[str, Any], known: Known) -> None:
    """Add a file of free text, leaving out what a wording says that measures or is chosen by."""
    held_out = _said(known, ("development", "tuning"))
    for feature, form, templates in _flatten(table):
        for wording in map(parse, templates):
            if held_out.get(feature, set()).isdisjoint(wording.expanded()):
                known.setdefault((feature, form, "later"), []).append(wording)


def _load() -> tuple[dict[tuple[str, str, str], tuple[Wording, ...]], dict[str, Any]]:
    here = Path(__file__).parent
    table = read_table(here / "phrases.toml")
    words: dict[str, Any] = table.pop("words")
    words["wave"] = {"development": words["wave"], "train": dict(words["wave"])}
    known: Known = {}
    _held_out_and_train(table, known)
    for path in sorted((here / "wordings").glob("*.toml")):
        later = read_table(path)
        for name, more in later.pop("words", {}).get("wave", {}).items():
            waves = words["wave"]["train"]
            waves[name] = list(dict.fromkeys([*waves[name], *more]))
        _train_and_tuning(later, known)
    for path in sorted((here / "wordings" / "free").glob("*.toml")):
        _later(read_table(path), known)
    return {key: tuple(wordings) for key, wordings in known.items()}, words


#: WORDINGS[feature, form, split]: parsed wordings.
WORDINGS, _WORDS = _load()
#: WAVE_WORDS[split][wave]: words for the name of a wave shape.
WAVE_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    split: {k: tuple(v) for k, v in words.items()} for split, words in _WORDS["wave"].items()
}
WAVE_WORDS["tuning"] = WAVE_WORDS["free"] = WAVE_WORDS["train"]
#: Spellings of a unit; a unit that is not listed is spelled one way.
UNIT_SPELLINGS: dict[str, tuple[str, ...]] = {k: tuple(v) for k, v in _WORDS["unit"].items()}


@lru_cache(maxsize=8192)
def choices(feature: str, form: str, split: str, known: frozenset[str]) -> tuple[Wording, ...]:
    """Wordings of a feature whose slots are all ``known``; may be empty.

    Where ``tuning`` has kept none back, training's stand in.
    """
    if split == "free":
        return choices(feature, form, "train", known) + choices(feature, form, "later", known)
    fitting = tuple(w for w in WORDINGS.get((feature, form, split), ()) if w.slots <= known)
    return choices(feature, form, "train", known) if split == "tuning" and not fitting else fitting
