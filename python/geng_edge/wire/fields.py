"""Reading fields of a JSON object that a stranger wrote: each checked, each refused in a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from geng_edge.errors import ArgumentError

T = TypeVar("T")
#: Largest magnitude of a value: well inside float32, whose square it must not overflow.
MOST = 1e18


def refuse(name: str, value: object, rule: str) -> ArgumentError:
    """The error that says what ``name`` is and what it must be; long values are cut."""
    shown = repr(value)
    if len(shown) > 60:
        shown = shown[:57] + "..."
    return ArgumentError(f"{name} is {shown}; it must be {rule}", name=name, value=value)


def keys(
    value: object, name: str, required: Sequence[str], optional: Sequence[str] = ()
) -> Mapping[str, Any]:
    """``value`` as an object with all of ``required`` and nothing but these and ``optional``.

    Raises:
        ArgumentError: It is none.
    """
    if not isinstance(value, Mapping):
        raise refuse(name, value, "an object")
    for key in required:
        if key not in value:
            raise ArgumentError(f"{name} has no {key}; it must have {', '.join(required)}")
    for key in value:
        if key not in required and key not in optional:
            raise ArgumentError(
                f"{name} has a key {str(key)[:40]!r}; it must have none but "
                f"{', '.join((*required, *optional))}"
            )
    return value


def text(value: object, name: str, most: int, least: int = 0) -> str:
    """A string of ``least`` to ``most`` characters, all of them Unicode.

    Raises:
        ArgumentError: It is none.
    """
    if not isinstance(value, str):
        raise refuse(name, value, "text")
    if not least <= len(value) <= most:
        raise ArgumentError(
            f"{name} is {len(value)} characters; it must be {least} to {most}", name=name
        )
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise ArgumentError(f"{name} holds half a character; it must be Unicode", name=name)
    if least and not value.strip():
        raise refuse(name, value, "more than blanks")
    return value


def number(value: object, name: str, least: float = -MOST, most: float = MOST) -> float:
    """A finite number; ``True`` is none.

    Raises:
        ArgumentError: It is none, or outside ``least`` to ``most``.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse(name, value, "a number")
    try:
        read = float(value)
    except OverflowError:
        read = math.inf
    if not least <= read <= most:  # NaN is not inside
        raise refuse(name, value, f"{least:g} to {most:g}")
    return read


def whole(value: object, name: str, least: int, most: int) -> int:
    """A whole number; ``True`` is none.

    Raises:
        ArgumentError: It is none, or outside ``least`` to ``most``.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise refuse(name, value, f"a whole number, {least} to {most}")
    return value


def truth(value: object, name: str) -> bool:
    """True or false.

    Raises:
        ArgumentError: It is neither.
    """
    if not isinstance(value, bool):
        raise refuse(name, value, "true or false")
    return value


def word(value: object, name: str, words: Sequence[str]) -> str:
    """One of ``words``.

    Raises:
        ArgumentError: It is none of them.
    """
    if not isinstance(value, str) or value not in words:
        raise refuse(name, value, f"one of {', '.join(words)}")
    return value


def items(
    value: object, name: str, most: int, read: Callable[[object, str], T], least: int = 0
) -> tuple[T, ...]:
    """A list of ``least`` to ``most`` entries, each read by ``read(entry, its name)``.

    Raises:
        ArgumentError: It is none, or an entry is refused.
    """
    if not isinstance(value, list | tuple):
        raise refuse(name, value, "a list")
    if not least <= len(value) <= most:
        raise ArgumentError(f"{name} has {len(value)} entries; it must have {least} to {most}")
    return tuple(read(entry, f"{name}[{i}]") for i, entry in enumerate(value))
