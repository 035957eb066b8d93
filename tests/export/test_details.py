"""Measures of examples, completion, editing and channels; a model adapted to own series."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState

from geng_edge import Generator, Series
from geng_edge.claims import Claims
from geng_export.data.real import RealWindow
from geng_export.errors import ExportError
from geng_export.evaluate import adapted, completed, devices, edits, two_stage
from geng_export.evaluate.captioned import Captioned, captions_of
from geng_export.targets.read_gguf import load_bundle
from geng_export.train import checkpoint, finetune, own


@pytest.fixture(scope="module")
def bundled() -> Generator:
    return Generator.load(threads=1)


def window(seed: int) -> RealWindow:
    rng = np.random.default_rng(seed)
    t = np.arange(512)
    x = 50.0 + 10.0 * np.sin(2 * np.pi * t / 24 + seed) + rng.normal(size=512)
    return RealWindow(x.astype(np.float32), 3600.0, "kW", "load", "energy", "own", "own", "own")


@pytest.fixture(scope="module")
def captioned() -> list[Captioned]:
    return captions_of([window(i) for i in range(4)])


def test_an_example_brings_series_nearer_to_it(
    bundled: Generator, captioned: list[Captioned], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(two_stage.STEPS, "discriminative", 2)
    result = two_stage.measure(bundled, captioned, strengths=(0.0, 0.7, 1.0), processes=1)
    alone, guided, same = (result.rows[n] for n in ("none", "its own, 0.7", "its own, 1"))
    assert guided["autocorrelation off"] < alone["autocorrelation off"]
    assert same["spectrum off"] < 0.05 < alone["spectrum off"]
    assert guided["periodicity"] == 100.0
    again = two_stage.TwoStage.from_dict(json.loads(json.dumps(result.to_dict())))
    assert again.to_markdown() == result.to_markdown()
    assert "its own, 0.7" in result.to_markdown()


def test_completion_is_measured_beside_naive_ways(captioned: list[Captioned]) -> None:
    pytest.importorskip("statsforecast")
    result = completed.measure(captioned)
    row = result.tables["continuation"]["all"]
    assert row["median"] < row["straight line"]
    assert row["CRPS"] < row["median"]
    again = completed.Completed.from_dict(json.loads(json.dumps(result.to_dict())))
    assert again.to_markdown() == result.to_markdown()


def test_crps_of_one_draw_is_its_error_and_of_the_truth_nothing() -> None:
    truth = np.array([1.0, 2.0])
    assert completed.crps(np.array([[2.0, 2.0]]), truth) == pytest.approx(0.5)
    assert completed.crps(np.stack([truth, truth]), truth) == pytest.approx(0.0)
    # Two draws at distance 1 on either side: E|X - y| = 1, E|X - X'| / 2 = 1 / 2.
    assert completed.crps(np.stack([truth - 1, truth + 1]), truth) == pytest.approx(0.5)


def test_edits_are_measured(
    bundled: Generator, captioned: list[Captioned], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        edits, "TEXTS", {"add a dropout near the end": (0.75, 1.0), "no trend": None}
    )
    result = edits.measure(bundled, captioned[:2], say=lambda _: None)
    assert result.rows["add a dropout near the end"]["held"] == 1.0
    assert result.rows["add a dropout near the end"]["outside"] < 0.02
    assert edits.Edits.from_dict(result.to_dict()).to_markdown() == result.to_markdown()


def test_devices_are_measured(bundled: Generator) -> None:
    result = devices.measure(bundled, count=1, processes=1)
    assert result.rows["together"]["range"] < 1.0
    assert result.correlation["pairs"] == 3 * len(devices.KINDS)
    assert devices.Devices.from_dict(result.to_dict()).to_markdown() == result.to_markdown()


def recording(folder: Path, steps: int) -> Path:
    rng = np.random.default_rng(1)
    t = np.arange(steps)
    x = 50.0 + 10.0 * np.sin(2 * np.pi * t / 24) + rng.normal(size=steps)
    x[700:705] = np.nan
    Series(x[None].astype(np.float32), 3600.0, labels=("load [kW]",)).save(folder / "load.csv")
    return folder


def test_own_windows_are_cut_and_the_last_part_is_held_back(tmp_path: Path) -> None:
    found = own.own_windows(recording(tmp_path, 4000), 512)
    assert len(found.train) == 1 + (3000 - 512) // own.STRIDE
    assert len(found.held) == 1 + (1000 - 512) // own.STRIDE
    assert found.train[0].unit == "kW"
    assert found.train[0].interval == 3600.0
    assert all(np.isfinite(w.x).all() for w in found.train)


def test_too_little_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="it must have some"):
        own.own_windows(tmp_path, 512)
    with pytest.raises(ExportError, match="must have 2048 steps or more"):
        own.own_windows(recording(tmp_path, 900), 512)
    (tmp_path / "bad.csv").write_text("time,x\n0,y\n")
    with pytest.raises(ExportError, match="it must be a number"):
        own.own_windows(tmp_path, 512)


def test_what_is_left_out_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = (recording(tmp_path, 4000) / "load.csv").read_text()
    (tmp_path / "load.csv").rename(tmp_path / "LOAD.CSV")
    lines = text.splitlines()
    (tmp_path / "short.csv").write_text("\n".join(lines[:601]))
    (tmp_path / "middle.csv").write_text("\n".join(lines[:1001]))
    (tmp_path / "flat.csv").write_text("x\n" + "5\n" * 3000)
    (tmp_path / "._load.csv").write_bytes(b"\0\xff")
    (tmp_path / "year").mkdir()
    (tmp_path / "year" / "more.csv").write_text(text)
    with caplog.at_level("INFO"):
        found = own.own_windows(tmp_path, 512)
    assert found.files == {
        "LOAD.CSV": {"train": 41, "held": 9, "left_out": ""},
        "flat.csv": {"train": 0, "held": 0, "left_out": "33 windows left out as constant"},
        "middle.csv": {
            "train": 4,
            "held": 0,
            "left_out": "1000 steps; it must have 2048 or more for windows to be held back",
        },
        "short.csv": {
            "train": 0,
            "held": 0,
            "left_out": "600 steps; it must have 683 or more to be trained on",
        },
    }
    for said in ("year/", "short.csv: 0 windows to train on, 0 held back; 600 steps"):
        assert said in caplog.text


@pytest.mark.parametrize(
    ("name", "title", "quantity"),
    [
        ("Export_2023-01-05 (2).csv", "active_power [kW]", "active power"),
        ("a.csv", "PM2.5", "PM2.5"),
        ("load_2024.csv", "7 [kW]", "load"),
        ("Export_2023-01-05 (2).npy", "", "Export"),
        ("20240105T1200.npy", "", ""),
    ],
)
def test_captions_name_the_column_and_no_numbers_but_its_own(
    tmp_path: Path, name: str, title: str, quantity: str
) -> None:
    x = np.sin(np.arange(2100) / 5.0)
    if title:
        (tmp_path / name).write_text("\n".join([title, *map(repr, x.tolist())]))
    else:
        np.save(tmp_path / name, x)
    found = own.own_windows(tmp_path, 512)
    assert {w.quantity for w in found.train + found.held} == {quantity}
    assert captions_of(found.held[:1])[0].text


def test_a_small_variation_at_a_high_level_is_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = 1.7e9 + 5.0 * np.sin(np.arange(2100) / 4.0) + rng.normal(size=2100)
    lines = [repr(v) for v in x.tolist()]
    lines[100] = "nan"
    (tmp_path / "a.csv").write_text("\n".join(["power", *lines]))
    found = own.own_windows(tmp_path, 512)
    for window in found.train + found.held:
        assert window.x.std() == pytest.approx(3.7, rel=0.1)
    np.testing.assert_array_equal(found.train[-1].x, x[(start := own.STRIDE * 17) : start + 512])
    assert abs(found.train[0].x[100] - x[100]) < 8.0


@pytest.fixture
def accelerator() -> Iterator[None]:
    """Accelerate keeps one precision for a whole process; other tests train in another."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


def test_a_model_and_itself_are_measured_alike(
    bundled: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, steps in (("ts2vec", 5), ("discriminative", 2)):
        monkeypatch.setitem(adapted.STEPS, name, steps)
    monkeypatch.setattr(adapted, "DESCRIPTIONS", 3)
    monkeypatch.setattr(adapted, "SAMPLES", 1)
    found = own.own_windows(recording(tmp_path, 3000), 512)
    said = [Claims(trend="up", low=0.0, high=1.0)] * len(found.held)
    captions = captions_of(found.held, 0, said)
    # A caption may leave a claim out; it adds none.
    assert {"up"} <= {one.claims.trend for one in captions} <= {"up", None}
    assert all(not one.claims.periods and not one.claims.unit for one in captions)
    path = Path(bundled.path)
    figures = adapted.compare(path, path, found, said)
    assert figures["before"] == figures["after"] != figures["floor"]
    assert figures["floor"]["windows"] == len(found.held)  # type: ignore[index]


def test_the_floor_of_real_windows_has_none_twice_where_there_are_enough() -> None:
    assert sorted(adapted.floor_of(200, 200, seed=0)) == list(range(200))
    assert len(set(adapted.floor_of(531, 172, seed=3))) == 172
    scarce = np.bincount(adapted.floor_of(10, 25, seed=0), minlength=10)
    assert scarce.sum() == 25
    assert set(scarce) == {2, 3}


@pytest.mark.usefixtures("accelerator")
def test_an_adapted_model_runs_on_the_device(tmp_path: Path) -> None:
    tiny = Path(__file__).parents[1] / "data" / "golden" / "tiny_distilled.gguf"
    data = tmp_path / "data"
    data.mkdir()
    recording(data, 2400)
    report = finetune.finetune(tiny, data, tmp_path / "run", steps=2, student_steps=2, judge=False)
    assert report["train_windows"] == 22
    assert report["files"] == {"load.csv": {"train": 22, "held": 2, "left_out": ""}}
    with pytest.raises(ExportError, match="2 windows are held back; it must be 10 or more"):
        finetune.finetune(tiny, data, tmp_path / "run", steps=2, student_steps=2)
    before, after = load_bundle(tiny), load_bundle(tmp_path / "run" / "model.gguf")
    assert not torch.equal(before.bridge.output.weight, after.bridge.output.weight)
    assert torch.equal(before.reader.up.weight, after.reader.up.weight)
    assert Generator.load(tmp_path / "run" / "model.gguf", threads=1).distilled


@pytest.mark.usefixtures("accelerator")
def test_a_folder_goes_on_with_its_own_run_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune, "BATCH", 4)
    monkeypatch.setattr(finetune, "NOISES", 1)
    monkeypatch.setattr(own, "MOST_WINDOWS", 4)
    tiny = Path(__file__).parents[1] / "data" / "golden" / "tiny_distilled.gguf"
    data, out = tmp_path / "data", tmp_path / "run"
    data.mkdir()
    recording(data, 2400)

    def run(steps: int = 1, seed: int = 0, model: Path = tiny) -> dict[str, object]:
        return finetune.finetune(
            model, data, out, steps=steps, student_steps=1, seed=seed, judge=False
        )

    took = run()["training_seconds"]
    first = checkpoint.load(out / "student.safetensors")[1]
    assert run()["training_seconds"] == took
    assert checkpoint.load(out / "student.safetensors")[1] == first
    with pytest.raises(ExportError, match="run is of another run; it must be a new folder"):
        run(seed=1)
    run(steps=2)
    assert checkpoint.load(out / "bridge.safetensors")[1]["step"] == 2
    anew = checkpoint.load(out / "student.safetensors")[1]
    assert anew["step"] == 1
    assert anew["run"] != first["run"]
    with pytest.raises(ExportError, match="bridge is at step 2 there and must be trained to 2"):
        run(steps=1)
    with pytest.raises(ExportError, match="is of another run"):
        run(steps=2, model=out / "model.gguf")
    recording(data, 2600)
    with pytest.raises(ExportError, match="is of another run"):
        run(steps=2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--seed", "-1"], "seed is -1; it must be 0 to"),
        (["--steps", "0"], "steps is 0; it must be 1 or more"),
        (["--student-steps", "-3"], "student_steps is -3; it must be 1 or more"),
        (["--model", "nowhere.gguf"], "nowhere.gguf"),
        (["--out", "taken"], "taken"),
    ],
)
def test_a_run_that_cannot_be_is_refused_in_words(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(recording(tmp_path, 2400))
    (tmp_path / "taken").touch()
    assert finetune.main(["--data", ".", "--out", "run", "--no-judge", *arguments]) == 2
    assert sentence in caplog.text
    assert not (tmp_path / "run").exists()
