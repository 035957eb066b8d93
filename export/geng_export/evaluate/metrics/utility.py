"""TRTR, TRTS, TSTR: an anomaly detector trained on one set of windows and tested on another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from geng_export.evaluate.metrics.extractor import standardised, train_extractor

STEPS = 300


def detector_score(
    train: npt.ArrayLike,
    train_labels: Sequence[bool],
    test: npt.ArrayLike,
    test_labels: Sequence[bool],
    *,
    seed: int = 0,
) -> float:
    """Balanced accuracy of a convolutional detector of anomalous windows.

    Both kinds weigh the same, in training and in the score, whatever their shares.

    Args:
        train, test: ``[n, length]``.
        train_labels, test_labels: Whether each window has an anomaly; both kinds must occur.
        seed: Of the detector.

    Cost: about 15 s on one core.
    """
    names = [str(bool(label)) for label in train_labels]
    network, classes = train_extractor(train, names, steps=STEPS, seed=seed)
    x = torch.from_numpy(standardised(test))
    with torch.no_grad():
        answers = torch.cat([network(part) for part in x.split(256)]).argmax(dim=-1).numpy()
    said = np.array([classes[i] == "True" for i in answers])
    truth = np.asarray(test_labels, dtype=bool)
    return float(0.5 * (said[truth].mean() + (~said[~truth]).mean()))
