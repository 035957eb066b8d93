"""The self-check: what it holds against a series, which candidate it keeps, what it reports."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geng_edge import Condition, Generator
from geng_edge.analysis.analyser import analyse
from geng_edge.claims import Claims, Event
from geng_edge.claims_reader import read_claims, stated_events
from geng_edge.cli.main import main
from geng_edge.errors import ArgumentError
from geng_edge.series import Series
from geng_edge.verify import checks, verified

DISTILLED = Path(__file__).parents[1] / "data" / "golden" / "tiny_distilled.gguf"
STEPS = np.arange(512)
WAVE = 10.0 + 5.0 * np.sin(2 * np.pi * STEPS / 32)
RISING = WAVE + 30.0 * STEPS / 511


def named(series: np.ndarray, claims: Claims) -> dict[str, bool]:
    return {c.claim: c.held for c in checks(analyse(series, 1.0), claims)}


def test_claims_that_hold_and_claims_that_do_not() -> None:
    claims = Claims(trend="none", periods=(32.0,), periodic=True, low=5.0, high=15.0, mean=10.0)
    assert named(WAVE, claims) == dict.fromkeys(("trend", "period", "low", "high", "mean"), True)
    wrong = Claims(trend="up", periods=(40.0,), periodic=True, low=0.0, high=15.0, mean=12.0)
    found = checks(analyse(WAVE, 1.0), wrong)
    assert [c.claim for c in found if c.held] == ["high"]
    by_name = {c.claim: c for c in found}
    assert by_name["trend"].measured == "none"
    assert by_name["period"].measured == pytest.approx(32.0, rel=0.01)
    assert by_name["low"].error == pytest.approx(5.0 / 15.0, rel=0.01)


def test_events_are_read_with_their_places() -> None:
    unsaid = dict.fromkeys(("spike", "dip", "shift up", "shift down", "dropout"), "no")
    said = {**unsaid, "anomaly": "yes", "position": "0.3", "position2": "0.8"}
    frame = {
        "has_position": False, "position_centre": 0.0, "has_position2": True, "position2_centre": 0.75,
    }  # fmt: skip

    def read(**more: str) -> list[tuple[str, float]] | None:
        found = stated_events({**said, **more}, frame)
        return None if found is None else [(e.kind, e.position) for e in found]

    assert read(anomaly="no") == []
    assert read() is None
    assert read(spike="yes", dropout="yes") == [("spike", 0.3), ("dropout", 0.75)]
    assert read(dip="yes") == [("dip", 0.3), ("dip", 0.75)]
    assert read(spike="yes", dip="yes", dropout="yes") == [
        ("spike", 0.5), ("dip", 0.5), ("dropout", 0.5),
    ]  # fmt: skip
    frame["has_position2"] = False
    assert read(dip="yes") == [("dip", 0.3)]


def test_a_limit_or_a_mean_alone_is_held_within_what_the_series_spans() -> None:
    for kept in (Claims(low=5.1), Claims(high=14.9), Claims(mean=10.1)):
        assert list(named(WAVE, kept).values()) == [True]
    for broken in (Claims(low=4.0), Claims(high=16.0), Claims(mean=20.0)):
        assert list(named(WAVE, broken).values()) == [False]
    (check,) = checks(analyse(WAVE, 1.0), Claims(mean=20.0))
    assert check.error == pytest.approx(1.0, rel=0.01)
    impossible = Claims(low=5.0, high=15.0, mean=150.0)
    assert named(WAVE, impossible) == {"low": True, "high": True, "mean": False}
    constant = np.full(512, 20.0)
    assert named(constant, Claims(low=20.0, high=20.0)) == {"low": True, "high": True}
    assert named(np.zeros(512), Claims(mean=20.0)) == {"mean": False}


def test_an_anomaly_must_be_of_its_kind_and_at_its_place() -> None:
    struck = WAVE.copy()
    struck[358] += 30.0
    asked = Event("spike", 0.7)
    assert named(struck, Claims(events=(asked,))) == {"anomaly": True}
    assert named(struck, Claims(events=(Event("spike", 0.2),))) == {"anomaly": False}
    assert named(struck, Claims(events=(Event("spike", 0.2, tolerance=1.0),))) == {"anomaly": True}
    assert named(struck, Claims(events=(Event("dip", 0.7),))) == {"anomaly": False}
    assert named(struck, Claims(events=())) == {"anomaly": False}
    assert named(WAVE, Claims(events=())) == {"anomaly": True}


@dataclass
class Scripted:
    """A generator whose series of seed s is ``rows[s]``."""

    rows: list[np.ndarray]
    drawn: int = 0

    def generate(self, _condition: object, count: int, seed: int, **_settings: Any) -> Series:
        self.drawn += count
        values = np.stack([self.rows[seed + i] for i in range(count)]).astype(np.float32)
        return Series(values, 1.0, None, None)


def test_the_first_candidate_that_keeps_every_claim_stays() -> None:
    generator = Scripted([WAVE, RISING, RISING, RISING])
    series, report = verified(generator, None, Claims(trend="up"), 2, candidates=4, seed=0)  # type: ignore[arg-type]
    assert [c.seed for c in report.chosen] == [2, 1]
    assert [c.candidate for c in report.chosen] == [1, 0]
    assert report.held == 2
    # Two rounds sufficed; the row that was right at once is not drawn for again.
    assert generator.drawn == 4
    np.testing.assert_array_equal(series.values, np.float32([RISING, RISING]))


def test_where_none_keeps_all_the_nearest_stays() -> None:
    generator = Scripted([WAVE + 3.0, WAVE + 1.0, WAVE + 2.0])
    claims = Claims(low=5.0, high=15.0)
    series, report = verified(generator, None, claims, 1, candidates=3)  # type: ignore[arg-type]
    assert report.held == 0
    assert report.chosen[0].seed == 1
    np.testing.assert_array_equal(series.values[0], np.float32(WAVE + 1.0))
    told = json.loads(report.to_json())
    first = told["series"][0]["claims"][0]
    assert (first["claim"], first["asked"], first["held"]) == ("low", 5.0, False)
    assert first["measured"] == pytest.approx(6.0, abs=0.01)
    assert "low 5 (not held: 6" in report.caption()


def test_candidates_have_limits() -> None:
    for wrong in (0, 65):
        with pytest.raises(ArgumentError, match="it must be 1 to 64"):
            verified(Scripted([WAVE]), None, Claims(), 1, candidates=wrong)  # type: ignore[arg-type]


def test_what_cannot_be_a_count_is_refused() -> None:
    for wrong in (0, -1, True, 65537):
        with pytest.raises(ArgumentError, match="it must be 1 to 65536"):
            verified(Scripted([WAVE]), None, Claims(), wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("mean of 20 degC, period of 64 steps", (None, None, 20.0)),
        ("minimum 10, period of 64 steps", (10.0, None, None)),
        ("at most 50, daily cycle", (None, 50.0, None)),
        ("values from 0 to 100, mean 150", (0.0, 100.0, 150.0)),
        ("values from 0 to 100, mean 40", (0.0, 100.0, 40.0)),
        ("average 20, amplitude 5", (15.0, 25.0, 20.0)),
        ("low noise, a period of 64 steps", (None, None, None)),
    ],
)
def test_limits_and_mean_are_claims_each_by_itself(
    text: str, limits: tuple[float | None, float | None, float | None]
) -> None:
    generator = Generator.load(threads=1)
    claims = read_claims(generator, Condition.from_text(text, 600.0, generator))
    assert (claims.low, claims.high, claims.mean) == limits


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("temperature between 18 and 24 degC with a daily cycle", 18.0, 24.0),
        ("relative humidity between 0 and 100 %", 0.0, 100.0),
        ("relative humidity between 0 and 100 % with no trend, a spike near the end", 0.0, 100.0),
        ("values from -5.5 to 3.3, a dip in the middle, a rising trend", -5.5, 3.3),
        ("values from 0 to 10, mean 4, the sensor drops out late", 0.0, 10.0),
        ("average 20, amplitude 5, a level shift up", 15.0, 25.0),
    ],
)
def test_limits_that_are_stated_are_those_of_every_series(
    text: str, low: float, high: float
) -> None:
    generator = Generator.load(threads=1)
    condition = Condition.from_text(text, 600.0, generator)
    x = generator.generate(condition, 20, interval=600.0).values
    assert set(x.min(axis=1)) == {np.float32(low)}
    assert set(x.max(axis=1)) == {np.float32(high)}


def test_a_model_reads_claims_off_a_condition_or_says_that_it_cannot(tiny: Path) -> None:
    generator = Generator.load(DISTILLED, threads=1)
    text = "values from -5 to 5, a period of 64 steps"
    condition = Condition.from_text(text, generator=generator)
    claims = read_claims(generator, condition)
    assert claims.trend in ("up", "down", "none", None)
    assert claims.length == 512
    elder = Generator.load(tiny, threads=1)
    with pytest.raises(ArgumentError, match="has no claims reader"):
        read_claims(elder, Condition.from_text(text, generator=elder))


def test_limits_are_reported_as_they_are_written(tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    command = ["sample", "--text", "pH between 6.8 and 7.2", "--verify", "1", "-n", "2"]
    assert main([*command, "--report", str(report), "--out", str(tmp_path / "s.npy")]) == 0
    for row in json.loads(report.read_text(encoding="utf-8"))["series"]:
        told = {c["claim"]: (c["asked"], c["measured"]) for c in row["claims"]}
        assert told == {"low": (6.8, 6.8), "high": (7.2, 7.2)}


def test_a_count_of_cycles_is_read_for_the_length_that_is_drawn(tmp_path: Path) -> None:
    generator = Generator.load(threads=1)
    text = "16 cycles in the window, values from 3k to 5k"
    for length in (512, 1024):
        condition = Condition.from_text(text, 1.0, generator, length)
        claims = read_claims(generator, condition, length)
        assert claims.periods == (length / 16,)
        assert (claims.low, claims.high) == (3000.0, 5000.0)
    out = tmp_path / "s.npy"
    command = ["sample", "--text", text, "--length", "1024", "--seed", "3", "--out", str(out)]
    assert main(command) == 0
    spectrum = np.abs(np.fft.rfft(np.load(out)[0] - np.load(out)[0].mean()))
    assert np.argmax(spectrum) % 16 == 0


def test_a_level_that_is_stated_alone_is_met_and_that_nothing_was_claimed_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "s.npy", tmp_path / "r.json"
    rest = ["--verify", "1", "--report", str(report), "--out", str(out), "-n", "2"]
    assert main(["sample", "--text", "mean of 20 degC, period of 64 steps", *rest]) == 0
    said = capsys.readouterr().err
    rows = json.loads(report.read_text(encoding="utf-8"))["series"]
    for row, values in zip(rows, np.load(out).astype(float).tolist(), strict=True):
        (mean,) = (c for c in row["claims"] if c["claim"] == "mean")
        assert mean["asked"] == 20.0
        span = max(values) - min(values)
        assert mean["measured"] == pytest.approx(sum(values) / len(values), abs=0.01 * span)
        assert mean["measured"] == pytest.approx(20.0, abs=0.02 * span)
        assert mean["held"]
    held = sum(row["held"] for row in rows)
    assert f"{held} of 2 series keep every claim" in said
    assert main(["sample", "--text", "a sensor", *rest]) == 0
    said = capsys.readouterr().err
    assert "no claim was read in the description" in said
    assert "keep every claim" not in said


def test_sample_verifies_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, report = tmp_path / "s.npy", tmp_path / "r.json"
    command = ["sample", "--model", DISTILLED, "--text", "values from -5 to 5", "-n", 2,
               "--verify", 3, "--report", report, "--out", out]  # fmt: skip
    assert main([str(a) for a in command]) == 0
    assert np.load(out).shape == (2, 512)
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["candidates"] == 3
    assert [row["row"] for row in told["series"]] == [0, 1]
    assert all(
        {"claim", "asked", "measured", "held"} <= set(c) for c in told["series"][0]["claims"]
    )
    capsys.readouterr()
    assert main([str(a) for a in [*command[:7], "--report", report]]) == 2
    assert "it must be given with --verify" in capsys.readouterr().err
