"""Stage two: an example guides the details."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from geng_edge import Condition, Generator
from geng_edge.analysis.analyser import analyse
from geng_edge.errors import ArgumentError, CancelledError
from geng_edge.reference import Reference

TEXT = "a cycle of 48 steps, values from 18 to 23, no trend, no anomaly"


@pytest.fixture(scope="module")
def bundled() -> Generator:
    return Generator.load(threads=1)


@pytest.fixture(scope="module")
def example() -> npt.NDArray[np.float32]:
    """A sawtooth of 48 steps with slow noise, on another level than the text's."""
    rng = np.random.default_rng(1)
    noise = np.zeros(512)
    for t in range(1, 512):
        noise[t] = 0.9 * noise[t - 1] + rng.normal()
    return (300.0 + 40.0 * (np.arange(512) % 48) / 48.0 + 1.5 * noise).astype(np.float32)


def shape(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    y = x.astype(np.float64)
    return np.asarray((y - y.mean()) / y.std())


def test_strength_0_is_one_stage_byte_for_byte(
    bundled: Generator, example: npt.NDArray[np.float32]
) -> None:
    condition = Condition.from_text(TEXT, 1.0, bundled)
    reference = Reference.of(bundled, example)
    alone = bundled.generate(condition, 3, seed=5)
    guided = bundled.generate(condition, 3, seed=5, reference=reference, strength=0.0)
    assert alone.values.tobytes() == guided.values.tobytes()


def test_strength_1_gives_the_example_back(
    bundled: Generator, example: npt.NDArray[np.float32]
) -> None:
    condition = Condition.from_text(TEXT, 1.0, bundled)
    reference = Reference.of(bundled, example)
    x = bundled.generate(condition, 2, reference=reference, strength=1.0).values
    assert np.abs(x - example).max() < 1e-3 * np.ptp(example)


def test_an_example_on_a_high_level_keeps_its_shape(
    bundled: Generator, example: npt.NDArray[np.float32]
) -> None:
    condition = Condition.from_text(TEXT, 1.0, bundled)
    high = Reference.of(bundled, example.astype(np.float64) + 1e9)
    plain = Reference.of(bundled, example)
    one, two = (bundled.generate(condition, 1, reference=r).values[0] for r in (high, plain))
    assert np.abs(one - two).max() < 1e-3 * np.ptp(two)
    back = bundled.generate(condition, 1, reference=high, strength=1.0).values[0]
    np.testing.assert_array_equal(back, (example.astype(np.float64) + 1e9).astype(np.float32))


def test_the_text_keeps_its_numbers_and_the_example_its_shape(
    bundled: Generator, example: npt.NDArray[np.float32]
) -> None:
    condition = Condition.from_text(TEXT, 1.0, bundled)
    reference = Reference.of(bundled, example)
    guided = bundled.generate(condition, 4, seed=2, reference=reference).values
    alone = bundled.generate(condition, 4, seed=2).values
    like = [float(shape(x) @ shape(example)) / 512 for x in guided]
    unlike = [float(shape(x) @ shape(example)) / 512 for x in alone]
    assert min(like) > 0.8 > max(unlike)
    gently = bundled.generate(condition, 4, seed=2, reference=reference, strength=0.2).values
    assert {(float(x.min()), float(x.max())) for x in gently} == {(18.0, 23.0)}
    for x in guided:
        found = analyse(x)
        assert (found.low, found.high) == (18.0, 23.0)
        assert found.periods[0] == pytest.approx(48.0, rel=0.02)


def test_the_text_wins_where_the_example_contradicts_it(
    bundled: Generator, example: npt.NDArray[np.float32]
) -> None:
    text = "values from 0 to 10, a rising trend, one spike in the middle, no periodicity"
    condition = Condition.from_text(text, 1.0, bundled)
    reference = Reference.of(bundled, example)
    series = bundled.generate(condition, 4, seed=2, reference=reference)
    found = [analyse(x) for x in series.values]
    assert [f.trend for f in found] == ["up"] * 4
    assert all(any(e.kind == "spike" for e in f.events) for f in found)


def test_same_seed_same_bytes_and_rows_are_seeds(
    bundled: Generator, example: npt.NDArray[np.float32]
) -> None:
    condition = Condition.from_text(TEXT, 1.0, bundled)
    reference = Reference.of(bundled, example)
    both = bundled.generate(condition, 2, seed=9, reference=reference).values
    second = bundled.generate(condition, 1, seed=10, reference=reference).values
    assert both[1].tobytes() == second[0].tobytes()


def test_it_can_be_stopped(bundled: Generator, example: npt.NDArray[np.float32]) -> None:
    condition = Condition.from_text(TEXT, 1.0, bundled)
    reference = Reference.of(bundled, example)
    with pytest.raises(CancelledError):
        bundled.generate(condition, 3, reference=reference, progress=lambda done, _: done < 2)


def test_bad_examples_are_refused(bundled: Generator, example: npt.NDArray[np.float32]) -> None:
    gappy = example.copy()
    gappy[3] = np.nan
    for x, sentence in (
        (example[:256], r"shape \(256,\); it must be \(512,\)"),
        (gappy, "nan at step 3; it must be finite"),
        (np.full(512, 7.0, np.float32), "7 at every step; it must vary"),
        (example.astype(np.float64) * 1e30, "at step .*; it must be below 1e\\+30"),
    ):
        with pytest.raises(ArgumentError, match=sentence):
            Reference.of(bundled, x)


def test_bad_settings_are_refused(bundled: Generator, example: npt.NDArray[np.float32]) -> None:
    condition = Condition.from_text(TEXT, 1.0, bundled)
    reference = Reference.of(bundled, example)
    for settings, sentence in (
        ({"strength": 0.5}, "without a reference"),
        ({"reference": reference, "strength": 1.5}, "strength is 1.5; it must be 0 to 1"),
        ({"reference": reference, "length": 1024}, "length is 1024; it must be 512"),
    ):
        with pytest.raises(ArgumentError, match=sentence):
            bundled.generate(condition, 1, **settings)  # type: ignore[arg-type]


def test_the_core_checks_what_it_is_handed(
    bundled: Generator, example: npt.NDArray[np.float32]
) -> None:
    condition = Condition.from_text(TEXT, 1.0, bundled).array
    model = bundled.model
    raw = model.encode_series(example[None])
    latent = model.express(raw, condition)[0]
    white = model.innovations(raw, example[None])[0]
    release = np.full(latent.shape, -1, np.int32)
    for bad in (
        (latent[:3], release, white, 0.5),
        (latent, release[:3], white, 0.5),
        (latent, release, white[:100], 0.5),
        (latent, release, white, 1.5),
        (np.full_like(latent, np.nan), release, white, 0.5),
    ):
        with pytest.raises((ArgumentError, ValueError)):
            model.sample(condition, 1, reference=bad)


def test_latents_translate_between_frames(
    bundled: Generator, example: npt.NDArray[np.float32]
) -> None:
    condition = Condition.from_text("a sensor", 1.0, bundled).array
    model = bundled.model
    raw = model.encode_series(example[None])
    again = model.restate(model.express(raw, condition), condition)
    x, y = model.reconstruct(np.concatenate([raw, again]), 512)
    assert np.abs(x - y).max() < 1e-3 * np.ptp(example)
