"""Parts of a grammar. A state is a tuple of nodes, the ways in which the text may still go on.

A node knows what may follow it through ``then``, whose ``key`` says which continuation it is: nodes with
equal fields go on equally, so what a state allows can be remembered.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

State = tuple["Node", ...]
#: Numbers live on a grid of 1e-4, in whole numbers of it, so that no rounding lets one slip out.
GRID = 10_000
DECIMALS = 4
_MOST_DIGITS = 10


@dataclass(frozen=True)
class Then:
    """A continuation: ``follow(text of the node before it)`` gives the state after it."""

    key: tuple[object, ...]
    follow: Callable[[str], State] = field(compare=False)


class Node(ABC):
    """One way in which the text may go on."""

    @abstractmethod
    def step(self, char: str) -> State:
        """The states after one more character; empty where it does not fit."""

    @property
    def final(self) -> bool:
        """Whether the text may end here."""
        return False


@dataclass(frozen=True)
class End(Node):
    """Nothing may follow."""

    def step(self, char: str) -> State:  # noqa: ARG002
        """No character fits."""
        return ()

    @property
    def final(self) -> bool:
        """The text is whole."""
        return True


@dataclass(frozen=True)
class Literal(Node):
    """Exactly ``rest``; ``whole`` is the word it came from, given on to ``then``."""

    rest: str
    then: Then
    whole: str = ""

    def step(self, char: str) -> State:
        """The literal, shorter by one character."""
        if self.rest[0] != char:
            return ()
        if len(self.rest) > 1:
            return (Literal(self.rest[1:], self.then, self.whole),)
        return self.then.follow(self.whole)


@dataclass(frozen=True)
class Number(Node):
    """A decimal number in ``low`` to ``high``, both in whole numbers of the grid."""

    low: int
    high: int
    then: Then
    text: str = ""

    def step(self, char: str) -> State:
        """The number, longer by one character, or what follows a number that is whole."""
        found: State = ()
        if char in "-.0123456789":
            longer = self.text + char
            if _reaches(longer, self.low, self.high):
                found = (Number(self.low, self.high, self.then, longer),)
        if self.whole:
            for node in self.then.follow(self.text):
                found += node.step(char)
        return found

    @property
    def whole(self) -> bool:
        """Whether the text so far is a number within the limits."""
        text = self.text
        if not text or text[-1] in "-." or text == "-0":
            return False
        value = round(float(text) * GRID)
        return self.low <= value <= self.high


def grid(low: float, high: float) -> tuple[int, int]:
    """Limits in whole numbers of the grid, both inside ``low`` to ``high``."""
    return math.ceil(low * GRID - 1e-6), math.floor(high * GRID + 1e-6)


def _reaches(text: str, low: int, high: int) -> bool:
    """Whether a number in ``low`` to ``high`` begins with ``text``."""
    negative = text.startswith("-")
    body = text[1:] if negative else text
    if "-" in body or body.count(".") > 1:
        return False
    if negative:
        low, high = -high, -low
        if high < 1:
            return False
        low = max(low, 1)
    elif high < 0:
        return False
    whole, point, decimals = body.partition(".")
    if not body:
        return True
    if not whole or (len(whole) > 1 and whole[0] == "0") or len(whole) > _MOST_DIGITS:
        return False
    if point:
        if len(decimals) > DECIMALS:
            return False
        size = int(10 ** (DECIMALS - len(decimals)))
        first = int(whole + decimals) * size
        return first <= high and low <= first + size - 1
    value = int(whole)
    ways = 1 if value == 0 else _MOST_DIGITS - len(whole) + 1
    return any(
        value * 10**k * GRID <= high and low <= (value + 1) * 10**k * GRID - 1 for k in range(ways)
    )


@dataclass(frozen=True)
class Free(Node):
    """Printable text on one line, ``left`` characters at most, ended by what ``then`` begins with."""

    left: int
    then: Then
    begun: bool = False

    def step(self, char: str) -> State:
        """One character fewer, or the end of the line."""
        found: State = ()
        plain = char.isprintable() and char.isascii()
        if self.left > 0 and plain and (self.begun or char.isupper()):
            found = (Free(self.left - 1, self.then, begun=True),)
        if self.begun:
            for node in self.then.follow(""):
                found += node.step(char)
        return found


def choice(words: tuple[str, ...], then: Then) -> State:
    """One of ``words``, which ``then`` is told."""
    return tuple(Literal(word, then, word) for word in words)


def literal(text: str, then: Then) -> State:
    """Exactly ``text``."""
    return (Literal(text, then, text),)


def advance(state: State, text: str) -> State:
    """The state after ``text``; empty where it does not fit."""
    for char in text:
        after: State = ()
        for node in state:
            after += node.step(char)
        if not after:
            return ()
        state = after if len(after) == 1 else tuple(dict.fromkeys(after))
    return state
