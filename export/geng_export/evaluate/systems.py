"""What stands in the table of fidelity: our model and its variants, the baselines, and sanity rows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache, partial
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np

from geng_export.evaluate.baselines import c_dm, c_gan, t2s
from geng_export.evaluate.baselines.pairs import Budget, Pairs, system
from geng_export.evaluate.captioned import sentence_embeddings
from geng_export.evaluate.drawing import Way, draw
from geng_export.evaluate.fidelity import OURS, Array, Captions, System, windows_of
from geng_export.evaluate.processes import spread

if TYPE_CHECKING:
    from geng_edge.generator import Generator

log = logging.getLogger(__name__)


def systems(
    generator: Generator, known: Captions, train: Captions, seconds: float
) -> dict[str, System]:
    """Every system by its name in the table.

    Args:
        generator: Our model.
        known: All captioned training windows; what the baselines train on.
        train: Those of them that judges see.
        seconds: Training of each baseline, on one core; 0 leaves them out.
    """
    return {
        OURS: ours(generator),
        **(baselines(known, seconds) if seconds > 0.0 else {}),
        "real, its own windows": its_own,
        "real, other windows": real_again(train),
        "nearest caption's window": nearest_caption(train),
        f"{OURS}, no number channels": ours(generator, Way(numbers=False)),
        f"{OURS}, quantity and unit alone": named_only(ours(generator)),
        f"{OURS}, captions shuffled": shuffled(ours(generator)),
    }


def ours(generator: Generator, way: Way | None = None) -> System:
    """Our model, drawing in its default way or another."""

    def answer(asked: Captions, seed: int) -> Array:
        return np.concatenate(draw(generator, asked, 1, way or Way(), seed))

    return answer


def baselines(known: Captions, seconds: float) -> dict[str, System]:
    """C-GAN, C-DM and T2S, each trained on ``known`` for ``seconds`` on a core."""
    trainers: dict[str, Callable[..., object]] = {
        "C-GAN": c_gan.train,
        "C-DM": c_dm.train,
        "T2S": t2s.train,
    }

    @cache
    def trained() -> dict[str, System]:
        """When first asked: what is kept of an earlier run is not drawn again."""
        log.info("training %s for %g s each on %d pairs", ", ".join(trainers), seconds, len(known))
        pairs, budget = Pairs.of(known), Budget(seconds)
        made = spread(system, trainers.values(), repeat(pairs), repeat(budget))
        return dict(zip(trainers, made, strict=True))

    def answer(name: str, asked: Captions, seed: int) -> Array:
        return trained()[name](asked, seed)

    return {name: partial(answer, name) for name in trainers}


def its_own(asked: Captions, _seed: int) -> Array:
    """Sanity row, the answer itself: what each measure says of windows that are the real ones."""
    return windows_of(asked)


def real_again(train: Captions) -> System:
    """Sanity row, the floor: real training windows, whatever is asked."""

    def system(asked: Captions, seed: int) -> Array:
        rng = np.random.default_rng(seed)
        # What TSTR trains on must keep its labels, so training captions get their own windows.
        if asked is train:
            return windows_of(train)
        return windows_of([train[i] for i in rng.integers(len(train), size=len(asked))])

    return system


def nearest_caption(train: Captions) -> System:
    """Sanity row, retrieval: the training window whose caption is nearest in words."""
    known = sentence_embeddings([w.text for w in train])
    known /= np.linalg.norm(known, axis=1, keepdims=True)

    def system(asked: Captions, _seed: int) -> Array:
        words = sentence_embeddings([w.text for w in asked])
        alike = words @ known.T
        if asked is train:  # its own caption would be the nearest
            np.fill_diagonal(alike, -np.inf)
        return windows_of([train[i] for i in alike.argmax(axis=1)])

    return system


def shuffled(base: System) -> System:
    """Sanity row, the ceiling: the same system, asked for other windows' captions."""

    def answer(asked: Captions, seed: int) -> Array:
        order = np.random.default_rng(seed).permutation(len(asked))
        return base([asked[i] for i in order], seed)

    return answer


def named_only(base: System) -> System:
    """Ablation: the same system, told the quantity and the unit and nothing else."""

    def answer(asked: Captions, seed: int) -> Array:
        return base([one.named_only() for one in asked], seed)

    return answer
