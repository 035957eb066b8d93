"""The paper's Table III and its kin: how alike generated and real windows are, system by system.

Every system gets the captions of real windows and answers each with one window. Windows are
standardised one by one before any measure: what a caption pins down in numbers is the conformity
columns' matter, and would drown the shape here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from geng_export.evaluate.captioned import Captioned, sentence_embeddings
from geng_export.evaluate.drawing import unheard
from geng_export.evaluate.metrics import distribution
from geng_export.evaluate.metrics.discriminative import discriminative_score
from geng_export.evaluate.metrics.extractor import (
    features_of,
    inception_score,
    standardised,
    train_extractor,
)
from geng_export.evaluate.metrics.frechet import frechet_distance
from geng_export.evaluate.metrics.joint import train_joint
from geng_export.evaluate.metrics.ts2vec import context_fid, train_ts2vec
from geng_export.evaluate.metrics.utility import detector_score

Array = npt.NDArray[np.float32]
Captions = Sequence[Captioned]
#: Captions and a seed -> one window a caption, float32 ``[n, 512]``.
System = Callable[[Captions, int], Array]

#: Optimiser steps of what is trained to judge.
STEPS = {"extractor": 400, "ts2vec": 200, "joint": 600, "discriminative": 600}

COLUMNS = (
    "Frechet",
    "Context-FID",
    "J-FTSD",
    "CTTP score",
    "inception",
    "discriminative",
    "TRTR",
    "TRTS",
    "TSTR",
    "ACD",
    "MDD",
    "SD",
    "KD",
    "precision",
    "recall",
)


@dataclass(frozen=True)
class Fidelity:
    """Mean and spread (standard deviation over seeds) of each column, system by system."""

    rows: Mapping[str, Mapping[str, tuple[float, float]]]
    facts: Mapping[str, object]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        rows = {
            name: {c: {"mean": m, "spread": s} for c, (m, s) in row.items()}
            for name, row in self.rows.items()
        }
        return {**self.facts, "systems": rows}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Fidelity:
        """What :meth:`to_dict` gave."""
        rows = {
            name: {c: (cell["mean"], cell["spread"]) for c, cell in row.items()}
            for name, row in found["systems"].items()
        }
        return cls(rows, {k: v for k, v in found.items() if k != "systems"})

    def to_markdown(self) -> str:
        """One row a measure, one column a system; spreads in brackets."""
        lines = [
            "| measure | " + " | ".join(self.rows) + " |",
            "| --- |" + " ---: |" * len(self.rows),
        ]
        for c in COLUMNS:
            cells = [
                f"{row[c][0]:.3f} ({row[c][1]:.3f})" if c in row else "-"
                for row in self.rows.values()
            ]
            lines.append(f"| {c} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


class Judge:
    """Everything that is trained on real windows alone, for one seed."""

    def __init__(self, train: Captions, held: Captions, seed: int) -> None:
        self.train, self.held, self.seed = train, held, seed
        real = _windows(train)
        self.extractor, _ = train_extractor(
            real, [w.domain for w in train], steps=STEPS["extractor"], seed=seed
        )
        self.ts2vec = train_ts2vec(standardised(real), steps=STEPS["ts2vec"], seed=seed)
        said = sentence_embeddings([w.text for w in train])
        self.joint = train_joint(real, said, steps=STEPS["joint"], seed=seed)
        self.texts = sentence_embeddings([w.text for w in held])
        self.real = standardised(_windows(held))
        self.features = features_of(self.extractor, self.real)
        self.labels = [w.anomalous for w in held]
        self.taught = [w.anomalous for w in train]
        self.trtr = detector_score(real, self.taught, self.real, self.labels, seed=seed)

    def row(self, answers: Array, for_training: Array) -> dict[str, float]:
        """Every column for one system.

        Args:
            answers: Its windows for the held-out captions.
            for_training: Its windows for the training captions; what TSTR trains on.
        """
        made = standardised(answers)
        features = features_of(self.extractor, made)
        taught, seed = self.taught, self.seed
        precision, recall = distribution.precision_recall(self.features, features)
        return {
            "Frechet": frechet_distance(self.features, features),
            "Context-FID": context_fid(self.ts2vec, self.real, made),
            "J-FTSD": self.joint.distance(self.real, made, self.texts),
            "CTTP score": self.joint.agreement(made, self.texts),
            "inception": inception_score(self.extractor, made),
            "discriminative": discriminative_score(
                self.real, made, steps=STEPS["discriminative"], seed=seed
            ),
            "TRTR": self.trtr,
            "TRTS": detector_score(_windows(self.train), taught, made, self.labels, seed=seed),
            "TSTR": detector_score(for_training, taught, self.real, self.labels, seed=seed),
            "ACD": distribution.acd(self.real, made),
            "MDD": distribution.mdd(self.real, made),
            "SD": distribution.skewness_difference(self.real, made),
            "KD": distribution.kurtosis_difference(self.real, made),
            "precision": precision,
            "recall": recall,
        }


def measure(
    systems: Mapping[str, System],
    train: Captions,
    held: Captions,
    *,
    seeds: int = 3,
    say: Callable[[str], object] = unheard,
) -> Fidelity:
    """Judge each system on the captions of held-out real windows.

    Args:
        systems: By name.
        train: Training windows: references of what is trained to judge, and captions for TSTR.
        held: Held-out windows.
        seeds: Judges are trained, and windows drawn, this many times.
        say: Told of each row as it is done.

    Cost: some two minutes a system and seed for 1,000 windows on one core, beside its own.
    """
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seed in range(seeds):
        judge = Judge(train, held, seed)
        for name, system in systems.items():
            row = judge.row(system(held, 10_000 * seed + 1), system(train, 10_000 * seed + 2))
            for column, value in row.items():
                figures[name][column].append(value)
            say(f"seed {seed}, {name}: " + ", ".join(f"{c} {v:.3f}" for c, v in row.items()))
    rows = {
        name: {c: (float(np.mean(v)), float(np.std(v))) for c, v in row.items()}
        for name, row in figures.items()
    }
    return Fidelity(rows, {"train": len(train), "held_out": len(held), "seeds": seeds})


def _windows(rows: Captions) -> Array:
    return np.stack([w.x for w in rows])


def real_again(train: Captions) -> System:
    """Sanity row, the floor: real training windows, whatever is asked."""

    def system(asked: Captions, seed: int) -> Array:
        rng = np.random.default_rng(seed)
        # What TSTR trains on must keep its labels, so training captions get their own windows.
        if asked is train:
            return _windows(train)
        return _windows([train[i] for i in rng.integers(len(train), size=len(asked))])

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
        return _windows([train[i] for i in alike.argmax(axis=1)])

    return system


def shuffled(system: System) -> System:
    """Sanity row, the ceiling: the same system, asked for other windows' captions."""

    def answer(asked: Captions, seed: int) -> Array:
        order = np.random.default_rng(seed).permutation(len(asked))
        return system([asked[i] for i in order], seed)

    return answer
