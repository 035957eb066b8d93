"""Quantisation, missing values and irregular stamps, in arrays and in files."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from geng_edge import Recorder, Recording, Series
from geng_edge.cli.main import main
from geng_edge.errors import ArgumentError


def ramps(rows: int = 3, steps: int = 20_000) -> Series:
    """Values that say their own step: row i rises from i by one a step."""
    values = np.arange(steps)[None] + np.arange(rows)[:, None]
    return Series(values.astype(np.float32), interval=10.0)


def kept(recording: Recording, series: Series, seed: int = 1) -> Series:
    return Recorder(recording, len(series.values), seed).keep(series)


def test_a_faithful_recorder_changes_nothing() -> None:
    series = ramps()
    assert kept(Recording(), series) is series


def test_values_are_rounded_to_multiples_of_the_resolution() -> None:
    series = Series(np.linspace(-3.0, 3.0, 64, dtype=np.float32)[None])
    values = kept(Recording(resolution=0.25), series).values
    np.testing.assert_array_equal(values * 4.0, np.round(values * 4.0))
    assert np.abs(values - series.values).max() <= 0.125


@pytest.mark.parametrize("gap", [1, 7, 200])
def test_the_asked_share_is_missing_in_gaps_of_the_asked_length(gap: int) -> None:
    values = kept(Recording(missing=0.2, gap=gap), ramps(8)).values
    missing = np.isnan(values)
    assert missing.mean() == pytest.approx(0.2, abs=0.03)
    edges = np.diff(np.pad(missing, ((0, 0), (1, 1))).astype(int), axis=1)
    runs = np.concatenate([np.flatnonzero(e < 0) - np.flatnonzero(e > 0) for e in edges])
    # Shorter ones are cut by an end of the series; longer ones are gaps that joined.
    assert np.mean(runs >= gap) > 0.95
    assert not np.array_equal(missing[0], missing[1])
    np.testing.assert_array_equal(values[~missing], ramps(8).values[~missing])


def test_stamps_are_early_and_values_are_those_of_the_moment() -> None:
    series = kept(Recording(jitter=0.5), ramps())
    assert series.offsets is not None
    assert -5.0 <= series.offsets.min() < -4.9
    assert series.offsets.max() <= 0.0
    np.testing.assert_allclose(
        series.values[0], np.arange(20_000) + series.offsets / 10.0, atol=2e-3
    )
    moments = [dt.datetime.fromisoformat(t) for t in series.times()]
    assert all(a < b for a, b in itertools.pairwise(moments))


def test_blocks_are_kept_like_the_whole() -> None:
    recording = Recording(resolution=0.5, missing=0.1, gap=9, jitter=0.3)
    whole = kept(recording, ramps())
    recorder = Recorder(recording, 3, 1)
    parts = []
    for first in range(0, 20_000, 256):
        block = Series(ramps().values[:, first : first + 256], 10.0, first=first)
        parts.append(recorder.keep(block))
    np.testing.assert_array_equal(np.concatenate([p.values for p in parts], axis=1), whole.values)
    assert [t for p in parts for t in p.times()] == whole.times()
    assert b"".join(b"".join(p.to_csv()) for p in parts) == b"".join(whole.to_csv())
    alone = kept(Recording(missing=0.1, gap=9), Series(ramps().values[1:2], 10.0), seed=2)
    both = kept(Recording(missing=0.1, gap=9), ramps(), seed=1)
    np.testing.assert_array_equal(np.isnan(alone.values[0]), np.isnan(both.values[1]))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"resolution": -1.0}, "resolution is -1.0; it must be 0 to 1e\\+30"),
        ({"missing": 0.95}, "missing is 0.95; it must be 0 to 0.9"),
        ({"gap": 0}, "gap is 0; it must be 1 to 4096"),
        ({"jitter": float("nan")}, "jitter is nan; it must be 0 to 0.9"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        Recording(**settings)  # type: ignore[arg-type]


def sample(tiny: Path, latent: Path, *words: object) -> int:
    base = ["sample", "--model", tiny, "--cond", latent, "-n", 2, "--threads", 1]
    return main([str(w) for w in (*base, *words)])


def test_csv_shows_what_was_asked(tiny: Path, latent: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept.csv"
    asked = ["--resolution", 0.25, "--missing", 0.25, "--gap", 5, "--jitter", 0.4]
    assert sample(tiny, latent, *asked, "--interval", 60, "--length", 4096, "--out", out) == 0
    with out.open(encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["time", "series_0", "series_1"]
    cells = [cell for row in rows for cell in row[1:]]
    assert np.mean([cell == "" for cell in cells]) == pytest.approx(0.25, abs=0.05)
    assert all(float(cell) * 4 == round(float(cell) * 4) for cell in cells if cell)
    moments = [dt.datetime.fromisoformat(row[0]) for row in rows]
    apart = np.array([(b - a).total_seconds() for a, b in itertools.pairwise(moments)])
    assert apart.min() > 60.0 * 0.6 - 1e-3
    assert apart.max() < 60.0 * 1.4 + 1e-3
    assert apart.std() > 5.0


def test_json_and_parquet_have_nulls_and_stamps(tiny: Path, latent: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept.json"
    assert sample(tiny, latent, "--missing", 0.3, "--jitter", 0.4, "--out", out) == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    assert len(found["times"]) == 512
    assert None in found["series"]["series_1"]
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    out = tmp_path / "kept.parquet"
    assert sample(tiny, latent, "--missing", 0.3, "--out", out) == 0
    assert parquet.read_table(out)["series_0"].null_count > 50


def test_an_npy_cannot_keep_stamps(
    tiny: Path, latent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sample(tiny, latent, "--jitter", 0.4, "--out", tmp_path / "kept.npy") == 2
    assert "kept.npy keeps no stamps; it must end in .csv" in capsys.readouterr().err


def test_plots_leave_gaps_open(tiny: Path, latent: Path, tmp_path: Path) -> None:
    from geng_edge.plot.terminal import draw

    series = kept(Recording(missing=0.5, gap=50), ramps(1, 512))
    assert "series_0" in draw(series)
    pytest.importorskip("matplotlib")
    picture = tmp_path / "kept.png"
    assert sample(tiny, latent, "--missing", 0.5, "--gap", 50, "--plot", picture, "--json") == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
