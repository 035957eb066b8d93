"""Editing: what the text states changes, the rest stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from geng_edge import Condition, Generator
from geng_edge.analysis.analyser import analyse
from geng_edge.edit import Edited, edit
from geng_edge.errors import ArgumentError
from geng_edge.reference import Reference


@pytest.fixture(scope="module")
def bundled() -> Generator:
    return Generator.load(threads=1)


@pytest.fixture(scope="module")
def series() -> npt.NDArray[np.float32]:
    t = np.arange(512)
    noise = np.random.default_rng(4).normal(size=512)
    return (20.0 + 3.0 * np.sin(2 * np.pi * t / 32) + 0.3 * noise).astype(np.float32)


def edited(text: str, x: npt.NDArray[np.floating[Any]], generator: Generator) -> Edited:
    condition = Condition.from_text(text, 1.0, generator)
    return edit(generator, Reference.of(generator, x), condition)


def test_a_dropout_is_added_and_nothing_else_moves(
    bundled: Generator, series: npt.NDArray[np.float32]
) -> None:
    result = edited("add a dropout near the end", series, bundled)
    assert result.held
    assert [e.kind for e in analyse(result.values).events] == ["dropout"]
    changed = np.flatnonzero(np.abs(result.values - series) > 0.02 * np.ptp(series))
    assert changed.min() > 380
    assert np.abs(result.values[:380] - series[:380]).max() < 1e-3 * np.ptp(series)


def test_what_lies_before_a_level_shift_stays(
    bundled: Generator, series: npt.NDArray[np.float32]
) -> None:
    result = edited("a level shift upwards at 60 %", series, bundled)
    assert result.held
    assert np.abs(result.values[:250] - series[:250]).max() < 0.02 * np.ptp(series)
    assert result.values[400:].mean() > series[400:].mean() + 0.2 * np.ptp(series)


def test_a_trend_is_added_and_the_season_stays(
    bundled: Generator, series: npt.NDArray[np.float32]
) -> None:
    result = edited("make it rise", series, bundled)
    found = analyse(result.values)
    assert result.held
    assert found.trend == "up"
    assert found.periods[0] == pytest.approx(32.0, rel=0.02)


def test_an_anomaly_is_taken_out(bundled: Generator, series: npt.NDArray[np.float32]) -> None:
    x = series.copy()
    x[200:203] += 15.0
    assert analyse(x).events
    result = edited("no anomaly", x, bundled)
    assert result.held
    assert np.abs(result.values - series)[[*range(190), *range(215, 512)]].max() < 0.5
    assert result.values.max() < 26.0


def test_limits_and_mean_are_met(bundled: Generator, series: npt.NDArray[np.float32]) -> None:
    result = edited("values from 100 to 200 with a mean of 140", series, bundled)
    assert result.held
    found = analyse(result.values)
    assert (found.low, found.high) == (pytest.approx(100.0), pytest.approx(200.0))
    assert found.mean == pytest.approx(140.0, abs=1.0)
    assert found.periods[0] == pytest.approx(32.0, rel=0.02)


def test_a_limit_alone_moves_nothing_and_is_said_not_to_show(
    bundled: Generator, series: npt.NDArray[np.float32]
) -> None:
    result = edited("no trend, minimum 100", series, bundled)
    assert {c.claim: c.held for c in result.checks} == {"trend": True, "low": False}
    assert abs(result.values.mean() - series.mean()) < 0.02 * np.ptp(series)
    with pytest.raises(ArgumentError, match="states nothing to edit.*both limits"):
        edited("mean of 20 degC", series, bundled)


def test_a_meter_keeps_its_digits(bundled: Generator) -> None:
    rng = np.random.default_rng(4)
    meter = np.round(1234567890.1 + np.cumsum(20.0 + rng.normal(size=512)), 1)
    result = edited("add a dropout near the end", meter, bundled)
    assert result.values.dtype == np.float64
    assert (result.values[:200] == meter[:200]).mean() > 0.9
    assert np.abs(result.values[:380] - meter[:380]).max() < 1e-3 * np.ptp(meter)
    changed = result.values[result.values != meter]
    assert len(changed) > 0
    np.testing.assert_array_equal(changed, changed.round(2))


def test_a_series_in_small_units_is_edited_as_in_large_ones(
    bundled: Generator, series: npt.NDArray[np.float32]
) -> None:
    plain = edited("make it rise", series.astype(np.float64), bundled)
    small = edited("make it rise", series.astype(np.float64) * 2.0**-50, bundled)
    assert plain.held
    assert small.held
    np.testing.assert_allclose(small.values * 2.0**50, plain.values, atol=2e-6 * np.ptp(series))


def test_a_text_that_states_nothing_is_refused(
    bundled: Generator, series: npt.NDArray[np.float32]
) -> None:
    with pytest.raises(ArgumentError, match="states nothing to edit"):
        edited("a sensor", series, bundled)
