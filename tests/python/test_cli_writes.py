"""The command line: what it writes, and where."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from support.commands import TEXT, run, sample


def test_sample_by_condition_gives_the_bytes_of_sample_by_text(tiny: Path, tmp_path: Path) -> None:
    latent, one, two = tmp_path / "c.npy", tmp_path / "a.npy", tmp_path / "b.npy"
    assert run("encode", "--model", tiny, "--text", TEXT, "--out", latent) == 0
    assert sample(tiny, "--cond", latent, "-n", 3, "--seed", 4, "--out", one) == 0
    assert sample(tiny, "--text", TEXT, "-n", 3, "--seed", 4, "--out", two) == 0
    assert one.read_bytes() == two.read_bytes()


def test_a_latent_of_a_length_gives_the_series_of_its_text_at_that_length(
    tiny: Path, tmp_path: Path
) -> None:
    text = "12 cycles in the window, values 0 to 1"
    latent, one, two = tmp_path / "c.npy", tmp_path / "a.npy", tmp_path / "b.npy"
    common = ["-n", 1, "--length", 1024]
    assert run("encode", "--model", tiny, "--text", text, "--length", 1024, "--out", latent) == 0
    assert sample(tiny, "--cond", latent, *common, "--out", one) == 0
    assert sample(tiny, "--text", text, *common, "--out", two) == 0
    assert one.read_bytes() == two.read_bytes()
    assert run("encode", "--model", tiny, "--text", text, "--out", latent) == 0
    assert sample(tiny, "--cond", latent, *common, "--out", one) == 0
    assert one.read_bytes() != two.read_bytes()


@pytest.mark.parametrize("solver", ["dpmpp_2m", "ddim", "ddpm"])
@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_bytes_depend_neither_on_threads_nor_on_the_batch(
    tiny: Path, latent: Path, tmp_path: Path, solver: str, precision: str
) -> None:
    common = ["--cond", latent, "--solver", solver, "--precision", precision, "--steps", 5,
              "--guidance", 1.5, "--eta", 0.3 if solver == "ddim" else 0]  # fmt: skip
    rows = {}
    for threads in (1, 2):
        out = tmp_path / f"{threads}.npy"
        assert sample(tiny, *common, "-n", 4, "--seed", 9, "--threads", threads, "--out", out) == 0
        rows[threads] = np.load(out, allow_pickle=False)
    assert rows[1].tobytes() == rows[2].tobytes()
    for i in range(4):
        out = tmp_path / "one.npy"
        assert sample(tiny, *common, "-n", 1, "--seed", 9 + i, "--out", out) == 0
        assert np.load(out, allow_pickle=False).tobytes() == rows[1][i].tobytes()


def test_csv_has_iso_times_and_one_column_a_series(
    tiny: Path, latent: Path, tmp_path: Path
) -> None:
    out = tmp_path / "s.csv"
    arguments = ["-n", 2, "--length", 64, "--interval", 0.5, "--start", "2026-01-02T03:04:05"]
    assert sample(tiny, "--cond", latent, *arguments, "--out", out) == 0
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "time,series_0,series_1"
    assert [line.split(",")[0] for line in lines[1:4]] == [
        "2026-01-02T03:04:05.000",
        "2026-01-02T03:04:05.500",
        "2026-01-02T03:04:06.000",
    ]
    assert len(lines) == 65


@pytest.mark.parametrize("length", [64, 4104])  # at once, and as it grows
def test_csv_keeps_the_unit_beside_the_name(
    tiny: Path, latent: Path, tmp_path: Path, length: int
) -> None:
    out = tmp_path / "s.csv"
    common = ["-n", 2, "--length", length, "--out", out]
    assert sample(tiny, "--cond", latent, *common, "--unit", "W/(m2 K)") == 0
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "time,series_0 [W/(m2 K)],series_1 [W/(m2 K)]"
    assert len(lines) == length + 1
    assert run("continue", out, "--steps", 8, "--only-new", "--out", tmp_path / "c.csv") == 0
    assert (tmp_path / "c.csv").read_text().startswith("time,series_0 [W/(m2 K)]\n")
    assert run("continue", out, "--unit", "K", "--out", tmp_path / "c.csv") == 2


def test_data_goes_to_stdout_and_status_to_stderr(
    tiny: Path, latent: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert sample(tiny, "--cond", latent, "-n", 1, "--length", 64) == 0
    out, err = capsysbinary.readouterr()
    assert out.startswith(b"time,series_0\n2000-01-01T00:00:00,")
    assert err.count(b"\n") == 2


def test_json_names_what_was_read_and_how_it_ran(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "s.json"
    assert sample(tiny, "--text", TEXT, "-n", 2, "--unit", "degC", "--out", out, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["count"], facts["seed"], facts["solver"]) == (2, 0, "dpmpp_2m")
    assert set(facts["read"]) == {"roles", "frame"}
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written["unit"] == "degC"
    assert len(written["series"]["series_1"]) == 512


def test_parquet_and_png_are_written(tiny: Path, latent: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra 'plot'")
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra 'parquet'")
    out, png = tmp_path / "s.parquet", tmp_path / "s.png"
    assert sample(tiny, "--cond", latent, "-n", 2, "--out", out, "--plot", png) == 0
    assert parquet.read_table(out).num_columns == 3
    assert png.read_bytes().startswith(b"\x89PNG")


def test_emoji_and_control_characters_are_text(tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.npy"
    text = "\U0001f321 \x07 18 \u00b0C"
    assert run("encode", "--model", tiny, "--text", text, "--out", out) == 0
