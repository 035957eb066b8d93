"""Unlabeled documents: a ``documents.jsonl``, or any folder of text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from geng_edge.errors import ArgumentError

MOST_CHARACTERS = 6000
MOST_BYTES = 4 * 2**20
_SUFFIXES = {".txt", ".md", ".rst"}


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
