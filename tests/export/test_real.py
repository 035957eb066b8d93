"""Windows of real series: any folder with a manifest, and which of them may be trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geng_export.data.real import permitted, read_manifest, split_of, windows
from geng_export.errors import ExportError

SHARED = Path(__file__).parents[3] / "shared" / "data"


def write(folder: Path, manifest: str, **files: str) -> Path:
    (folder / "manifest.csv").write_text(manifest, encoding="utf-8")
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def test_a_manifest_of_paths_alone_is_enough(tmp_path: Path) -> None:
    rows = "\n".join(f"{i},{i % 7}" for i in range(600))
    folder = write(tmp_path, "path\na.csv\n", a=f"x,y\n{rows}\n")
    found = list(windows(folder, stride=512))
    assert len(found) == 2
    np.testing.assert_array_equal(found[1].x[:8], [0, 1, 2, 3, 4, 5, 6, 0])
    assert found[0].interval == 1.0


def test_gaps_are_bridged_or_the_window_is_left_out(tmp_path: Path) -> None:
    few = "\n".join("" if i in (10, 11) else str(float(i)) for i in range(512))
    many = "\n".join("" if i < 40 else str(float(i)) for i in range(512))
    manifest = "path,value_cols,interval_s,unit\na.csv,x,60,V\nb.csv,x,60,V\n"
    # A second column keeps pandas from skipping empty lines.
    texts = {
        n: "x,k\n" + "\n".join(f"{v},1" for v in t.split("\n"))
        for n, t in (("a", few), ("b", many))
    }
    (window,) = windows(write(tmp_path, manifest, **texts))
    assert window.x[9:13].tolist() == [9.0, 10.0, 11.0, 12.0]
    assert (window.unit, window.interval) == ("V", 60.0)


def test_constant_windows_and_segment_borders_are_left_out(tmp_path: Path) -> None:
    rows = "\n".join(f"{i // 400},{float(i)}" for i in range(800))
    manifest = "path,value_cols,segment_col\na.csv,x,s\n"
    assert list(windows(write(tmp_path, manifest, a=f"s,x\n{rows}\n"))) == []
    flat = "x\n" + "5\n" * 600
    assert list(windows(write(tmp_path, "path,value_cols\na.csv,x\n", a=flat))) == []


def test_uneven_times_are_laid_on_a_grid(tmp_path: Path) -> None:
    rows = "\n".join(f"{10 * i + (i % 3)},{i}" for i in range(520))
    manifest = "path,value_cols,time_col,time_format,grid,interval_s\na.csv,x,t,s,resample,10\n"
    (window,) = windows(write(tmp_path, manifest, a=f"t,x\n{rows}\n"))
    np.testing.assert_array_equal(window.x, np.arange(512))


def test_restricted_sources_are_known() -> None:
    assert not permitted({"path": "ett/ETTh1.csv.gz", "source": "ett"})
    assert not permitted({"path": "physionet/mimic2_s00001_numerics.csv", "source": "physionet"})
    assert permitted({"path": "physionet/100.csv", "source": "physionet"})
    assert permitted({"path": "mine.csv"})


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="it must be a CSV file with a column path"):
        read_manifest(tmp_path)


def test_files_are_split_by_their_path_alone() -> None:
    paths = [f"{i}.csv" for i in range(400)]
    share = np.mean([split_of(p) == "development" for p in paths])
    assert 0.08 < share < 0.25
    assert [split_of(p) for p in paths] == [split_of(p) for p in paths]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real series are not beside this checkout")
def test_real_files_give_windows_of_many_domains() -> None:
    wanted = {"nab", "uci_occupancy", "nasa_battery", "mauna_loa_co2", "yosemite_temps"}
    rows = [row for row in read_manifest(SHARED) if row["source"] in wanted]
    assert {row["source"] for row in rows} == wanted
