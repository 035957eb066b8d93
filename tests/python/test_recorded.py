"""Series that a user brings."""

from __future__ import annotations

import datetime as dt
import json
import math
import time
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
    assert found.title == ("" if suffix == ".npy" else "series_1")


@pytest.mark.parametrize(
    "unit", ["", "%", "\u00b0C", "W/(m2 K)", "(rms)", "u" * 40, "kg, wet", 'a"b']
)
def test_a_unit_is_read_back_from_the_header(tmp_path: Path, unit: str) -> None:
    path = tmp_path / "x.csv"
    Series(np.zeros((2, 64), np.float32), unit=unit).save(path)
    found = load(path, "series_1")
    assert (found.unit, found.values.tolist()) == (unit, [0.0] * 64)
    assert found.title == "series_1"
    if not unit:
        assert path.read_text(encoding="utf-8").startswith("time,series_0,series_1\n")


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_a_label_with_a_unit_is_read_back_as_both(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    x = np.arange(8.0, dtype=np.float32).reshape(2, 4)
    Series(x, labels=("a_0 [degC]", "b_0 (%)")).save(path)
    for column, row, unit in ((None, 0, "degC"), ("a_0", 0, "degC"), ("b_0", 1, "%")):
        found = load(path, column)
        assert (found.values.tolist(), found.unit) == (x[row].tolist(), unit)
        assert repr(column or "a_0") in found.name


def test_a_row_of_json_is_also_named_by_its_whole_label(tmp_path: Path) -> None:
    series = {"a [degC]": [1.0], "a [K]": [2.0]}
    path = written(tmp_path, json.dumps(PLAIN | {"unit": "F", "series": series}), "x.json")
    found = load(path, "a [K]")
    assert (found.values.tolist(), found.unit) == ([2.0], "K")


@pytest.mark.parametrize("suffix", [".csv", ".json"])
@pytest.mark.parametrize("interval", [60.0, 0.5])
def test_a_later_block_of_a_chain_is_read_back_at_its_own_time(
    tmp_path: Path, suffix: str, interval: float
) -> None:
    path = tmp_path / f"x{suffix}"
    x = np.arange(8.0, dtype=np.float32).reshape(2, 4)
    block = Series(x, interval, "degC", first=256)
    block.save(path)
    found = load(path, "series_1")
    assert (found.values.tolist(), found.unit, found.interval) == (x[1].tolist(), "degC", interval)
    assert found.start is not None
    began = dt.datetime.fromisoformat(found.start)
    assert began == dt.datetime.fromisoformat(block.times()[0])
    assert b"series_1" not in b"".join(block.to_csv())  # a stream has had its header


def test_a_suffix_may_be_in_capitals(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(4.0))
    (tmp_path / "x.npy").rename(tmp_path / "X.NPY")
    assert load(tmp_path / "X.NPY").values.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert load(written(tmp_path, "x\n1\n2\n", "Y.Csv")).values.tolist() == [1.0, 2.0]


def test_steps_that_stamps_skip_are_missing(tmp_path: Path) -> None:
    text = "time,load [kW]\n2026-01-01T00:00:00,1\n2026-01-01T00:10:00,2\n2026-01-01T00:40:00,3\n"
    text += "2026-01-01T00:50:00,\n2026-01-01T01:00:00,5\n"
    found = load(written(tmp_path, text))
    np.testing.assert_array_equal(found.values, [1.0, 2.0, np.nan, np.nan, 3.0, np.nan, 5.0])
    assert (found.interval, found.unit) == (600.0, "kW")


def stamped(folder: Path, header: str, *cells: str) -> Path:
    """A CSV with the time column ``cells`` and the values 1, 2, ..."""
    rows = [f"{cell},{i}" for i, cell in enumerate(cells, 1)]
    return written(folder, "\n".join([header, *rows]) + "\n")


@pytest.mark.parametrize(
    ("cells", "start", "interval"),
    [
        (("20240228", "20240229", "20240301"), "2024-02-28T00:00:00", 86400.0),
        (("202312312330", "202401010000", "202401010030"), "2023-12-31T23:30:00", 1800.0),
        (("20231231235958", "20231231235959", "20240101000000"), "2023-12-31T23:59:58", 1.0),
        # One that is no date, and all are seconds.
        (("20240131", "20240132", "20240133"), "1970-08-23T06:15:31", 1.0),
        (("20230228", "20230229", "20230230"), "1970-08-23T03:30:28", 1.0),
        (("1704067200", "1704067260", "1704067320"), "2024-01-01T00:00:00", 60.0),
        (("2024010100", "2024010101", "2024010102"), "2034-02-20T01:01:40", 1.0),
    ],
)
def test_digits_are_dates_where_every_cell_is_one(
    tmp_path: Path, cells: tuple[str, ...], start: str, interval: float
) -> None:
    found = load(stamped(tmp_path, "date,power [kW]", *cells))
    assert (found.start, found.interval, len(found.values)) == (start, interval, 3)


def test_a_unit_of_the_header_says_that_digits_are_seconds(tmp_path: Path) -> None:
    found = load(stamped(tmp_path, "date [s],power [kW]", "20240101", "20240102", "20240103"))
    assert found.interval == 1.0


@pytest.mark.parametrize(
    ("header", "interval"),
    [("time [s]", 5.0), ("Time (min)", 300.0), ("timestamp [h]", 18000.0), ("ts[ ms ]", 0.005)],
)
def test_time_may_be_in_a_unit(tmp_path: Path, header: str, interval: float) -> None:
    found = load(stamped(tmp_path, f"{header},power [kW]", "0", "5", "10"))
    assert found.values.tolist() == [1.0, 2.0, 3.0]
    assert found.unit == "kW"
    assert found.interval == pytest.approx(interval, rel=1e-12)


def test_milliseconds_since_1970_are_read_where_the_header_says_so(tmp_path: Path) -> None:
    cells = ("1704067200000", "1704067200500", "1704067201000")
    found = load(stamped(tmp_path, "time [ms],a", *cells))
    assert (found.start, found.interval) == ("2024-01-01T00:00:00", 0.5)
    with pytest.raises(ArgumentError, match=r"time '1704067200000' in line 2; .* time \[ms\]"):
        load(stamped(tmp_path, "time,a", *cells))


def test_the_offset_of_the_first_stamp_is_kept(tmp_path: Path) -> None:
    cells = ("2024-03-31T01:00:00+01:00", "2024-03-31T03:00:00+02:00", "2024-03-31T04:00:00+02:00")
    found = load(stamped(tmp_path, "time,a", *cells))
    assert (found.start, found.interval) == ("2024-03-31T01:00:00+01:00", 3600.0)
    found = load(stamped(tmp_path, "time,a", "2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z"))
    assert found.start == "2024-01-01T00:00:00+00:00"


def test_fast_stamps_of_a_late_year_keep_their_interval(tmp_path: Path) -> None:
    cells = [f"2024-01-01T00:{i // 600:02d}:{i // 10 % 60:02d}.{i % 10}00" for i in range(20_000)]
    found = load(stamped(tmp_path, "time,a", *cells))
    assert found.interval == pytest.approx(0.1, abs=1e-10)
    assert len(found.values) == 20_000


def rounded(count: int, interval: float, digits: int) -> list[str]:
    """Stamps as a logger writes them that keeps so many decimals of a second."""
    return [f"{round(i * interval, digits):.{digits}f}" for i in range(count)]


@pytest.mark.parametrize(
    ("count", "interval", "digits"),
    [(8, 1 / 60, 3), (2000, 1 / 60, 3), (5000, 1 / 60, 6), (4096, 0.0033333333333, 6)],
)
def test_the_rounding_of_stamps_does_not_add_up(
    tmp_path: Path, count: int, interval: float, digits: int
) -> None:
    found = load(stamped(tmp_path, "time,a", *rounded(count, interval, digits)))
    assert found.values.tolist() == list(range(1, count + 1))
    assert found.interval is not None
    assert abs(found.interval - interval) * (count - 1) <= 10.0**-digits


def test_steps_are_counted_over_a_gap_among_rounded_stamps(tmp_path: Path) -> None:
    cells = rounded(4000, 1 / 60, 3)
    found = load(stamped(tmp_path, "time,a", *cells[:1000], *cells[3000:]))
    assert len(found.values) == 4000
    assert np.flatnonzero(np.isnan(found.values)).tolist() == list(range(1000, 3000))


@pytest.mark.parametrize("late", [0, 5, 9])
def test_one_late_stamp_leaves_the_interval_as_it_is(tmp_path: Path, late: int) -> None:
    cells = [str(60 * i + 5 * (i == late)) for i in range(10)]
    assert load(stamped(tmp_path, "time,a", *cells)).interval == 60.0


@pytest.mark.parametrize("interval", [1.0, 1 / 60])
def test_the_first_stamp_that_is_off_is_named(tmp_path: Path, interval: float) -> None:
    cells = rounded(2000, interval, 3)
    for i, share in ((700, 0.3), (1200, 0.45)):
        cells[i] = f"{(i + share) * interval:.3f}"
    with pytest.raises(ArgumentError, match="a stamp in line 702 that is no multiple"):
        load(stamped(tmp_path, "time,a", *cells))


def test_a_jump_of_the_clock_is_no_drift(tmp_path: Path) -> None:
    cells = [str(i + 0.5 * (i >= 700)) for i in range(2000)]
    with pytest.raises(ArgumentError, match="a stamp in line 702 that is no multiple of 1 s"):
        load(stamped(tmp_path, "time,a", *cells))


def test_an_empty_line_is_a_missing_value_where_there_is_one_column(tmp_path: Path) -> None:
    found = load(written(tmp_path, "a\n1\n\n\n4\n5\n\n\n"))
    np.testing.assert_array_equal(found.values, [1.0, np.nan, np.nan, 4.0, 5.0])
    found = load(written(tmp_path, "time,a\n0,1\n\n60,2\n120,3\n\n"))
    assert found.values.tolist() == [1.0, 2.0, 3.0]


def test_a_long_header_takes_no_longer_than_its_length(tmp_path: Path) -> None:
    name = "a" + " " * 60_000 + "[" * 60_000
    began = time.process_time()
    assert load(written(tmp_path, f"{name},b [kW]\n1,2\n"), "b").unit == "kW"
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    ("cell", "name", "unit"),
    [
        ("power [kW]", "power", "kW"),
        ("power(kW)", "power", "kW"),
        ("power (max) [kW]", "power (max)", "kW"),
        ("power [m[2]", "power", "m[2"),
        ("[kW]", "[kW]", ""),
        ("power []", "power []", ""),
        ("power [kW", "power [kW", ""),
        ("power [" + "u" * 41 + "]", "power [" + "u" * 41 + "]", ""),
    ],
)
def test_a_unit_stands_in_the_last_brackets(
    tmp_path: Path, cell: str, name: str, unit: str
) -> None:
    assert load(written(tmp_path, f"{cell},b\n1,2\n"), name).unit == unit


def test_an_array_keeps_its_type(tmp_path: Path) -> None:
    for kind in (np.float32, np.float64):
        np.save(tmp_path / "x.npy", np.arange(4, dtype=kind))
        assert load(tmp_path / "x.npy").values.dtype == kind


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
        ("time,a\n0,1\n\n2,1\n\n1,1\n", "goes back in time in line 6"),
        ('time,a\n0,"1\n', "is no CSV"),
        ("a\n1\n1e30\n", r"is 1e\+30 at step 1; it must be below 1e\+30"),
        ("time,a\n-1e11,1\n", "time '-100000000000' in line 2"),
        ("time,a\n1e12,1\n", "time '1000000000000' in line 2"),
        ("time,a\nnan,1\n", "time 'nan' in line 2"),
        ("time [h],a\n0,1\n1e9,1\n", "time '1000000000' in line 3"),
        ("time,a\n0,1\n1e-9,1\n2e-9,1\n", "interval is 1e-09; it must be 1e-6 to 1e9"),
        ("time,a\n0,1\n1e-300,1\n2e-300,1\n1e10,1\n", "interval is 1e-300; it must be"),
        ("time,a\n0,1\n2e10,1\n", "interval is 20000000000.0; it must be"),
        ("time [fortnight],a\n0,1\n", "its time in 'fortnight'; it must be in s, ms, min, h"),
        ("time [months],a\n0,1\n", "its time in 'months'; it must be in s, ms, min, h"),
        ("time [s],a\n2024-01-01,1\n", "time '2024-01-01' in line 2; it must be a number"),
        (
            "time,a\n2024-01-01T00:00:00+02:00,1\n2024-01-01T01:00:00,2\n",
            "in line 3, ISO 8601 without an offset from UTC, where the first is ISO 8601 with one",
        ),
        (
            "time,a\n2024-01-01T00:00:00,1\n2024-01-01T01:00:00Z,2\n",
            "in line 3, ISO 8601 with one, where the first is ISO 8601 without an offset",
        ),
        ("time,a\n20240101,1\n2024-01-02,2\n", "where the first is a number"),
    ],
)
def test_a_bad_csv_is_refused_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ArgumentError, match=sentence):
        load(written(tmp_path, text))


PLAIN = {"series": {"a": [1.0, 2.0]}, "start": "2026-01-01", "unit": "", "interval": 1}
NOT_OURS = "is no JSON of a series"


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ([], NOT_OURS),
        (5, NOT_OURS),
        ({}, NOT_OURS),
        ({"series": {}}, "no column of values"),
        (PLAIN | {"series": [1.0]}, NOT_OURS),
        (PLAIN | {"series": {"a": []}}, NOT_OURS),
        (PLAIN | {"series": {"a": "12"}}, NOT_OURS),
        (PLAIN | {"series": {"a": ["x"]}}, NOT_OURS),
        (PLAIN | {"series": {"a": [1.0, 10**400]}}, "is inf at step 1; it must be below"),
        (PLAIN | {"series": {"a": [-(10**400)]}}, "is -inf at step 0; it must be below"),
        (PLAIN | {"series": {"a": [1.0, math.inf]}}, "is inf at step 1; it must be below"),
        (PLAIN | {"series": {str(i): [1.0] for i in range(4097)}}, "4097 columns; .* at most 4096"),
        (PLAIN | {"unit": "\ud800"}, NOT_OURS),
        (PLAIN | {"series": {"a [\ud800]": [1.0]}}, NOT_OURS),
        (PLAIN | {"start": 5}, NOT_OURS),
        (PLAIN | {"start": "soon"}, "start is 'soon'; it must be an ISO 8601 time"),
        (PLAIN | {"start": "9999-12-31T23:59:59"}, "must end before the year 10000"),
        (PLAIN | {"interval": math.nan}, "interval is nan; it must be 1e-6 to 1e9 seconds"),
        (PLAIN | {"interval": math.inf}, "interval is inf; it must be 1e-6 to 1e9 seconds"),
        (PLAIN | {"interval": 10**400}, "interval is inf; it must be 1e-6 to 1e9 seconds"),
        (PLAIN | {"interval": -5}, "interval is -5.0; it must be 1e-6 to 1e9 seconds"),
        (PLAIN | {"interval": 0}, "interval is 0.0; it must be 1e-6 to 1e9 seconds"),
        (PLAIN | {"times": []}, "has irregular stamps"),
    ],
)
def test_a_bad_json_is_refused_in_a_sentence(tmp_path: Path, found: object, sentence: str) -> None:
    with pytest.raises(ArgumentError, match=sentence):
        load(written(tmp_path, json.dumps(found), "x.json"))


def test_a_series_is_as_long_in_every_format_as_in_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geng_edge.recorded.MOST_STEPS", 3)
    for n in (3, 4):
        csv = written(tmp_path, "a\n" + "1\n" * n)
        js = written(tmp_path, json.dumps(PLAIN | {"series": {"a": [1.0] * n}}), "x.json")
        np.save(tmp_path / "x.npy", np.ones(n))
        for path in (csv, js, tmp_path / "x.npy"):
            if n == 3:
                assert len(load(path).values) == 3
                continue
            with pytest.raises(ArgumentError, match="must"):
                load(path)
    with pytest.raises(ArgumentError, match="has 4 lines; it must have at most 3"):
        load(written(tmp_path, "a\n1\n\n\n1\n"))


def test_bad_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    for array in (np.zeros((2, 2, 2)), np.zeros(3, np.int64), np.zeros((0, 4)), np.array([np.inf])):
        np.save(path, array)
        with pytest.raises(ArgumentError):
            load(path)
    np.save(path, np.array([1.0, 1e30]))
    with pytest.raises(ArgumentError, match=r"is 1e\+30 at step 1; it must be below 1e\+30"):
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
