"""The analyser on series whose truth is known by construction: the yardstick of everything else."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from geng_edge.analysis.analyser import analyse
from geng_export.evaluate import truth
from geng_export.evaluate.conformity import RATES, judge

SERIES = 300


@pytest.fixture(scope="module")
def figures() -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for task in truth.TASKS:
        rng = np.random.default_rng((0, task))
        for _ in range(SERIES):
            known = truth.draw(rng, task)
            for column, figure in judge(analyse(known.x), known.claims).items():
                found[column].append(figure)
    return found


@pytest.mark.parametrize("column", RATES)
def test_analyser_is_right_on_at_least_98_percent(
    column: str, figures: dict[str, list[float]]
) -> None:
    assert len(figures[column]) >= SERIES
    assert np.mean(figures[column]) >= 0.98


def test_analyser_measures_periods_and_levels_within_two_percent(
    figures: dict[str, list[float]],
) -> None:
    assert np.mean(figures["period size"]) <= 0.02
    assert max(figures["range"]) <= 1e-6
    assert max(figures["mean"]) <= 0.02


@pytest.mark.parametrize(
    ("length", "least"),
    [
        (64, {"trend": 0.97, "periodicity": 0.94, "anomaly": 0.85, "no anomaly": 0.95}),
        (128, {"trend": 0.97, "periodicity": 0.96, "anomaly": 0.92, "no anomaly": 0.95}),
    ],
)
def test_analyser_reads_short_windows_too(length: int, least: dict[str, float]) -> None:
    found: dict[str, list[float]] = defaultdict(list)
    for task in truth.TASKS:
        rng = np.random.default_rng((1, task))
        for _ in range(80):
            known = truth.draw(rng, task, length)
            for column, figure in judge(analyse(known.x), known.claims).items():
                found[column].append(figure)
    means = {column: float(np.mean(found[column])) for column in least}
    assert all(means[column] >= share for column, share in least.items()), means


def test_analyse_takes_a_constant() -> None:
    found = analyse(np.full(512, 3.5))
    assert (found.trend, found.periodic, found.events) == ("none", False, ())


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (np.zeros((2, 512)), "it must be"),
        (np.zeros(8), "it must be"),
        (np.full(512, np.nan), "not finite at step 0"),
    ],
)
def test_analyse_refuses_what_is_no_window(x: np.ndarray, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        analyse(x)
