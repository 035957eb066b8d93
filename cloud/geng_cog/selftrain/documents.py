"""Unlabeled documents: a ``documents.jsonl``, or any folder of text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from geng_edge.errors import ArgumentError

MOST_CHARACTERS = 6000
MOST_BYTES = 4 * 2**20
_SUFFIXES = {".txt", ".md", ".rst"}

_MOST_WORDS = 4
_TITLE = 120
_LONGEST_WORD = 20
_PLACED = re.compile(
    r"\b(?:in|at|on|inside|under|near|of|for|from|by)\s+(?:an?|the|each|every)\s+((?:[a-z][a-z-]+\s+)?[a-z][a-z-]+)",
    re.I,
)
_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9.+]*")
_EMPTY = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "and",
        "or",
        "to",
        "in",
        "for",
        "on",
        "with",
        "by",
        "is",
        "are",
        "be",
        "this",
        "that",
        "from",
        "as",
        "at",
        "it",
        "its",
        "can",
        "will",
        "not",
        "you",
        "your",
        "we",
        "if",
        "when",
        "which",
        "into",
        "than",
        "use",
        "used",
        "using",
        "may",
        "has",
        "have",
        "model",
        "type",
        "data",
        "value",
        "see",
        "also",
    ]
)


@dataclass(frozen=True)
class Document:
    """A text with its title; ``id`` is unique in its folder."""

    id: str
    title: str
    text: str


def read_documents(path: Path) -> list[Document]:
    """Every document of a .jsonl file (objects with ``text``, maybe ``id`` and ``title``) or a folder.

    Raises:
        ArgumentError: There is none, or a line is no such object.
    """
    found = list(_jsonl(path)) if path.is_file() else list(_folder(path))
    if not found:
        raise ArgumentError(
            f"{path} holds no documents; it must be a .jsonl file or a folder with one, or with "
            f"{', '.join(sorted(_SUFFIXES))} files"
        )
    return found


def _folder(path: Path) -> Iterator[Document]:
    if not path.is_dir():
        raise ArgumentError(f"{path} does not exist; it must be a folder or a .jsonl file")
    for file in sorted(path.rglob("*")):
        if not file.is_file() or file.stat().st_size > MOST_BYTES * 16:
            continue
        if file.name == "documents.jsonl":
            yield from _jsonl(file)
        elif file.suffix in _SUFFIXES and file.stat().st_size <= MOST_BYTES:
            name = str(file.relative_to(path))
            for i, part in enumerate(_parts(file.read_text(encoding="utf-8", errors="replace"))):
                yield Document(f"{name}#{i}", file.stem.replace("_", " ").replace("-", " "), part)


def _parts(text: str) -> Iterator[str]:
    """Paragraphs, joined to about a hundred words."""
    part = ""
    for paragraph in text.split("\n\n"):
        part = f"{part}\n{' '.join(paragraph.split())}".strip()
        if len(part) > 600:
            yield part[:MOST_CHARACTERS]
            part = ""
    if len(part) > 60:
        yield part[:MOST_CHARACTERS]


def _jsonl(path: Path) -> Iterator[Document]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
                text = str(entry["text"])
            except (ValueError, KeyError, TypeError) as error:
                raise ArgumentError(
                    f"{path}: line {number} is no document; it must be an object with text"
                ) from error
            yield Document(
                str(entry.get("id", f"line{number}")),
                str(entry.get("title", "")),
                text[:MOST_CHARACTERS],
            )


def phrases(document: Document) -> tuple[str, ...]:
    """What may be a device or a place: things that the text is in, at or of, else runs of the title."""
    found: dict[str, None] = {}
    for match in _PLACED.finditer(document.text):
        run = _cut(match[1].lower().split())
        if run:
            found[" ".join(run)] = None
    if found:
        return _sized(found)
    for part in re.split(r"[,;:()\[\]/.-]\s|\n| - ", document.title[:_TITLE]):
        run = [w for w in _TOKEN.findall(part) if len(w) < _LONGEST_WORD]
        for at in range(len(run)):
            for number in range(1, _MOST_WORDS + 1):
                piece = run[at : at + number]
                if len(piece) == number and not {piece[0].lower(), piece[-1].lower()} & _EMPTY:
                    found[" ".join(piece).lower()] = None
    return _sized(found)


def _sized(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(text for text in found if 4 <= len(text) <= 40 and not text.endswith("."))


def _cut(words: list[str]) -> list[str]:
    """The words before the first that says nothing of a thing."""
    end = next((i for i, w in enumerate(words) if w in _EMPTY or w.endswith("ly")), len(words))
    return words[:end]
