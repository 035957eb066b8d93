"""The command line: every refusal is one sentence and its exit code."""

from __future__ import annotations

import io
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from support.commands import TEXT, refusal, run, sample, spawn


@pytest.mark.parametrize("length", [100, 32, 0])
def test_encode_refuses_a_length_as_sample_does(
    tiny: Path, tmp_path: Path, length: int, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "c.npy"
    common = ["--text", TEXT, "--length", length, "--out", out]
    assert run("encode", "--model", tiny, *common) == 2
    said = refusal(capsys)
    assert sample(tiny, *common) == 2
    assert said == refusal(capsys)
    assert not out.exists()


@pytest.mark.parametrize(
    ("unit", "sentence"),
    [
        (
            "kg,m",
            "unit is 'kg,m'; it must be printed without commas, semicolons, quotes and square",
        ),
        ("a]", "unit is 'a]'; it must be printed without"),
        ("a\n", "unit is 'a\\n'; it must be printed without"),
        ("u" * 41, "unit is 41 characters; it must be 0 to 40"),
    ],
)
def test_every_command_refuses_a_unit_that_no_header_can_hold(
    tiny: Path,
    latent: Path,
    tmp_path: Path,
    unit: str,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    past = tmp_path / "x.csv"
    past.write_text("time,a\n0,1\n1,2\n2,3\n", encoding="utf-8")
    for command in (
        ["sample", "--model", tiny, "--cond", latent],
        ["generate", "x", "--model", tiny, "--describe-locally", TEXT],
        ["continue", past],
        ["impute", past],
        ["edit", past, "--model", tiny, "--cond", latent],
        ["serve", "--broker", "mqtt://localhost", "--replay", f"room={TEXT}"],
    ):
        assert run(*command, "--unit", unit) == 2
        assert sentence in refusal(capsys)


def test_files_that_would_overwrite_each_other_are_refused(
    tiny: Path, latent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    past = tmp_path / "x.csv"
    past.write_text("time,a\n0,1\n1,2\n2,3\n", encoding="utf-8")
    checked = ["sample", "--model", tiny, "--cond", latent, "--verify"]
    out, again = tmp_path / "same.json", tmp_path / "link" / "same.json"
    png = tmp_path / "same.png"
    before = sorted(tmp_path.iterdir())
    for command, names in (
        ([*checked, "--out", out, "--report", again], "out and report"),
        ([*checked, "--plot", png, "--report", png], "plot and report"),
        (["generate", "x", "--out", png, "--plot", png], "out and plot"),
        (
            ["channels", "--text", "a: 0 to 1; b: 0 to 1", "--out", png, "--plot", png],
            "out and plot",
        ),
        (["continue", past, "--out", png, "--plot", png], "out and plot"),
        (["fetch", "x", "--out", latent, "--answer", latent], "out and answer"),
    ):
        assert run(*command) == 2
        said = refusal(capsys)
        assert f"{names} are both " in said
        assert "; they must be two files" in said
    assert sorted(tmp_path.iterdir()) == before


def test_inspect_and_doctor_answer(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", tiny, "--tensors") == 0
    out = capsys.readouterr().out
    for part in ("sums verified", "bridge.0.qkv.weight", "random weights"):
        assert part in out
    assert run("doctor", "--model", tiny, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["isa"] in [entry["name"] for entry in report["kernel_sets"] if entry["available"]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--steps", 0], "steps is 0; it must be 1 to 500"),
        (["--steps", 501], "steps is 501; it must be 1 to 500"),
        (["--guidance", "nan"], "guidance is nan; it must be 0 to 20"),
        (["--length", 100], "length is 100; it must be a multiple of 8"),
        (["--length", 32], "length is 32; it must be 64 to 16777216"),
        (["-n", 0], "count is 0; it must be 1 to 65536"),
        (["--seed", -1], "seed is -1; it must be 0 to"),
        (["--solver", "euler"], "solver is 'euler'; it must be one of dpmpp_2m, ddim, ddpm"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["--precision", "int4"], "precision is 'int4'; it must be int8, fp32 or auto"),
        (["--interval", 0], "interval is 0.0; it must be 1e-6 to 1e9 seconds"),
        (["--start", "yesterday"], "start is 'yesterday'; it must be an ISO 8601 time"),
        (["--out", "series.xls"], "ends in '.xls'; it must end in .npy, .csv, .parquet, .json"),
        (["--guidance-interval", 0.8, 0.2], "guidance interval is 0.8 to 0.2; it must rise"),
        (["--steps", "many"], "'many' is no whole number; it must be one"),
        (["--eta", "x"], "'x' is no number; it must be one"),
        (["--interval", 1e9, "--length", 4096], "they must end before the year 10000"),
        (["--unit", "\udcff"], "unit holds a byte that is no UTF-8 at character 0"),
        (["--plot", "series.jpg"], "ends in '.jpg'; it must end in .png"),
        (["--text", "5 V"], "not allowed with argument --cond"),
        (["--threads", 1000], "threads is 1000; it must be 0 to 256"),
    ],
)
def test_a_wrong_setting_is_refused(
    tiny: Path,
    latent: Path,
    arguments: list[object],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert sample(tiny, "--cond", latent, *arguments) == 2
    assert sentence in refusal(capsys)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "text is empty; it must describe a series"),
        ("  \n ", "text is empty; it must describe a series"),
        ("word " * 10_000, "(10000 words); it must be at most 20000"),
        ("ab " * 500, "word pieces; it must be 1 to 126"),
        ("5 \udcff", "text holds a byte that is no UTF-8 at character 2; it must be UTF-8"),
    ],
)
def test_a_wrong_text_is_refused(
    tiny: Path, text: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sample(tiny, "--text", text) == 2
    assert sentence in refusal(capsys)


def npy(array: np.ndarray, *, allow_pickle: bool = False) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array, allow_pickle=allow_pickle)
    return out.getvalue()


def header(text: str) -> bytes:
    raw = text.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + len(raw).to_bytes(2, "little") + raw


GOOD = np.zeros((3, 64), dtype=np.float32)
HUGE = "{'descr': '<f4', 'fortran_order': False, 'shape': (128, 99999999999)}"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (npy(np.zeros((3, 65), dtype=np.float32)), "condition is 65 wide; this model needs 64"),
        (npy(np.zeros((3, 64, 1), dtype=np.float32)), "has shape (3, 64, 1); it must be"),
        (npy(np.zeros((129, 64), dtype=np.float32)), "has shape (129, 64); it must be"),
        (npy(np.zeros((0, 64), dtype=np.float32)), "has shape (0, 64); it must be"),
        (npy(GOOD.astype(np.float64)), "is <f8; it must be float32"),
        (npy(np.asfortranarray(np.zeros((3, 64), dtype=np.float32))), "Fortran order; it must be"),
        (
            npy(np.where(GOOD == 0, np.nan, GOOD).astype(np.float32)),
            "is nan at (0, 0); it must be finite",
        ),
        (npy(np.array([[None]], dtype=object), allow_pickle=True), "is |O; it must be float32"),
        (pickle.dumps(GOOD), "does not begin as a .npy file"),
        (npy(GOOD)[:-1], "bytes; its header needs exactly"),
        (npy(GOOD) + b"x", "bytes; its header needs exactly"),
        (npy(GOOD)[:20], "has a damaged header"),
        (header(HUGE), "it must be (1 to 128 tokens, width)"),
        (header(HUGE[:-1] + ", 'more': 1}"), "has a header with further keys"),
        (header("['descr', 'fortran_order', 'shape']"), "has a damaged header"),
        (header("__import__('os').abort()"), "has a damaged header"),
        (header("(" * 3000), "has a damaged header"),
        (b"\x93NUMPY\x09\x00", "is .npy version 9.0; it must be 1.0 or 2.0"),
        (b"", "does not begin as a .npy file"),
    ],
)
def test_a_hostile_latent_is_refused(
    tiny: Path, tmp_path: Path, data: bytes, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "latent.npy"
    path.write_bytes(data)
    assert sample(tiny, "--cond", path) == 2
    assert sentence in refusal(capsys)


def test_a_missing_latent_is_refused(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sample(tiny, "--cond", "nowhere.npy") == 2
    assert "nowhere.npy" in refusal(capsys)


def _damaged(data: bytes, kind: str) -> bytes:
    if kind == "magic":
        return b"GGUX" + data[4:]
    if kind == "version":
        return data[:4] + (7).to_bytes(4, "little") + data[8:]
    if kind == "format":
        key = data.index(b"geng.format_version") + len(b"geng.format_version") + 4
        return data[:key] + (9).to_bytes(4, "little") + data[key + 4 :]
    if kind == "sum":
        return data[:-40] + bytes([data[-40] ^ 1]) + data[-39:]
    if kind == "overlap":
        name = b"text.0.norm2.bias"
        at = data.rindex(name) + len(name)
        rank = int.from_bytes(data[at : at + 4], "little")
        offset = at + 4 + 8 * rank + 4
        return data[:offset] + (0).to_bytes(8, "little") + data[offset + 8 :]
    assert kind == "trailing"
    return data + b"\0" * 64


@pytest.mark.parametrize("kind", ["magic", "version", "format", "sum", "overlap", "trailing"])
def test_a_damaged_model_is_refused(
    tiny: Path, tmp_path: Path, latent: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(_damaged(tiny.read_bytes(), kind))
    assert sample(path, "--cond", latent) == 3
    assert "bad.gguf" in refusal(capsys)


def test_a_model_cut_anywhere_is_refused(
    tiny: Path, tmp_path: Path, latent: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tiny.read_bytes()
    path = tmp_path / "cut.gguf"
    for size in [0, 3, 4, 11, 23, 24, 100, 1000, 5000, len(data) // 2, len(data) - 1]:
        path.write_bytes(data[:size])
        assert sample(path, "--cond", latent) == 3
        assert "cut.gguf" in refusal(capsys)


def test_a_missing_model_is_refused(latent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sample(Path("nowhere.gguf"), "--cond", latent) == 3
    assert "nowhere.gguf" in refusal(capsys)


def test_an_output_that_cannot_be_written_is_refused_first(
    tiny: Path, latent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert sample(tiny, "--cond", latent, "--out", tmp_path / "no" / "s.csv") == 4
    assert "does not exist; it must exist" in refusal(capsys)
    # Root may write anywhere, so the answer of the system is given by hand.
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert sample(tiny, "--cond", latent, "--out", tmp_path / "s.csv") == 4
    assert "is read-only; it must be writable" in refusal(capsys)


def test_what_two_runs_write_is_the_same(tiny: Path, latent: Path, tmp_path: Path) -> None:
    for suffix in ("csv", "json", "npy"):
        written = []
        for folder in ("one", "two"):
            (tmp_path / folder).mkdir(exist_ok=True)
            out = tmp_path / folder / f"s.{suffix}"
            assert sample(tiny, "--cond", latent, "-n", 2, "--seed", 3, "--out", out) == 0
            written.append(out.read_bytes())
        assert written[0] == written[1]


def test_doctor_without_a_model_still_describes_the_device(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("doctor", "--model", "nowhere.gguf") == 3
    out, err = capsys.readouterr()
    assert out.startswith("cpu ")
    assert "ready" not in out
    assert "nowhere.gguf" in err


def test_a_kernel_set_that_is_not_there_is_refused(tiny: Path, latent: Path) -> None:
    command = ["sample", "--model", str(tiny), "--cond", str(latent)]
    done = spawn(command, env={**os.environ, "GENG_FORCE_ISA": "AVX9"})
    assert done.returncode == 2
    assert "GENG_FORCE_ISA=AVX9: unknown; this binary has" in done.stderr


@pytest.mark.parametrize("threads", ["many", "-1", "1" * 5000])
def test_a_wrong_number_of_threads_in_the_environment_is_refused(
    tiny: Path, latent: Path, threads: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("GENG_THREADS", threads)
    assert sample(tiny, "--cond", latent) == 2
    assert "it must be a number of threads" in refusal(capsys)


def test_any_caption_can_be_drawn(tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra 'plot'")
    text = "costs $\\frac{ 1 to 5$ \U0001f321 \x07 " + "and so on " * 8
    out, png = tmp_path / "s.npy", tmp_path / "s.png"
    arguments = ["--text", text, "--unit", "$_{", "-n", 1, "--out", out, "--plot", png]
    assert sample(tiny, *arguments) == 0
    assert png.read_bytes().startswith(b"\x89PNG")


def test_no_command_and_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    assert "no command is given" in refusal(capsys)
    with pytest.raises(SystemExit) as stop:
        run("sample", "--help")
    assert stop.value.code == 0
    assert "--guidance-interval" in capsys.readouterr().out
