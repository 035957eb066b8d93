"""The commands that take a series: continue, impute, edit, and sample with a reference."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

from geng_edge import Series
from geng_edge.cli.main import main
from geng_edge.recorded import load


@pytest.fixture
def history(tmp_path: Path) -> Path:
    t = np.arange(512)
    noise = np.random.default_rng(4).normal(size=512)
    x = (20.0 + 3.0 * np.sin(2 * np.pi * t / 32) + 0.3 * noise).astype(np.float32)
    path = tmp_path / "history.csv"
    Series(x[None], 600.0, "", "2026-05-01T00:00:00").save(path)
    return path


def test_continue_goes_on_with_values_and_stamps(history: Path, tmp_path: Path) -> None:
    out, picture = tmp_path / "out.csv", tmp_path / "out.png"
    words = ["continue", str(history), "--steps", "64", "-n", "2", "--out", str(out)]
    assert main([*words, "--plot", str(picture)]) == 0
    before, after = load(history), load(out, "series_1")
    np.testing.assert_array_equal(after.values[:512], before.values)
    assert len(after.values) == 576
    assert (after.interval, after.start) == (600.0, "2026-05-01T00:00:00")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_only_what_is_new_can_be_had(history: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert main(["continue", str(history), "--steps", "64", "--only-new", "--out", str(out)]) == 0
    after = load(out)
    assert len(after.values) == 64
    assert after.start == "2026-05-04T13:20:00"


def test_impute_fills_what_is_missing(history: Path, tmp_path: Path) -> None:
    lines = history.read_text().splitlines()
    gappy, out = tmp_path / "gappy.csv", tmp_path / "out.csv"
    gappy.write_text("\n".join(lines[:200] + lines[240:]) + "\n")
    assert main(["impute", str(gappy), "--out", str(out)]) == 0
    before, after = load(history), load(out)
    assert np.abs(after.values - before.values).max() < 2.0
    assert np.isfinite(after.values).all()


@pytest.mark.parametrize("suffix", [".csv", ".json", ".npy", ".parquet"])
def test_what_a_meter_counted_comes_back_to_the_last_digit(tmp_path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
    meter, out = tmp_path / "meter.csv", tmp_path / f"out{suffix}"
    counts = [str(123_456_789 + 7 * i) for i in range(64)]
    counts[20:23] = ["", "", ""]
    rows = [f"202401{i // 24 + 1:02d}{i % 24:02d}0000,{n}" for i, n in enumerate(counts)]
    meter.write_text("\n".join(["time,energy [Wh]", *rows]) + "\n")
    assert main(["impute", str(meter), "--out", str(out)]) == 0
    table = suffix == ".parquet"
    found = parquet.read_table(out)["series_0"].to_numpy() if table else load(out).values
    known = [i for i, n in enumerate(counts) if n]
    assert [int(found[i]) for i in known] == [int(counts[i]) for i in known]
    assert found.dtype == np.float64


def test_an_array_of_float32_is_completed_as_one(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=64).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    out = tmp_path / "out.npy"
    assert main(["continue", str(tmp_path / "x.npy"), "--steps", "8", "--out", str(out)]) == 0
    after = np.load(out)
    assert after.dtype == np.float32
    assert after[0, :64].tobytes() == x.tobytes()


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_stamps_keep_the_offset_of_the_first(tmp_path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
    zoned, out = tmp_path / "zoned.csv", tmp_path / f"out{suffix}"
    first = dt.datetime.fromisoformat("2024-01-01T00:00:00+02:00")
    times = [(first + dt.timedelta(hours=i)).isoformat() for i in range(40)]
    zoned.write_text("time,a\n" + "".join(f"{time},{i % 7}\n" for i, time in enumerate(times)))
    words = ["continue", str(zoned), "--steps", "8", "--out", str(out)]
    assert main(words) == 0
    if suffix == ".parquet":
        stamp = parquet.read_table(out)["time"][0].as_py()
        assert (stamp, stamp.utcoffset()) == (first, dt.timedelta(hours=2))
        return
    assert load(out).start == times[0]
    assert main([*words, "--only-new"]) == 0
    assert load(out).start == "2024-01-02T16:00:00+02:00"


def test_dates_in_digits_are_days(tmp_path: Path) -> None:
    daily, out = tmp_path / "daily.csv", tmp_path / "out.csv"
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in range(60)]
    cells = ["" if i in (9, 10, 30) else str(i % 7) for i in range(60)]
    rows = [f"{day:%Y%m%d},{cell}" for day, cell in zip(days, cells, strict=True)]
    daily.write_text("\n".join(["date,power [kW]", *rows]) + "\n")
    assert main(["impute", str(daily), "--out", str(out)]) == 0
    lines = out.read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [f"{day}T00:00:00" for day in days]


def test_edit_says_what_shows(
    history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.npy"
    words = ["edit", str(history), "--text", "add a dropout near the end", "--json"]
    assert main([*words, "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["held"] is True
    assert said["claims"][0]["claim"] == "anomaly"
    assert np.load(out).shape == (1, 512)


def test_sample_follows_a_reference(history: Path, tmp_path: Path) -> None:
    out, picture = tmp_path / "out.npy", tmp_path / "out.png"
    words = ["sample", "--text", "values from 0 to 10", "-n", "2", "--out", str(out)]
    assert main([*words, "--reference", str(history), "--plot", str(picture)]) == 0
    x, y = np.load(out)[0], load(history).values
    assert np.corrcoef(x, y)[0, 1] > 0.8


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["continue", "{history}", "--steps", "0"], "steps is 0; it must be 1 to 65536"),
        (["continue", "{history}", "--interval", "60"], "interval is 60; it must be 600"),
        (["continue", "{history}", "--column", "x"], "column is 'x'"),
        (["impute", "{history}"], "no value is missing"),
        (["edit", "{history}", "--text", "a sensor"], "states nothing to edit"),
        (["edit", "none.csv", "--text", "make it rise"], "must be a readable file"),
        (["sample", "--text", "x", "--strength", "0.5"], "without --reference"),
        (["sample", "--text", "x", "--reference", "{history}", "--length", "1024"], "must be 512"),
        (["sample", "--text", "x", "--reference", "{history}", "--length", "8192"], "for a chain"),
    ],
)
def test_bad_requests_end_in_a_sentence(
    words: list[str], sentence: str, history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.format(history=history) for word in words]) == 2
    assert sentence in capsys.readouterr().err
