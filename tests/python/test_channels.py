"""Several channels of one device."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geng_edge import Condition, Generator, Series
from geng_edge.analysis.analyser import analyse
from geng_edge.channels import Device, check_correlations, generate, recorded_correlations
from geng_edge.cli.main import main
from geng_edge.errors import ArgumentError, CancelledError

STATION = (
    "temperature: a daily cycle, values from 10 to 30 degC, low noise, no anomaly; "
    "humidity: a daily cycle, values from 30 to 90 %, no anomaly; "
    "temperature and humidity correlate at -0.8"
)


@pytest.fixture(scope="module")
def bundled() -> Generator:
    return Generator.load(threads=1)


def test_each_channel_obeys_and_pairs_correlate(bundled: Generator) -> None:
    joint = generate(bundled, Device.parse(STATION), 3, interval=1800.0, seed=4)
    assert joint.series.names[:3] == ["temperature_0", "humidity_0", "temperature_1"]
    assert joint.worst < 0.1
    for name, x in zip(joint.series.names, joint.series.values, strict=True):
        found = analyse(x)
        low, high = (10.0, 30.0) if name.startswith("temperature") else (30.0, 90.0)
        assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
        assert found.periods[0] == pytest.approx(48.0, rel=0.02)


def test_rows_are_seeds(bundled: Generator) -> None:
    device = Device.parse(STATION)
    both = generate(bundled, device, 2, interval=1800.0, seed=8).series.values
    second = generate(bundled, device, 1, interval=1800.0, seed=9).series.values
    assert both[2:].tobytes() == second.tobytes()


def test_progress_is_told_within_each_row_and_can_stop(bundled: Generator) -> None:
    device = Device.parse(STATION)
    heard: list[tuple[int, int]] = []

    def watch(done: int, rows: int) -> bool:
        heard.append((done, rows))
        return done < 1 or heard.count((1, 2)) < 5

    with pytest.raises(CancelledError, match="after row 1 of 2"):
        generate(bundled, device, 2, interval=1800.0, seed=8, progress=watch)
    assert heard == [(0, 2)] * (len(heard) - 5) + [(1, 2)] * 5
    assert len(heard) > 10
    heard.clear()
    generate(bundled, device, 1, interval=1800.0, progress=lambda *at: heard.append(at) or True)
    assert heard[-1] == (1, 1)


def test_three_phases_of_a_current(bundled: Generator) -> None:
    text = ";".join(
        f"l{i}: a period of 24 steps, 5 to 20 A, no trend, no anomaly" for i in (1, 2, 3)
    )
    device = Device.parse(text + "; l1 and l2 0.9; l1 and l3 0.9; l2 and l3 0.9")
    assert generate(bundled, device, 2, seed=1).worst < 0.15


def test_correlations_of_a_recording_are_taken_over(bundled: Generator, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=600)
    b = -0.6 * a + 0.8 * rng.normal(size=600)
    a[100:130] = np.nan
    path = tmp_path / "like.csv"
    Series(np.stack([a, b]).astype(np.float32), labels=("a", "b")).save(path)
    like = recorded_correlations(path, ["a", "b"])
    known = np.isfinite(a)
    assert like[0, 1] == pytest.approx(np.corrcoef(a[known], b[known])[0, 1], abs=1e-6)
    device = Device.parse("a: noise from 0 to 1, no trend; b: noise from 5 to 9, no trend")
    joint = generate(bundled, device, 1, correlations=like)
    assert joint.worst < 0.1
    with pytest.raises(ArgumentError, match="column is 'c'"):
        recorded_correlations(path, ["a", "c"])
    odd = tmp_path / "odd.json"
    rows = {"a": [1.0, 2.0], "b": [1.0, 2.0, 3.0]}
    odd.write_text(json.dumps({"start": "2026-01-01", "interval": 1, "unit": "", "series": rows}))
    with pytest.raises(ArgumentError, match="series of several lengths"):
        recorded_correlations(odd, ["a", "b"])


def gappy(path: Path, *pairs: tuple[np.ndarray, np.ndarray]) -> Path:
    """Columns a, b and c, of which each third has a pair: (a, b), (a, c), (b, c)."""
    x = np.full((3, 3 * len(pairs[0][0])), np.nan, np.float32)
    for third, (rows, pair) in enumerate(zip(([0, 1], [0, 2], [1, 2]), pairs, strict=True)):
        n = len(pair[0])
        x[rows, third * n : (third + 1) * n] = pair
    Series(x, labels=("a", "b", "c")).save(path)
    return path


def test_gaps_that_make_pairs_contradict_a_little_give_the_nearest_correlations(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(5)
    a = rng.normal(size=200)
    near = 0.99 * a + 0.14 * rng.normal(size=200)
    path = gappy(tmp_path / "like.csv", (a, a), (a, a), (a, near))
    like = recorded_correlations(path, ["a", "b", "c"])
    check_correlations(like, ["a", "b", "c"])
    apart = np.corrcoef(a, near)[0, 1]
    assert like[np.triu_indices(3, 1)] == pytest.approx([1.0, 1.0, apart], abs=0.02)
    assert like[1, 2] > apart


def test_a_recording_whose_pairs_contradict_each_other_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(5)
    a = rng.normal(size=200)
    b = 0.95 * a + 0.3 * rng.normal(size=200)
    path = gappy(tmp_path / "like.csv", (a, b), (a, b), (a, -b))
    words = "a: noise from 0 to 1; b: noise from 0 to 1; c: noise from 0 to 1"
    assert main(["channels", "--text", words, "--like", str(path)]) == 2
    assert "like.csv contradict each other by 0.4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"start": "garbage"}, "start is 'garbage'; it must be an ISO 8601 time"),
        ({"start": "9999-12-31T23:59:59"}, "must end before the year 10000"),
        ({"interval": -5}, "interval is -5; it must be 1e-6 to 1e9 seconds"),
        ({"correlations": np.eye(2)}, r"shape \(2, 2\); it must be square, by channel"),
        ({"correlations": "high"}, "correlations are no numbers"),
        (
            {"correlations": [[1, 5, 0], [5, 1, 0], [0, 0, 1]]},
            "of a and b is 5.0; it must be -1 to 1",
        ),
        ({"correlations": [[1, 0, 0], [0, 1, np.nan], [0, np.nan, 1]]}, "of b and c is nan"),
        ({"correlations": [[1, 0, 0], [0, 1, 0.5], [0, 0.4, 1]]}, "b and c are 0.5 and 0.4"),
        ({"correlations": [[1, 0, 0], [0, 0, 0], [0, 0, 1]]}, "b with itself is 0; it must be 1"),
        (
            {"correlations": [[1, 0.95, 0.95], [0.95, 1, -0.95], [0.95, -0.95, 1]]},
            "contradict each other",
        ),
    ],
)
def test_what_no_device_can_be_asked_is_refused_with_conditions_too(
    bundled: Generator, settings: dict[str, Any], sentence: str
) -> None:
    condition = Condition(np.zeros((4, bundled.condition_width), np.float32))
    device = Device({"a": "noise", "b": "noise", "c": "noise"}, {})
    with pytest.raises(ArgumentError, match=sentence):
        generate(bundled, device, conditions=[condition] * 3, **settings)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: x", "1 channels; it must have 2 to 16"),
        ("a: x; b: y; a and c 0.4", "names channel 'c'"),
        ("a: x; b: y; a and b 1.4", "correlation of a and b is 1.4"),
        ("a: x; b: y; a and a 0.4", "pairs a with itself"),
        ("a: x; a: y", "described twice"),
        ("a: x; b", "'b' is no channel"),
        ("a: x; =b: y", "named '=b'"),
    ],
)
def test_a_bad_device_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ArgumentError, match=sentence):
        Device.parse(text)


def test_correlations_that_no_series_can_have_are_refused() -> None:
    text = "a: x; b: y; c: z; a and b 0.9; a and c 0.9; b and c -0.9"
    with pytest.raises(ArgumentError, match="contradict each other"):
        Device.parse(text).matrix()


def test_the_command_writes_labelled_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, picture = tmp_path / "x.csv", tmp_path / "x.png"
    words = ["channels", "--text", STATION, "--interval", "1800", "--json", "--out", str(out)]
    assert main([*words, "--plot", str(picture)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["channels"] == ["temperature", "humidity"]
    assert said["reached"][0][0][1] == pytest.approx(-0.8, abs=0.1)
    assert out.read_text().startswith("time,temperature_0,humidity_0\n")
    assert picture.read_bytes().startswith(b"\x89PNG")
