"""Wordings: the small template language of phrases.toml, and which of them training may see.

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

SPLITS = ("train", "development")

# Of every list of wordings, those whose place has this remainder are kept for development.
_HELD_OUT, _OF = 2, 5


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


def _read() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("phrases.toml").read_text(encoding="utf-8"))


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str, list[str]]]:
    """(feature, form, templates) of every list below ``table``."""
    for key, value in table.items():
        if isinstance(value, list):
            yield prefix, key, value
        else:
            yield from _flatten(value, f"{prefix}.{key}" if prefix else key)


def _load() -> tuple[dict[str, dict[str, dict[str, tuple[Wording, ...]]]], dict[str, Any]]:
    table = _read()
    words: dict[str, Any] = table.pop("words")
    known: dict[str, dict[str, dict[str, tuple[Wording, ...]]]] = {}
    for feature, form, templates in _flatten(table):
        parsed = [parse(t) for t in templates]
        known.setdefault(feature, {})[form] = {
            "train": tuple(w for i, w in enumerate(parsed) if i % _OF != _HELD_OUT),
            "development": tuple(w for i, w in enumerate(parsed) if i % _OF == _HELD_OUT),
        }
    return known, words


#: WORDINGS[feature][form][split]: parsed wordings.
WORDINGS, _WORDS = _load()
#: Words for the name of a wave shape.
WAVE_WORDS: dict[str, tuple[str, ...]] = {k: tuple(v) for k, v in _WORDS["wave"].items()}
#: Spellings of a unit; a unit that is not listed is spelled one way.
UNIT_SPELLINGS: dict[str, tuple[str, ...]] = {k: tuple(v) for k, v in _WORDS["unit"].items()}


@lru_cache(maxsize=8192)
def choices(feature: str, form: str, split: str, known: frozenset[str]) -> tuple[Wording, ...]:
    """Wordings of a feature whose slots are all ``known``; may be empty."""
    return tuple(w for w in WORDINGS[feature][form][split] if w.slots <= known)
