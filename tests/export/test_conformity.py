"""The columns of Table II: what counts, and what is left out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from geng_edge.analysis.analyser import analyse
from geng_edge.claims import Claims, Event
from geng_export.data.dataset import development_descriptions
from geng_export.evaluate.conformity import judge, judge_all, report

T = np.arange(512)
RAMP = np.linspace(0.0, 10.0, 512) + 0.05 * np.random.default_rng(0).standard_normal(512)


def test_only_what_is_claimed_is_judged() -> None:
    assert judge(analyse(RAMP), Claims()) == {}
    assert judge(analyse(RAMP), Claims(trend="up")) == {"trend": 1.0}
    assert judge(analyse(RAMP), Claims(trend="down")) == {"trend": 0.0}


def test_errors_are_shares_of_what_was_asked() -> None:
    wave = np.sin(2 * np.pi * T / 40.0)
    claims = Claims(periods=(44.0,), periodic=True, low=-2.0, high=2.0, mean=1.0)
    figures = judge(analyse(wave), claims)
    assert figures["periodicity"] == 1.0
    assert figures["period size"] == pytest.approx(4.0 / 44.0, abs=0.01)
    assert figures["range"] == pytest.approx(0.25, abs=0.01)
    assert figures["mean"] == pytest.approx(0.25, abs=0.01)


def test_a_period_of_another_size_is_no_answer() -> None:
    wave = np.sin(2 * np.pi * T / 40.0)
    assert judge(analyse(wave), Claims(periods=(80.0,), periodic=True))["periodicity"] == 0.0


def test_an_anomaly_must_be_of_the_asked_kind() -> None:
    spiked = RAMP.copy()
    spiked[200] += 8.0
    assert judge(analyse(spiked), Claims(events=(Event("spike", 0.4),)))["anomaly"] == 1.0
    assert judge(analyse(spiked), Claims(events=(Event("dip", 0.4),)))["anomaly"] == 0.0
    assert judge(analyse(spiked), Claims(events=()))["no anomaly"] == 0.0


def test_protocols_are_kept_apart() -> None:
    good, bad = RAMP.astype(np.float32), RAMP[::-1].astype(np.float32)
    samples = np.stack([good, good, bad])
    judged = judge_all([samples], [Claims(trend="up")], [1], processes=1)
    tables = report(judged, {"seed": 0})
    assert tables.raw[1]["trend"] == pytest.approx(200 / 3)
    assert tables.median[1]["trend"] == 100.0
    assert "66.7 (91.2)" in tables.to_markdown()
    assert json.loads(tables.to_json())["facts"] == {"seed": 0}


def test_composed_development_series_bear_out_their_descriptions() -> None:
    pairs = development_descriptions(80)
    drawn = [pair.series[None] for pair in pairs if pair.series is not None]
    judged = judge_all(drawn, [p.claims for p in pairs], [p.task for p in pairs], processes=1)
    overall = report(judged, {}).raw[0]
    for column in ("trend", "periodicity", "anomaly"):
        assert overall[column] >= 97.0, column
    assert overall["range"] <= 0.5
