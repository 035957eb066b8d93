"""Profiles: whole, kept by the schema, and obeyed by sample."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from geng_edge import profiles
from geng_edge.cli.main import main
from geng_edge.errors import ArgumentError, ProfileError
from geng_edge.generator import bundled_model
from geng_edge.profiles import memory, store
from geng_edge.profiles.check import offences

BOARDS = {
    "cm4",
    "generic-a53-gateway",
    "imx8m-plus",
    "jetson-agx-orin",
    "jetson-nano",
    "jetson-orin-nano",
    "jetson-orin-nano-super",
    "rpi-zero-2w",
    "rpi3b-plus",
    "rpi4",
    "rpi5",
}
FOLDER = Path(__file__).parents[2] / "firmware_profiles"


def run(*arguments: object) -> int:
    return main([str(a) for a in arguments])


def bent(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The Pi 4's tables after one change."""
    data = copy.deepcopy(store.tables("rpi4"))
    change(data)
    return data


def put(part: str, field: str, **changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda data: data[part][field].update(changes)


BREAKS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda d: d.pop("mode"), "mode is missing"),
    (lambda d: d.update(id="Pi 4"), "id is 'Pi 4'; it must match"),
    (lambda d: d.update(name=""), "name is ''; it must have a length of at least 1"),
    (lambda d: d.update(note="x"), "note is not known"),
    (lambda d: d["board"].pop("page_size"), r"board\.page_size is missing"),
    (put("board", "n_cores", value="four"), r"board\.n_cores\.value is 'four'; .* type integer"),
    (put("board", "n_cores", value=True), r"board\.n_cores\.value is True"),
    (put("board", "n_cores", value=0), r"board\.n_cores\.value is 0; it must be at least 1"),
    (put("board", "mem_copy_gbs", value=0), "must be above 0"),
    (put("board", "page_size", value=8192), "must be one of 4096, 16384, 65536"),
    (put("board", "isa", value=["asimd", 3]), r"board\.isa\.value\[1\] is 3"),
    (put("board", "isa", value=[]), "must have a length of at least 1"),
    (put("board", "soc", how="guessed"), "must be one of measured, derived, assumed"),
    (put("board", "soc", source=""), r"board\.soc\.source is ''"),
    (put("board", "int8_board_gops", value=[1.0]), "must have a length of at least 2"),
    (put("sample", "steps", value=501), "must be at most 500"),
    (put("sample", "precision", value="int4"), "must be one of int8, fp32"),
    (lambda d: d.update(board=[]), r"board is \[\]; it must be of type object"),
]
# What no schema can say: one field beside another.
MISMATCHES: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (put("sample", "threads", value=5), r"sample\.threads is 5; it must be at most n_cores, 4"),
    (put("sample", "memory_mb", value=901), "must be at most ram_mb_visible, 900"),
    (put("board", "int8_board_gops", value=[79, 33]), "it must rise"),
    (put("board", "int8_gops_core", value=48.0), "it must have a value exactly where"),
    (lambda d: d["board"]["l1d_kb"].pop("cores"), "cores is missing"),
    (put("board", "l3_kb", value=512), "it must have both or neither"),
    (lambda d: d.update(id="rpi6"), "id is 'rpi6'; it must be 'rpi4'"),
]


def test_every_board_has_a_whole_profile() -> None:
    assert set(profiles.names()) == BOARDS == {path.stem for path in FOLDER.glob("*.toml")}
    for name in profiles.names():
        assert offences(store.tables(name), store.schema(), name) == []


def test_the_package_holds_what_the_source_tree_says() -> None:
    for path in FOLDER.glob("*.toml"):
        assert store.tables(path.stem) == store.read(path)
    assert store.schema() == json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("change", "sentence"), BREAKS + MISMATCHES)
def test_check_refuses(change: Callable[[dict[str, Any]], object], sentence: str) -> None:
    found = offences(bent(change), store.schema(), "rpi4")
    assert found
    with pytest.raises(AssertionError, match=sentence):
        raise AssertionError("; ".join(found))


def test_check_and_json_schema_agree() -> None:
    validator = pytest.importorskip("jsonschema").Draft202012Validator(store.schema())
    validator.check_schema(store.schema())
    for name in profiles.names():
        assert list(validator.iter_errors(store.tables(name))) == []
    for change, sentence in BREAKS:
        assert list(validator.iter_errors(bent(change))), sentence


def test_list_show_and_check_answer(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("profiles", "list") == 0
    assert "rpi-zero-2w" in capsys.readouterr().out
    assert run("profiles", "show", "rpi5", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["board"]["int8_gops_core"]["value"] == 153.5
    assert shown["board"]["int8_gops_core"]["source"].startswith("cpufp")
    assert run("profiles", "check", *sorted(FOLDER.glob("*.toml"))) == 0
    assert capsys.readouterr().out.count(": whole") == len(BOARDS)
    bad = tmp_path / "rpi4.toml"
    text = (FOLDER / "rpi4.toml").read_text(encoding="utf-8")
    bad.write_text(text.replace("value = 1500", "value = -1"), encoding="utf-8")
    assert run("profiles", "check", bad) == 2
    out, err = capsys.readouterr()
    assert "board.mhz_nominal.value is -1; it must be at least 1" in out
    assert "1 of 1 profiles break the rules" in err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("id = ", "is no TOML"),
        ('id = "x"', "name is missing; it must be given"),
        (None, "it must be a readable file"),
    ],
)
def test_a_file_that_is_no_profile_is_refused(
    text: str | None, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ArgumentError, match=sentence):
        profiles.load(str(path))


def test_an_unknown_profile_is_refused_by_name() -> None:
    with pytest.raises(ArgumentError, match="profile is 'rpi9'; it must be one of cm4, "):
        profiles.load("rpi9")


@pytest.fixture(autouse=True)
def small_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command's own process: that of the tests may hold torch and all that came before."""
    monkeypatch.setattr(memory, "resident", lambda: 33 * memory.MB)


def test_sample_takes_its_settings_from_the_profile(
    tiny: Path, latent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = tmp_path / "board.toml"
    text = (FOLDER / "rpi4.toml").read_text(encoding="utf-8")
    for old, new in (
        ('id = "rpi4"', 'id = "board"'),
        ("threads = { value = 4", "threads = { value = 1"),
        ("steps = { value = 4", "steps = { value = 3"),
        ('precision = { value = "int8"', 'precision = { value = "fp32"'),
    ):
        assert old in text
        text = text.replace(old, new)
    board.write_text(text, encoding="utf-8")
    command = ["sample", "--model", tiny, "--cond", latent, "-n", 1, "--profile", board, "--json"]
    assert run(*command) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [facts[k] for k in ("threads", "steps", "precision")] == [1, 3, "fp32"]
    assert run(*command, "--threads", 2, "--steps", 5, "--precision", "int8") == 0
    facts = json.loads(capsys.readouterr().out)
    assert [facts[k] for k in ("threads", "steps", "precision")] == [2, 5, "int8"]


def test_sample_refuses_with_a_plan_what_the_board_cannot_hold(
    tiny: Path, latent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "s.csv"
    command = ["sample", "--model", tiny, "--cond", latent, "--profile", "rpi-zero-2w"]
    assert run(*command, "-n", 60000, "--out", out) == 4
    said = capsys.readouterr().err
    assert "request needs " in said
    assert "rpi-zero-2w allows 213 MB" in said
    assert not out.exists()
    count = int(said.rpartition("--count ")[2].split()[0])
    assert 100 < count < 60000
    demand = memory.Demand(count, 512, guided=True, precision="int8", form=".csv")
    profile = profiles.load("rpi-zero-2w")
    assert memory.check_fits(demand, tiny, profile)
    more = memory.Demand(count + count // 10, 512, guided=True, precision="int8", form=".csv")
    with pytest.raises(ProfileError) as caught:
        memory.check_fits(more, tiny, profile)
    facts = caught.value.facts
    assert facts["limit_mb"] == 213
    assert sum(dict(facts["parts_mb"]).values()) >= facts["needed_mb"]  # type: ignore[call-overload]


def test_a_plan_counts_what_is_free_when_that_is_less(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "memory", lambda: {"total": 512, "available": 10})
    monkeypatch.setattr(memory, "resident", lambda: 30 * memory.MB)
    demand = memory.Demand(20000, 512, guided=True, precision="fp32", form=".npy")
    with pytest.raises(ProfileError, match="of which this device has 40 MB free") as caught:
        memory.check_fits(demand, tiny, profiles.load("rpi5"))
    fitting = dict(caught.value.facts["fitting"])  # type: ignore[call-overload]
    assert set(fitting) == {"fp32", "int8"}
    assert 0 < fitting["fp32"] <= fitting["int8"] < 20000


# The process reads its own peak: what wait4 tells of a child includes what it was forked from.
PEAK = """
import sys
from geng_edge.cli.main import main
code = main(sys.argv[1:])
for line in open("/proc/self/status"):
    if line.startswith("VmHWM:"):
        print(line.split()[1], file=sys.stderr)
sys.exit(code)
"""


def peak(command: list[str], cache: Path) -> int:
    """Peak bytes of a fresh process that starts with an empty cache."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *command],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "GENG_CACHE": str(cache)},
    )
    return int(done.stderr.splitlines()[-1]) * 1024


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
@pytest.mark.parametrize(
    ("count", "length", "precision", "form"),
    [
        (1, 512, "int8", ".npy"),
        (3000, 4096, "fp32", ".npy"),
        (1000, 512, "int8", ".csv"),
        (500, 8192, "int8", ".csv"),
        (500, 8192, "int8", ".npy"),
    ],
)
def test_the_plan_is_what_a_process_really_takes(
    count: int, length: int, precision: str, form: str, tmp_path: Path
) -> None:
    condition = tmp_path / "c.npy"
    assert run("encode", "--text", "values from 0 to 1", "--out", condition) == 0
    plain = peak(["profiles", "show", "rpi4"], tmp_path)
    measured = peak(
        ["sample", "--cond", str(condition), "-n", str(count), "--length", str(length), "--steps",
         "1", "--threads", "1", "--precision", precision, "--out", str(tmp_path / f"o{form}")],
        tmp_path,
    )  # fmt: skip
    streamed = length > 4096 and form == ".csv"
    demand = memory.Demand(
        count, length, guided=True, precision=precision, form=form, streamed=streamed
    )
    planned = sum(demand.bytes(memory.ModelSizes.of(bundled_model()), plain).values())
    assert 0.7 <= measured / planned <= 1.05
