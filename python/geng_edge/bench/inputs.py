"""What the bench draws: two fixed descriptions, encoded without the extra ``text``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from geng_edge.condition import Condition
from geng_edge.number_channels import number_channels
from geng_edge.numbers import find_numbers

if TYPE_CHECKING:
    from geng_edge.generator import Generator

#: Plain ASCII, so that splitting them needs no tokenizer. Speed is measured on the first.
TEXTS = (
    "Periodic data with a period of 64 steps, values range from -5 to 5, upward trend, no anomaly",
    "Values between 3.2 and 4.1 that fall slowly, low noise, with a sudden drop at step 300",
)
_WORD = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")


def conditions(generator: Generator) -> list[Condition]:
    """The two descriptions as this model's text expert reads them.

    A word that its vocabulary cannot spell becomes ``[UNK]``, so any model with a text expert will do.
    """
    vocabulary = {piece: i for i, piece in enumerate(generator.model.vocabulary)}
    return [_encode(generator, text, vocabulary) for text in TEXTS]


def _encode(generator: Generator, text: str, vocabulary: Mapping[str, int]) -> Condition:
    most = generator.model.max_tokens - 2
    pieces = list(_pieces(text, vocabulary))[:most]
    unknown = vocabulary.get("[UNK]", 0)
    ids = [
        vocabulary.get("[CLS]", unknown),
        *(vocabulary.get(piece, unknown) for piece, _ in pieces),
        vocabulary.get("[SEP]", unknown),
    ]
    offsets = [(0, 0), *(span for _, span in pieces), (0, 0)]
    channels = number_channels(find_numbers(text, 1.0), offsets)
    return Condition(generator.model.encode_text(np.asarray(ids, dtype=np.int32), channels))


def _pieces(text: str, vocabulary: Mapping[str, int]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Word pieces, longest first (Wu et al. 2016), each with its span of characters."""
    for word in _WORD.finditer(text.lower()):
        found = list(_split(word[0], vocabulary))
        if not found:
            yield "[UNK]", word.span()
        for piece, first, last in found:
            yield piece, (word.start() + first, word.start() + last)


def _split(word: str, vocabulary: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    parts = []
    first = 0
    while first < len(word):
        for last in range(len(word), first, -1):
            piece = ("##" if first else "") + word[first:last]
            if piece in vocabulary:
                parts.append((piece, first, last))
                first = last
                break
        else:
            return
    yield from parts
