"""From characters to tokens: which pieces of a vocabulary the grammar lets follow.

The vocabulary is a trie of the texts of its tokens; a state of the grammar walks down it. Works for any
tokenizer whose tokens decode to text; tokens that hold half a character are never allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_cog.grammar.nodes import End, Free, State, advance

if TYPE_CHECKING:
    import numpy.typing as npt

_REMEMBERED = 50_000
_HALF = "\ufffd"


class Trie:
    """The texts of a vocabulary, letter by letter."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.size = len(texts)
        self.texts = list(texts)
        self.root: dict[str, Any] = {}
        for token, text in enumerate(texts):
            if not text or _HALF in text:
                continue
            at = self.root
            for char in text:
                at = at.setdefault(char, {})
            at.setdefault("", []).append(token)
        self._known: dict[State, npt.NDArray[np.int64]] = {}

    def allowed(self, state: State) -> npt.NDArray[np.int64]:
        """Ids of the tokens whose whole text fits after ``state``."""
        known = self._known.get(state)
        if known is None:
            found: list[int] = []
            _walk(self.root, state, found)
            known = np.array(sorted(found), dtype=np.int64)
            if len(self._known) < _REMEMBERED:
                self._known[state] = known
        return known


def _walk(at: dict[str, Any], state: State, found: list[int]) -> None:
    for char, below in at.items():
        if char == "":
            continue
        after = advance(state, char)
        if after:
            found += below.get("", ())
            if not all(isinstance(node, End) for node in after):
                _walk(below, after, found)


def token_texts(tokenizer: Any) -> list[str]:
    """The text that each token adds after another one, for any tokenizer of transformers."""
    anchor = tokenizer.encode("a", add_special_tokens=False)[-1]
    before = len(tokenizer.decode([anchor]))
    special = set(tokenizer.all_special_ids)
    return [
        "" if token in special else tokenizer.decode([anchor, token])[before:]
        for token in range(len(tokenizer))
    ]


class Guide:
    """Keeps one answer inside the grammar while a model writes it, token by token."""

    def __init__(self, trie: Trie, state: State) -> None:
        self.trie = trie
        self.state = state
        self.text = ""

    @property
    def done(self) -> bool:
        """Whether the text is whole."""
        return any(node.final for node in self.state)

    def allowed(self) -> npt.NDArray[np.int64]:
        """Ids of the tokens that may come next; empty when the text is whole."""
        state = self.state
        if len(state) == 1 and isinstance(state[0], Free) and state[0].left > 64:
            state = (Free(64, state[0].then, state[0].begun),)  # all the same further on
        return self.trie.allowed(state)

    def take(self, token: int) -> None:
        """Go on with a token that :meth:`allowed` gave."""
        text = self.trie.texts[token]
        self.state = advance(self.state, text)
        self.text += text
        if not self.state:
            raise AssertionError(f"token {token} does not fit the grammar")
