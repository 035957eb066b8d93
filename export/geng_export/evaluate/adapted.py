"""A model before and after it was adapted to a user's own series."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geng_edge import Generator
from geng_export.evaluate.captioned import captions_of
from geng_export.evaluate.conformity import judge_all, report
from geng_export.evaluate.drawing import Way, descriptions, draw
from geng_export.evaluate.fidelity import STEPS, windows_of
from geng_export.evaluate.metrics.discriminative import discriminative_score
from geng_export.evaluate.metrics.extractor import standardised
from geng_export.evaluate.metrics.frechet import frechet_distance
from geng_export.evaluate.metrics.ts2vec import embeddings, train_ts2vec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geng_edge.claims import Claims
    from geng_export.train.own import OwnWindows

log = logging.getLogger(__name__)

DESCRIPTIONS, SAMPLES = 100, 5


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
        ``before`` and ``after``: ``discriminative`` (two-layer LSTM, distance from chance), ``frechet``
        (on TS2Vec features trained on the training windows) of series drawn for the captions of
        held-back windows, against those windows; and ``conformity`` in per cent. ``floor``: the same
        of training windows in place of generated ones.

    Cost: some five minutes on two cores.
    """
    real = standardised(np.stack([w.x for w in windows.train]))
    held = captions_of(windows.held, seed, claims)
    truth = standardised(windows_of(held))
    judge = train_ts2vec(real, steps=STEPS["ts2vec"], seed=seed)
    features = embeddings(judge, truth)

    def figures(made: np.ndarray) -> dict[str, object]:
        x = standardised(made)
        return {
            "discriminative": discriminative_score(
                truth, x, steps=STEPS["discriminative"], seed=seed
            ),
            "frechet": frechet_distance(features, embeddings(judge, x)),
        }

    rng = np.random.default_rng((seed, 1))
    some = [windows.train[i].x for i in rng.integers(len(windows.train), size=len(held))]
    found: dict[str, object] = {"floor": figures(np.stack(some))}
    asked = descriptions("development", DESCRIPTIONS)
    for name, path in (("before", before), ("after", after)):
        generator = Generator.load(path)
        row = figures(np.concatenate(draw(generator, held, 1, Way(), seed)))
        drawn = draw(generator, asked, SAMPLES, Way(), seed)
        judged = judge_all(drawn, [one.claims for one in asked], [one.task for one in asked])
        row["conformity"] = {k: round(v, 2) for k, v in report(judged, {}).raw[0].items()}
        found[name] = row
        log.info("%s: %s", name, row)
    return found
