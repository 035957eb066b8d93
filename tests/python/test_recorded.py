"""Series that a user brings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from geng_edge import Series
from geng_edge.errors import ArgumentError
from geng_edge.recorded import load


def written(folder: Path, text: str, name: str = "x.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".json", ".npy"])
def test_what_was_saved_is_read_back(tmp_path: Path, suffix: str) -> None:
    x = np.random.default_rng(0).normal(size=(2, 64)).astype(np.float32)
    x[1, 7] = np.nan
    path = tmp_path / f"x{suffix}"
    Series(x, 60.0, "degC", "2026-03-01T00:00:00").save(path)
    found = load(path, "1" if suffix == ".npy" else "series_1")
    np.testing.assert_array_equal(found.values.astype(np.float32), x[1])
    if suffix != ".npy":
        assert found.interval == 60.0
        assert found.start == "2026-03-01T00:00:00"
        assert found.unit == "degC"


@pytest.mark.parametrize(
    "unit", ["", "%", "\u00b0C", "W/(m2 K)", "(rms)", "u" * 40, "kg, wet", 'a"b']
)
def test_a_unit_is_read_back_from_the_header(tmp_path: Path, unit: str) -> None:
    path = tmp_path / "x.csv"
    Series(np.zeros((2, 64), np.float32), unit=unit).save(path)
    found = load(path, "series_1")
    assert (found.unit, found.values.tolist()) == (unit, [0.0] * 64)
    if not unit:
        assert path.read_text(encoding="utf-8").startswith("time,series_0,series_1\n")


def test_steps_that_stamps_skip_are_missing(tmp_path: Path) -> None:
    text = "time,load [kW]\n2026-01-01T00:00:00,1\n2026-01-01T00:10:00,2\n2026-01-01T00:40:00,3\n"
    text += "2026-01-01T00:50:00,\n2026-01-01T01:00:00,5\n"
    found = load(written(tmp_path, text))
    np.testing.assert_array_equal(found.values, [1.0, 2.0, np.nan, np.nan, 3.0, np.nan, 5.0])
    assert (found.interval, found.unit) == (600.0, "kW")


def test_a_file_without_times_has_no_interval(tmp_path: Path) -> None:
    found = load(written(tmp_path, "a,b\n1,2\n3,4\n"), "b")
    assert found.interval is None
    assert found.values.tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "header line"),
        ("1,2\n3,4\n", "header line"),
        ("time\n0\n", "no column of values"),
        ("time,a\n", "no line of values"),
        ("time,a\n0,x\n", "'x' in line 2; it must be a number"),
        ("time,a\n0,1e999\n", "in line 2; it must be a number"),
        ("time,a\n0,1\n1\n", "1 cells in line 3; it must have 2"),
        ("time,a\nsoon,1\n", "time 'soon' in line 2"),
        ("time,a\n0,1\n2,1\n1,1\n", "goes back in time in line 4"),
        ("time,a\n0,1\n2,1\n2,1\n", "has one time twice in line 4"),
        ("time,a\n0,1\n1,1\n2,1\n3.5,1\n", "no multiple of 1 s"),
        ("time,a\n0,1\n1,1\n2,1\n1e10,1\n", "it must span at most"),
        ('time,a\n0,"1\n', "is no CSV"),
    ],
)
def test_a_bad_csv_is_refused_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ArgumentError, match=sentence):
        load(written(tmp_path, text))


@pytest.mark.parametrize(
    "found",
    [
        [],
        {"series": {}},
        {"series": {"a": []}, "start": "2026-01-01", "unit": "", "interval": 1},
        {"series": {"a": ["x"]}, "start": "2026-01-01", "unit": "", "interval": 1},
        {"series": {"a": [1.0]}, "start": "2026-01-01", "unit": "\ud800", "interval": 1},
        {"series": {"a": [1.0]}, "start": 5, "unit": "", "interval": 1},
        {"series": {"a": [1.0]}, "start": "2026-01-01", "unit": "", "interval": 1, "times": []},
    ],
)
def test_a_bad_json_is_refused(tmp_path: Path, found: object) -> None:
    with pytest.raises(ArgumentError):
        load(written(tmp_path, json.dumps(found), "x.json"))


def test_bad_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    for array in (np.zeros((2, 2, 2)), np.zeros(3, np.int64), np.zeros((0, 4)), np.array([np.inf])):
        np.save(path, array)
        with pytest.raises(ArgumentError):
            load(path)
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ArgumentError):
        load(path)


def test_a_missing_column_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"column is 'c'; .* has a, b"):
        load(written(tmp_path, "a,b\n1,2\n"), "c")


def test_another_unit_is_refused(tmp_path: Path) -> None:
    found = load(written(tmp_path, "a [K]\n1\n2\n"))
    found.check_unit("K")
    with pytest.raises(ArgumentError, match="is in K; it must be in degC"):
        found.check_unit("degC")


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="must end in"):
        load(written(tmp_path, "a", "x.txt"))
    with pytest.raises(ArgumentError, match="readable file"):
        load(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"a\n\xff\n")
    with pytest.raises(ArgumentError, match="UTF-8"):
        load(tmp_path / "b.csv")
