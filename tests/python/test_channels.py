"""Several channels of one device."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from geng_edge import Generator, Series
from geng_edge.analysis.analyser import analyse
from geng_edge.channels import Device, generate, recorded_correlations
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
