"""The paper's Table III and its kin: how alike generated and real windows are, system by system.

Every system gets the captions of real windows and answers each with one window. Windows are
standardised one by one before any measure: what a caption pins down in numbers is the conformity
columns' matter, and would drown the shape here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from geng_export.evaluate.captioned import Captioned, sentence_embeddings
from geng_export.evaluate.drawing import unheard
from geng_export.evaluate.kept import Arrays, Kept
from geng_export.evaluate.metrics import distribution
from geng_export.evaluate.metrics.discriminative import discriminative_score
from geng_export.evaluate.metrics.extractor import (
    Extractor,
    features_of,
    inception_score,
    standardised,
    train_extractor,
)
from geng_export.evaluate.metrics.frechet import frechet_distance
from geng_export.evaluate.metrics.joint import Joint, train_joint
from geng_export.evaluate.metrics.ts2vec import TS2Vec, embeddings, train_ts2vec
from geng_export.evaluate.metrics.utility import Detector, train_detector
from geng_export.evaluate.processes import PROCESSES, spread

Array = npt.NDArray[np.float32]
Captions = Sequence[Captioned]
#: Captions and a seed -> one window a caption, float32 ``[n, 512]``.
System = Callable[[Captions, int], Array]

#: Our own system; its variants' names go on from it.
OURS = "geng-edge"

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
        """One row a measure, one column a system, spreads in brackets; our own variants below."""
        ours = [name for name in self.rows if name.startswith(OURS)]
        others = [name for name in self.rows if name not in ours[1:]]
        tables = [self._table(others)]
        if len(ours) > 1:
            tables.append(self._table(ours))
        return "\n\n".join(tables)

    def _table(self, names: Sequence[str]) -> str:
        lines = ["| measure | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
        for c in COLUMNS:
            cells = [
                f"{mean:.3f} ({spread:.3f})" for mean, spread in (self.rows[n][c] for n in names)
            ]
            lines.append(f"| {c} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


@dataclass(frozen=True)
class Judge:
    """Everything that is trained on real windows alone, for one seed, and what it says of them."""

    seed: int
    extractor: Extractor
    ts2vec: TS2Vec
    joint: Joint
    detector: Detector
    real: Array
    features: npt.NDArray[np.float64]
    context: npt.NDArray[np.float64]
    trtr: float


@dataclass(frozen=True)
class Task:
    """Real windows, and the sentence embeddings of their captions.

    Attributes:
        known: What the extractor learns from: the more devices, the more it says of one it never saw.
        train: References of what else is trained to judge, and captions for TSTR.
        held: Windows to be told from generated ones.
        said, asked: Embeddings of the last two.
    """

    known: Captions
    train: Captions
    held: Captions
    said: Array
    asked: Array

    @classmethod
    def of(cls, known: Captions, train: Captions, held: Captions) -> Task:
        """With the embeddings."""
        said, asked = (sentence_embeddings([w.text for w in rows]) for rows in (train, held))
        return cls(known, train, held, said, asked)


def train_judge(task: Task, seed: int) -> Judge:
    """Train what judges. Cost: some two minutes for 1,000 windows on one core."""
    real, held = windows_of(task.train), standardised(windows_of(task.held))
    extractor, _ = train_extractor(
        windows_of(task.known), [w.domain for w in task.known], steps=STEPS["extractor"], seed=seed
    )
    ts2vec = train_ts2vec(standardised(real), steps=STEPS["ts2vec"], seed=seed)
    detector = train_detector(real, [w.anomalous for w in task.train], seed=seed)
    return Judge(
        seed,
        extractor,
        ts2vec,
        train_joint(real, task.said, steps=STEPS["joint"], seed=seed),
        detector,
        held,
        features_of(extractor, held),
        embeddings(ts2vec, held),
        detector.score(held, [w.anomalous for w in task.held]),
    )


def judge(by: Judge, task: Task, answers: Array, for_training: Array) -> dict[str, float]:
    """Every column for one system.

    Args:
        by: What was trained on the real windows.
        task: Those windows.
        answers: The system's windows for the held-out captions.
        for_training: Its windows for the training captions; what TSTR trains on.

    Cost: a minute or two for 1,000 windows on one core, most of it the discriminative score.
    """
    made, seed = standardised(answers), by.seed
    features = features_of(by.extractor, made)
    labels = [w.anomalous for w in task.held]
    taught = train_detector(for_training, [w.anomalous for w in task.train], seed=seed)
    precision, recall = distribution.precision_recall(by.features, features)
    return {
        "Frechet": frechet_distance(by.features, features),
        "Context-FID": frechet_distance(by.context, embeddings(by.ts2vec, made)),
        "J-FTSD": by.joint.distance(by.real, made, task.asked),
        "CTTP score": by.joint.agreement(made, task.asked),
        "inception": inception_score(by.extractor, made),
        "discriminative": discriminative_score(
            by.real, made, steps=STEPS["discriminative"], seed=seed
        ),
        "TRTR": by.trtr,
        "TRTS": by.detector.score(made, labels),
        "TSTR": taught.score(by.real, labels),
        "ACD": distribution.acd(by.real, made),
        "MDD": distribution.mdd(by.real, made),
        "SD": distribution.skewness_difference(by.real, made),
        "KD": distribution.kurtosis_difference(by.real, made),
        "precision": precision,
        "recall": recall,
    }


def measure(
    systems: Mapping[str, System],
    known: Captions,
    train: Captions,
    held: Captions,
    *,
    seeds: int = 3,
    processes: int = PROCESSES,
    kept: Kept | None = None,
    say: Callable[[str], object] = unheard,
) -> Fidelity:
    """Judge each system on the captions of held-out real windows.

    Args:
        systems: By name.
        known: All training windows.
        train: Those of them that are references of what is trained to judge, and captions for TSTR.
        held: Held-out windows.
        seeds: Judges are trained, and windows drawn, this many times.
        processes: Processes that judge.
        kept: Where what was drawn and judged is kept: a measure that was stopped goes on from it.
        say: Told of progress.

    Cost: see :func:`train_judge` and :func:`judge`, beside the systems' own.
    """
    parts = kept or Kept(None, {})
    drawn: dict[tuple[int, str], Arrays] = {}
    # One system after the other: what it takes to train one is given up when the next one draws.
    for number, (name, system) in enumerate(systems.items()):
        for seed in range(seeds):
            draw = partial(_drawn, system, held, train, seed)
            drawn[seed, name] = parts.arrays(f"drawn-{number}-{seed}", draw)
            say(f"seed {seed}: {name} has drawn")
    task = Task.of(known, train, held)
    judged = [f"judged-{seed}" for seed in range(seeds)]
    missing = [seed for seed in range(seeds) if not parts.has(judged[seed])]
    judges = spread(train_judge, repeat(task), missing, processes=processes)
    say(f"trained {len(missing)} sets of judges")
    by_seed = dict(zip(missing, judges, strict=True))
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for seed in range(seeds):
        sets = [drawn[seed, name] for name in systems]
        found = parts.figures(
            judged[seed], partial(_judged, by_seed.get(seed), task, sets, processes)
        )
        say(f"seed {seed}: judged")
        for name, row in zip(systems, found, strict=True):
            for column, value in row.items():
                figures[name][column].append(value)
    rows = {
        name: {c: (float(np.mean(v)), float(np.std(v))) for c, v in row.items()}
        for name, row in figures.items()
    }
    facts = {"known": len(known), "train": len(train), "held_out": len(held), "seeds": seeds}
    return Fidelity(rows, facts)


def _drawn(system: System, held: Captions, train: Captions, seed: int) -> Arrays:
    return {
        "answers": system(held, 10_000 * seed + 1),
        "for_training": system(train, 10_000 * seed + 2),
    }


def _judged(
    by: Judge | None, task: Task, sets: Sequence[Arrays], processes: int
) -> list[dict[str, float]]:
    answers, taught = ([one[key] for one in sets] for key in ("answers", "for_training"))
    return spread(judge, repeat(by), repeat(task), answers, taught, processes=processes)


def windows_of(rows: Captions) -> Array:
    """The windows of captions, ``[n, 512]``."""
    return np.stack([w.x for w in rows])
