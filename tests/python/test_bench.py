"""The bench: what it counts, what it says, and that it says it in every format."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geng_edge import Condition, Generator, _core
from geng_edge.bench import board, inputs, report
from geng_edge.bench.case import cross
from geng_edge.bench.measure import Row, step_seconds
from geng_edge.bench.shapes import SHAPES, sizes_of
from geng_edge.bench.subject import load_subject
from geng_edge.bench.work import Shape, guided_steps, timesteps
from geng_edge.errors import ArgumentError
from geng_edge.generator import find_model
from support.benches import ACTIVE, DISTILLED, FAST, case
from support.commands import run


def test_the_bundled_descriptions_need_no_tokenizer(tiny: Path) -> None:
    pytest.importorskip("tokenizers", reason="needs the extra 'text'")
    for path in (None, tiny):
        generator = Generator.load(path, threads=1)
        for text, made in zip(inputs.TEXTS, inputs.conditions(generator), strict=True):
            expected = Condition.from_text(text, generator=generator)
            assert made.array.tobytes() == expected.array.tobytes()


def test_cross_takes_every_combination_once() -> None:
    cases = cross(
        isa=["", ACTIVE], precision=["int8", "fp32"], threads=[1, 2], batch=[1, 1], length=[512],
        steps=[4, 8], solver=["ddim"], guidance=[0.0, 1.5],
    )  # fmt: skip
    assert len(cases) == len(set(cases)) == 16
    assert {each.isa for each in cases} == {ACTIVE}
    models = [each.model for each in cases]
    assert models == sorted(models, key=models.index)  # rows of one model are neighbours


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--steps", "8,0"], "steps is 0; it must be 1 to 500"),
        (["--solver", "euler"], "solver is 'euler'; it must be one of"),
        (["--precision", "int4"], "precision is 'int4'; it must be int8 or fp32"),
        (["--threads", "0"], "threads is 0; it must be 1 to 256"),
        (["--isa", "sse9"], "isa is 'sse9'; it must be all, or one that runs here: "),
        (["--output", "xml"], "output is 'xml'; it must be one of md, csv, json, jsonl"),
        (["--repetitions", "0"], "repetitions is 0; it must be 1 to 10000"),
        (["--cooldown", "-1"], "cooldown is -1.0; it must be 0 to 3600 seconds"),
        (["--batch", ",".join(map(str, range(1, 1100)))], "rows; it must be at most 1000"),
        (["--shape", "huge"], "shape is 'huge'; it must be one of edge, paper, tiny"),
        (["--compare", "nobody"], "peer is 'nobody'; it must be one of"),
        (["--profile", "rpi9"], "profile is 'rpi9'; it must be one of"),
        (["--compare", "torch", "--profile", "rpi4"], "it must be one of them"),
        (["--steps", "a"], "'a' is no whole number; it must be one"),
        (
            ["--solver", "consistency", "--guidance", "1.5"],
            "guidance is 1.5; it must be 0 with solver",
        ),
        (["--bogus"], "unrecognized arguments: --bogus"),
    ],
)
def test_a_wrong_setting_is_refused(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("bench", *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert "Traceback" not in err


def test_counted_work_is_what_the_weights_of_the_file_say(tiny: Path) -> None:
    shape = Shape.of(Generator.load(tiny, threads=1).model.metadata)
    blocks = {
        name: dims[0] * dims[1]
        for name, _, dims, _ in _core.inspect(str(tiny))["tensors"]
        if re.fullmatch(r"bridge\.\d+\.\w+\.weight", name)
    }
    crossing = sum(n for name, n in blocks.items() if name.split(".")[2] in ("cq", "co"))
    once = sum(n for name, n in blocks.items() if name.split(".")[2] == "ckv")
    everywhere = sum(blocks.values()) - crossing - once
    for guided, branches in ((False, 1), (True, 2)):
        work = shape.evaluation(3, 11, guided=guided)
        spared = (branches - 1) * (blocks["bridge.0.qkv.weight"] + blocks["bridge.0.o.weight"])
        assert work.blocks == 3 * shape.tokens * (branches * everywhere + crossing - spared)
    assert shape.beginning(5, 11, guided=False).blocks == 12 * once
    assert shape.block_weights == everywhere + crossing


@pytest.mark.parametrize("steps", [3, 8])
def test_timesteps_are_those_of_the_core(steps: int) -> None:
    generator = Generator.load(threads=1)
    condition = inputs.conditions(generator)[0].array
    most = generator.model.train_steps

    def latent(low: float) -> bytes:
        return generator.model.sample_latent(
            condition, 1, steps=steps, guidance=3.0, guidance_interval=(low, 1.0)
        ).tobytes()

    # Guidance that begins just above a timestep misses it, and only there does the result change.
    found = timesteps(steps, most)
    for t in found:
        assert latent((t - 0.5) / most) != latent((t + 0.5) / most)
    between = [t for t in range(1, most) if t not in found][:: most // 10]
    for t in between:
        assert latent((t - 0.5) / most) == latent((t + 0.5) / most)
    assert len(set(found)) == steps


def test_guided_steps_lie_in_the_interval() -> None:
    assert guided_steps(4, 500, (0.0, 1.0)) == [True] * 4
    assert guided_steps(4, 500, (0.3, 0.8)) == [False, True, True, False]
    assert timesteps(500, 500) == list(range(499, -1, -1))


def test_a_step_of_a_large_batch_is_the_sum_over_its_parts() -> None:
    # Two walks of three steps: ends at 1, 3, 6 and 16, 20, 25.
    marks = [0.0, 1.0, 3.0, 6.0, 16.0, 20.0, 25.0, 30.0]
    assert step_seconds(marks, 3) == [2.0 + 4.0, 3.0 + 5.0]
    assert step_seconds([0.0, 1.0, 2.0], 1) == []


def test_share_of_peak_is_work_over_time_over_peak() -> None:
    row = Row(case(), seconds={"step": [0.5, 0.5]}, peak=100.0)
    row.work = Shape(1, 1, 1, 1, 1, 1, 500, 0).evaluation(1, 0, guided=False)
    assert row.share_of_peak == pytest.approx(row.work.total * 2 / (1.0 * 100.0))
    assert Row(case()).share_of_peak is None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], [("consistency", 0.0)]),
        (["--solver", "consistency"], [("consistency", 0.0)]),
        (["--solver", "consistency,ddim"], [("consistency", 0.0), ("ddim", 1.5)]),
        (["--guidance", "1.5,0"], [("dpmpp_2m", 1.5), ("dpmpp_2m", 0.0)]),
        (["--solver", "dpmpp_2m"], [("dpmpp_2m", 1.5)]),
    ],
)
def test_the_bench_measures_what_sample_does(
    arguments: list[str],
    expected: list[tuple[str, float]],
    latent: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    quick = [*FAST, "--precision", "int8", "--no-cold", "--no-quality", "--output", "json"]
    assert run("bench", "--model", DISTILLED, *quick, *arguments) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["solver"], row["guidance"]) for row in rows] == expected
    if len(rows) == 1:
        drawn = ["--cond", latent, "-n", 1, "--length", 64, "--json", *arguments]
        assert run("sample", "--model", DISTILLED, *drawn) == 0
        facts = json.loads(capsys.readouterr().out)
        assert (facts["solver"], facts["guidance"]) == expected[0]
        work = load_subject(DISTILLED).shape.evaluation(
            1, load_subject(DISTILLED).words, guided=expected[0][1] > 0
        )
        assert rows[0]["multiply_adds_per_step"] == work.total


def test_drift_of_the_student_is_from_its_teacher_with_the_same_guidance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("geng_edge.bench.subject._REFERENCE_STEPS", 4)
    subject = load_subject(find_model())
    model = _core.Model(str(subject.path), "fp32", 1)
    assert subject.student == model.metadata["geng.student.guidance"]
    student = case(solver="consistency", guidance=0.0, length=64, steps=4)
    drift = subject.drift(student, model)
    subject.student = 0.0
    assert drift is not None
    assert drift != subject.drift(student, model)


def test_drift_falls_as_steps_rise_and_means_nothing_for_random_noise(tiny: Path) -> None:
    subject = load_subject(tiny)
    model = _core.Model(str(tiny), "fp32", 1)
    few, many = (subject.drift(case(steps=n), model) for n in (2, 60))
    assert few is not None
    assert many is not None
    assert many < few / 3
    assert subject.drift(case(solver="ddpm"), model) is None
    assert load_subject(tiny, trained=False).drift(case(), model) is None


def test_json_keeps_every_raw_sample(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["bench", "--model", tiny, *FAST, "--precision", "int8,fp32", "--batch", "1,3"]
    assert run(*command, "--output", "json", "--repetitions", 2) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["precision"], row["batch"]) for row in rows] == [
        ("int8", 1), ("int8", 3), ("fp32", 1), ("fp32", 3),
    ]  # fmt: skip
    for row in rows:
        raw = row["seconds"]
        assert [len(raw[name]) for name in ("first_step", "step", "sample")] == [2, 6, 2]
        assert row["step_ms"] == pytest.approx(1e3 * float(np.median(raw["step"])))
        assert row["step_ms_q1"] <= row["step_ms"] <= row["step_ms_q3"]
        assert row["series_per_s"] == pytest.approx(row["batch"] / np.median(raw["sample"]))
        assert row["isa"] == ACTIVE
        assert row["version"] == _core.version()
        assert row["build"] == _core.build_flags()
        assert row["commit"]
        assert len(raw["cold"]) >= 3
        assert row["cold_ms"] > row["load_ms"]
        assert row["peak_percent"] > 0
        assert row["drift"] >= 0
        if sys.platform.startswith("linux"):
            assert 10 < row["peak_rss_mb"] < 2000


@pytest.mark.parametrize("form", ["md", "csv", "jsonl"])
def test_every_format_holds_every_row(
    form: str, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bench.txt"
    command = [
        "bench",
        "--model",
        tiny,
        *FAST,
        "--no-cold",
        "--no-quality",
        "--solver",
        "ddim,ddpm",
    ]
    assert run(*command, "--output", form, "--out", out) == 0
    assert capsys.readouterr().out == ""
    text = out.read_text(encoding="utf-8")
    if form == "md":
        lines = text.splitlines()
        assert len({len(line) for line in lines}) == 1
        assert len(lines) == 2 + 4
        assert "solver" in lines[0]  # it differs
        assert "guidance" not in lines[0]  # it does not
        assert "cold" not in lines[0]  # nothing was measured
        return
    rows: list[Any]
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
    else:
        rows = [json.loads(line) for line in text.splitlines()]
    assert [row["solver"] for row in rows] == ["ddim", "ddpm"] * 2
    assert all(float(row["step_ms"]) > 0 for row in rows)
    assert {row["cold_ms"] for row in rows} <= {"", None}


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "n/a"), (0, "0"), (0.01234, "0.0123"), (1.5, "1.50"), (15.55, "15.6"), (1234.5, "1234")],
)  # fmt: skip
def test_a_number_has_three_digits_that_count(value: float | None, shown: str) -> None:
    assert report.number(value) == shown


def test_a_board_tells_its_heat_and_what_holds_it_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = tmp_path / "thermal_zone0"
    zone.mkdir()
    (zone / "temp").write_text("61200\n", encoding="ascii")
    flags = tmp_path / "get_throttled"
    monkeypatch.setattr(board, "_THERMAL", tmp_path)
    monkeypatch.setattr(board, "_THROTTLED", flags)
    monkeypatch.setattr(board.shutil, "which", lambda _name: None)
    assert board.state().throttled == "unknown"
    for bits, said in (
        ("0", "no"),
        ("50005", "under-voltage+throttled"),
        ("20000", "capped before"),
    ):
        flags.write_text(bits, encoding="ascii")
        assert board.state().throttled == said
    assert board.state().celsius == 61.2


def test_a_shape_is_a_name_or_what_differs_from_edge() -> None:
    assert sizes_of("paper") == SHAPES["paper"]
    assert sizes_of("dim=128,depth=2") == SHAPES["edge"] | {"dim": 128, "depth": 2}
    for wrong in ("", "dim", "dim=x", "dim=0", "size=3", "dim=4,"):
        with pytest.raises(ArgumentError, match="it must be one of edge, paper, tiny"):
            sizes_of(wrong)


@pytest.mark.parametrize("shape", ["tiny", "dim=64,depth=1,heads=2"])
def test_a_shape_is_measured_with_random_weights(
    shape: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENG_CACHE", str(tmp_path))
    assert run("bench", "--shape", shape, *FAST, "--no-cold", "--output", "json") == 0
    assert list(tmp_path.iterdir()) == []  # what will never be read again is not kept
    for row in json.loads(capsys.readouterr().out):
        assert (row["solver"], row["guidance"]) == ("dpmpp_2m", 1.5)
        assert row["step_ms"] > 0
        assert row["drift"] is None


def test_the_bench_stays_before_the_wall(tiny: Path) -> None:
    heavy = ("torch", "onnx", "transformers", "geng_export", "geng_cog", "scipy", "tokenizers")
    code = f"""
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {heavy!r}:
            raise AssertionError(name)
sys.meta_path.insert(0, Wall())
from geng_edge.cli.main import main
sys.exit(main({["bench", "--model", str(tiny), *FAST]!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("| ")
