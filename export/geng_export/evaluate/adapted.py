"""A model before and after it was adapted to a user's own series."""

from __future__ import annotations

import logging
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geng_edge import Generator
from geng_export.evaluate.captioned import captions_of
from geng_export.evaluate.conformity import judge_all, report
from geng_export.evaluate.drawing import Way, descriptions, draw
from geng_export.evaluate.fidelity import STEPS, windows_of
from geng_export.evaluate.metrics.discriminative import paired_score
from geng_export.evaluate.metrics.extractor import standardised
from geng_export.evaluate.metrics.frechet import frechet_distance
from geng_export.evaluate.metrics.ts2vec import embeddings, train_ts2vec
from geng_export.evaluate.processes import spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geng_edge.claims import Claims
    from geng_export.train.own import OwnWindows

log = logging.getLogger(__name__)

FloatArray = npt.NDArray[np.float64]

DESCRIPTIONS, SAMPLES = 100, 5
#: Fewer held-back windows say nothing of a distribution.
LEAST_HELD = 10


def compare(
    before: Path, after: Path, windows: OwnWindows, claims: Sequence[Claims], seed: int = 0
) -> dict[str, object]:
    """Both models on held-back windows and on development descriptions.

    Args:
        before, after: Model files.
        windows: What the second was adapted to, and what was held back.
        claims: What the captions of the held-back windows state, as in training.
        seed: Of the captions' words, of the judges and of what is drawn.

    Returns:
        ``before`` and ``after``: ``discriminative`` (two-layer LSTM, distance from chance,
        cross-validated over parts of the held-back series), ``frechet``
        (on TS2Vec features trained on the training windows) of series drawn for the captions of
        held-back windows, against those windows; and ``conformity`` in per cent. ``floor``: the first two
        of training windows in place of generated ones, and ``windows``: how many different ones these
        are, fewer than were held back where there are no more.

    Cost: some twenty minutes on two cores.
    """
    held = captions_of(windows.held, seed, claims)
    truth = standardised(windows_of(held))
    chosen = floor_of(len(windows.train), len(held), seed)
    generators = {"before": Generator.load(before), "after": Generator.load(after)}
    made = {"floor": standardised(np.stack([windows.train[i].x for i in chosen]))}
    for name, generator in generators.items():
        made[name] = standardised(np.concatenate(draw(generator, held, 1, Way(), seed)))
    log.info("drew %d windows each", len(held))
    told = spread(
        _told_apart, repeat(truth), made.values(), repeat(STEPS["discriminative"]), repeat(seed)
    )
    real = standardised(np.stack([w.x for w in windows.train]))
    judge = train_ts2vec(real, steps=STEPS["ts2vec"], seed=seed)
    features = embeddings(judge, truth)
    found: dict[str, dict[str, object]] = {}
    for (name, x), apart in zip(made.items(), told, strict=True):
        distance = frechet_distance(features, embeddings(judge, x))
        found[name] = {"discriminative": apart, "frechet": distance}
    found["floor"]["windows"] = len(set(chosen))
    asked = descriptions("development", DESCRIPTIONS)
    for name, generator in generators.items():
        drawn = draw(generator, asked, SAMPLES, Way(), seed)
        judged = judge_all(drawn, [one.claims for one in asked], [one.task for one in asked])
        rates = {k: round(v, 2) for k, v in report(judged, {}).raw[0].items()}
        found[name]["conformity"] = rates
    for name, row in found.items():
        log.info("%s: %s", name, row)
    return dict(found)


def floor_of(there: int, wanted: int, seed: int) -> list[int]:
    """Which of the training windows are held against the held-back ones, as many as those.

    Each once, for one that is there twice is a distribution that generated windows need not have;
    where there are fewer than wanted, each as often as another, or once more.
    """
    order = np.random.default_rng((seed, 1)).permutation(there)
    return [int(i) for i in np.resize(order, wanted)]


def _told_apart(real: FloatArray, made: FloatArray, steps: int, seed: int) -> float:
    # Windows that overlap are neighbours; whole runs of them are held out.
    return paired_score(real, made, steps=steps, seed=seed, in_order=True)
