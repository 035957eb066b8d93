"""Bytes to checked JSON objects and back. Everything is refused that could cost more than it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from geng_edge.errors import ArgumentError, MessageError
from geng_edge.wire import codes

#: Brackets, commas and colons of a payload: what bounds the memory that reading it takes.
MOST_MARKS = 65_536
_MARKS = b"[{,:"


def encode(message: Mapping[str, Any]) -> bytes:
    """A message as UTF-8 JSON without spaces."""
    return json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def decode(payload: bytes, most: int, schema: str, *, size: int | None = None) -> dict[str, Any]:
    """The object of a payload.

    Args:
        payload: As it came.
        most: Bytes that its topic allows.
        schema: What its key ``schema`` must say.
        size: Bytes that it had, where a link let go of them.

    Raises:
        MessageError: ``too_large``, ``not_json`` or ``schema``.
    """
    message = load(payload, most, size=size)
    said = message.get("schema")
    if said != schema:
        raise MessageError(
            f"payload's schema is {str(said)[:60]!r}; it must be {schema}", codes.SCHEMA
        )
    return message


def load(payload: bytes, most: int, *, size: int | None = None) -> dict[str, Any]:
    """The object of a payload of any schema; see :func:`decode`.

    Raises:
        MessageError: ``too_large`` or ``not_json``.
    """
    size = len(payload) if size is None else size
    if size > most or len(payload) > most:
        raise MessageError(f"payload is {size} bytes; it must be at most {most}", codes.TOO_LARGE)
    marks = sum(payload.count(mark) for mark in _MARKS)
    if marks > MOST_MARKS:
        raise MessageError(
            f"payload has {marks} brackets, commas and colons; it must have at most {MOST_MARKS}",
            codes.TOO_LARGE,
        )
    try:
        message = json.loads(
            payload.decode(), parse_constant=_refuse_constant, object_pairs_hook=_once_each
        )
    except (ValueError, RecursionError, MemoryError) as error:
        raise MessageError(
            f"payload is no JSON ({str(error)[:100]}); it must be one object", codes.NOT_JSON
        ) from error
    if not isinstance(message, dict):
        raise MessageError(
            f"payload is {type(message).__name__}; it must be one JSON object", codes.NOT_JSON
        )
    return message


def as_schema_error(error: ArgumentError) -> MessageError:
    """The same sentence as a message that breaks its schema."""
    return MessageError(str(error), codes.SCHEMA, **error.facts)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
