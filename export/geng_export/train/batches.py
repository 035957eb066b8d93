"""Batches for training: examples drawn in worker processes, padded to their real length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from geng_export.data.dataset import Example, Source

#: Examples are sorted by length inside this many batches, so that little is padding.
SORTED_BATCHES = 4


@dataclass
class Batch:
    """A padded batch; ``mask`` is true where a word piece is real."""

    ids: torch.Tensor
    mask: torch.Tensor
    numbers: torch.Tensor
    roles: torch.Tensor
    answers: torch.Tensor
    frame: torch.Tensor
    raw: torch.Tensor


def collate(examples: list[Example]) -> Batch:
    """Pad to the longest text of the batch."""
    longest = max(len(e.ids) for e in examples)

    def padded(rows: list[np.ndarray], fill: float) -> torch.Tensor:
        out = np.full((len(rows), longest, *rows[0].shape[1:]), fill, dtype=rows[0].dtype)
        for i, row in enumerate(rows):
            out[i, : len(row)] = row
        return torch.from_numpy(out)

    ids = padded([e.ids for e in examples], 0)
    lengths = torch.tensor([len(e.ids) for e in examples])
    return Batch(
        ids,
        torch.arange(longest)[None] < lengths[:, None],
        padded([e.numbers for e in examples], 0.0),
        padded([e.roles for e in examples], -1),
        torch.from_numpy(np.stack([e.answers for e in examples])),
        torch.from_numpy(np.stack([e.frame for e in examples])),
        torch.from_numpy(np.stack([e.raw for e in examples])),
    )


class _Stream(IterableDataset[Batch]):
    """Batches from example ``start`` on; worker w of n takes every n-th group."""

    def __init__(
        self, source: Source, tokenizer: Tokenizer, size: int, start: int, rank: int, ranks: int
    ) -> None:
        self.source, self.tokenizer, self.size, self.start = source, tokenizer, size, start
        self.rank, self.ranks = rank, ranks

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        share = self.rank + self.ranks * (worker.id if worker else 0)
        shares = self.ranks * (worker.num_workers if worker else 1)
        group = self.size * SORTED_BATCHES
        at = self.start + share * group
        while True:
            stream = self.source.examples(self.tokenizer, at)
            drawn = sorted((next(stream) for _ in range(group)), key=lambda e: len(e.ids))
            order = np.random.default_rng((self.source.seed, at)).permutation(SORTED_BATCHES)
            for i in order:
                yield collate(drawn[i * self.size : (i + 1) * self.size])
            at += shares * group


def batches(
    source: Source,
    tokenizer: Tokenizer,
    size: int,
    *,
    start: int = 0,
    workers: int = 1,
    rank: int = 0,
    ranks: int = 1,
) -> Iterator[Batch]:
    """Batches without end, deterministic from the source's seed and ``start``.

    Args:
        source: What to draw.
        tokenizer: The text expert's.
        size: Examples in a batch.
        start: Examples that earlier runs have seen.
        workers: Processes that draw.
        rank, ranks: This process among several that train together.
    """
    stream = _Stream(source, tokenizer, size, start, rank, ranks)
    return iter(DataLoader(stream, batch_size=None, num_workers=workers))
