"""What every baseline is trained on, for how long, and what it becomes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from geng_export.evaluate.captioned import Captioned, sentence_embeddings
from geng_export.evaluate.fidelity import Array, Captions, System
from geng_export.evaluate.metrics.extractor import standardised

LENGTH = 512
#: Sentence embeddings ``[n, width]`` and a seed -> standardised windows ``[n, 512]``.
Sampler = Callable[[torch.Tensor, int], torch.Tensor]


@dataclass(frozen=True)
class Pairs:
    """Standardised windows ``[n, 512]`` and the sentence embeddings of their captions ``[n, width]``."""

    windows: torch.Tensor
    texts: torch.Tensor

    @classmethod
    def of(cls, rows: Sequence[Captioned]) -> Pairs:
        """Of captioned windows."""
        windows = standardised(np.stack([w.x for w in rows]))
        return cls(
            torch.from_numpy(windows), torch.from_numpy(sentence_embeddings([w.text for w in rows]))
        )

    def drawn(self, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """A batch of windows ``[size, 512]`` and texts."""
        i = torch.randint(len(self.windows), (size,))
        return self.windows[i], self.texts[i]


@dataclass(frozen=True)
class Budget:
    """How long each system may train.

    Attributes:
        seconds: Of processor time, all threads added: other work on the machine takes none of it.
        most: Steps at which it ends however fast it was.
        seed: Of initialisation and batches.
    """

    seconds: float
    most: int = 100_000
    seed: int = 0

    def steps(self) -> Iterator[float]:
        """Shares of the budget that are used up, one a step, until it is."""
        torch.manual_seed(self.seed)
        began = time.process_time()
        for step in range(self.most):
            share = max(step / self.most, (time.process_time() - began) / self.seconds)
            if share >= 1.0:
                return
            yield share


def system(train: Callable[[Pairs, Budget], Sampler], pairs: Pairs, budget: Budget) -> System:
    """Train a baseline, and give it back as a system that can be judged."""
    return partial(_answer, train(pairs, budget))


def _answer(sampler: Sampler, asked: Captions, seed: int) -> Array:
    texts = torch.from_numpy(sentence_embeddings([w.text for w in asked]))
    with torch.no_grad():
        made: npt.NDArray[np.float32] = sampler(texts, seed).numpy()
    return made
