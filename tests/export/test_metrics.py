"""Measures of fidelity, each on sets whose answer is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from geng_export.evaluate.metrics import distribution
from geng_export.evaluate.metrics.copies import CopyCheck, copy_check
from geng_export.evaluate.metrics.discriminative import discriminative_score, paired_score
from geng_export.evaluate.metrics.extractor import (
    features_of,
    inception_score,
    standardised,
    train_extractor,
)
from geng_export.evaluate.metrics.frechet import frechet_distance
from geng_export.evaluate.metrics.joint import train_joint
from geng_export.evaluate.metrics.ts2vec import context_fid, train_ts2vec
from geng_export.evaluate.metrics.utility import train_detector

RNG = np.random.default_rng(0)
STEPS = np.arange(64)


def waves(n: int, period: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    return np.sin(2 * np.pi * STEPS / period + phase) + 0.1 * rng.standard_normal((n, 64))


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, 64))


def test_frechet_distance_of_two_gaussians_is_the_formula() -> None:
    rng = np.random.default_rng(1)
    one = rng.standard_normal((200_000, 3)) * [1.0, 2.0, 3.0]
    two = rng.standard_normal((200_000, 3)) * [2.0, 2.0, 1.0] + [1.0, 0.0, -2.0]
    # Diagonal covariances: the sum of squared differences of means and of standard deviations.
    assert frechet_distance(one, two) == pytest.approx(5.0 + 1.0 + 0.0 + 4.0, rel=0.02)
    assert frechet_distance(one, one) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("wrong", [np.zeros((1, 3)), np.zeros((5, 2)), np.zeros(5)])
def test_frechet_distance_refuses_what_has_no_covariance(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be"):
        frechet_distance(np.zeros((5, 3)), wrong)


def test_distribution_measures_vanish_for_equal_sets_and_grow_for_others() -> None:
    for measure in (
        distribution.acd,
        distribution.mdd,
        distribution.skewness_difference,
        distribution.kurtosis_difference,
    ):
        assert measure(waves(200, 16), waves(200, 16)) == 0.0
        assert measure(waves(200, 16), np.exp(noise(200))) > measure(
            waves(200, 16), waves(200, 16, 1)
        )
    assert distribution.kurtosis_difference(noise(2000), waves(2000, 16)) == pytest.approx(
        1.5, abs=0.1
    )


def test_crps_is_the_absolute_error_of_a_sure_forecast_and_less_for_a_spread_one() -> None:
    truth = np.zeros((4, 10))
    assert distribution.crps(truth, np.ones((4, 3, 10))) == pytest.approx(1.0)
    both = np.stack([np.ones((4, 10)), -np.ones((4, 10))], axis=1)
    assert distribution.crps(truth, both) == pytest.approx(0.5)


def test_precision_falls_for_strangers_and_recall_for_a_collapsed_set() -> None:
    points = RNG.standard_normal((500, 4))
    assert distribution.precision_recall(points, RNG.standard_normal((500, 4)))[0] > 0.8
    assert distribution.precision_recall(points, points + 100.0) == (0.0, 0.0)
    precision, recall = distribution.precision_recall(points, points[:1] + 0.01 * points)
    assert precision > 0.9
    assert recall < 0.2


def test_extractor_tells_families_apart_and_scores_the_variety() -> None:
    both = np.concatenate([waves(200, 8), noise(200)])
    network, names = train_extractor(both, ["wave"] * 200 + ["noise"] * 200, steps=60)
    assert names == ["noise", "wave"]
    # Two classes with labels smoothed to 0.95 and 0.05 reach 2 exp(-H(0.05)).
    assert inception_score(network, both) == pytest.approx(1.64, abs=0.1)
    assert inception_score(network, waves(200, 8, 3)) == pytest.approx(1.0, abs=0.1)
    real = features_of(network, waves(200, 8))
    same = frechet_distance(real, features_of(network, waves(200, 8, 5)))
    assert same < 0.05 * frechet_distance(real, features_of(network, noise(200)))


def test_standardised_windows_have_no_scale_left() -> None:
    x = standardised(5.0 + 3.0 * noise(4))
    np.testing.assert_allclose(x.mean(axis=1), 0.0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=1), 1.0, atol=1e-5)
    assert standardised(np.full((2, 64), 7.0)).tolist() == np.zeros((2, 64)).tolist()


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_discriminative_score_is_low_for_the_same_and_high_for_others(kind: str) -> None:
    steps = 80 if kind == "lstm" else 400
    same = discriminative_score(noise(400), noise(400, 1), kind=kind, steps=steps)
    other = discriminative_score(noise(400), 3.0 + noise(400, 1), kind=kind, steps=steps)
    assert same < 0.2 < other


def test_twins_of_learned_windows_do_not_count_as_told_apart() -> None:
    windows = noise(60)
    for in_order in (False, True):
        assert paired_score(windows, windows, steps=60, folds=3, in_order=in_order) < 1e-6
    assert paired_score(windows, 3.0 + noise(60, 1), steps=60, folds=3) > 0.2


def test_context_fid_is_least_between_like_sets() -> None:
    network = train_ts2vec(np.concatenate([waves(64, 8), noise(64)]), steps=15)
    same = context_fid(network, waves(100, 8), waves(100, 8, 2))
    assert same < 0.3 * context_fid(network, waves(100, 8), noise(100))


def test_joint_embedding_puts_a_series_beside_its_text() -> None:
    windows = np.concatenate([waves(200, 8), noise(200)])
    texts = np.zeros((400, 6), dtype=np.float32)
    texts[:200, 0] = texts[200:, 1] = 1.0
    texts += 0.1 * np.random.default_rng(2).standard_normal(texts.shape).astype(np.float32)
    joint = train_joint(windows, texts, steps=60)
    assert joint.agreement(windows, texts) > 0.2 + joint.agreement(windows[::-1], texts)
    again = np.concatenate([waves(200, 8, 4), noise(200, 4)])
    same = joint.distance(windows, again, texts)
    assert same < joint.distance(windows, again[::-1], texts)


def test_detector_is_better_than_chance_where_training_fits_the_test() -> None:
    struck = noise(300, 7)
    labels = [bool(i % 2) for i in range(300)]
    struck[1::2, 30] += 12.0
    assert train_detector(struck[:200], labels[:200]).score(struck[200:], labels[200:]) > 0.9
    flipped = [not label for label in labels[:200]]
    assert train_detector(struck[:200], flipped).score(struck[200:], labels[200:]) < 0.1


def test_a_copy_is_found_whatever_its_scale_and_a_slope_is_none() -> None:
    training = noise(300, 8)
    line = np.linspace(0.0, 90.0, training.shape[1])
    slopes = training + line
    found = copy_check(
        slopes,
        {
            "held out": noise(100, 9),
            "slopes": noise(100, 10) + line,
            "copies": 7.0 + 2.0 * slopes[:10],
        },
    )
    (held, _), (slope, slope_detail), (copied, copied_detail) = found.rows.values()
    assert copied == pytest.approx((0.0, 0.0, 0.0), abs=1e-5)
    assert copied_detail == pytest.approx((0.0, 0.0, 0.0), abs=1e-5)
    assert slope[0] < 0.2 < held[0]
    assert slope_detail[0] > 1.0
    assert "| copies | 0.000 |" in found.to_markdown()
    assert CopyCheck.from_dict(json.loads(json.dumps(found.to_dict()))) == found
