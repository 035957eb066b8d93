"""The commands that take a series: continue, impute, edit, and sample with a reference."""

from __future__ import annotations

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
