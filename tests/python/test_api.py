"""The Python API, import costs and the wall between the device and everything heavy."""

from __future__ import annotations

import datetime as dt
import doctest
import importlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import geng_edge
from geng_edge import Condition, Generator, Request, Series
from geng_edge.errors import ArgumentError, CancelledError
from geng_edge.plot.terminal import draw

WALL = """
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise AssertionError(f"the edge runtime tried to import {{name}}")
sys.meta_path.insert(0, Wall())
"""
HEAVY = {
    "torch",
    "transformers",
    "onnx",
    "onnxruntime",
    "geng_export",
    "geng_cog",
    "scipy",
    "pandas",
}
EXTRAS = {"tokenizers", "matplotlib", "pyarrow", "paho"}


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_command_reaches_past_the_wall(tiny: Path, latent: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.csv"
    commands = [
        ["sample", "--model", str(tiny), "--cond", str(latent), "-n", "1", "--out", str(out)],
        ["inspect", str(tiny)],
        ["doctor", "--model", str(tiny)],
    ]
    for command in commands:
        code = WALL.format(blocked=HEAVY | EXTRAS)
        python(code + f"from geng_edge.cli.main import main\nassert main({command!r}) == 0")
    encode = ["encode", "--model", str(tiny), "--text", "5 V", "--out", str(tmp_path / "c.npy")]
    python(
        WALL.format(blocked=HEAVY)
        + f"from geng_edge.cli.main import main\nassert main({encode!r}) == 0"
    )


def test_the_sampling_path_never_reaches_the_road_to_the_cloud(
    tiny: Path, latent: Path, tmp_path: Path
) -> None:
    command = ["sample", "--model", str(tiny), "--cond", str(latent), "-n", "1",
               "--out", str(tmp_path / "s.csv")]  # fmt: skip
    python(
        WALL.format(blocked=HEAVY | EXTRAS)
        + f"from geng_edge.cli.main import main\nassert main({command!r}) == 0\n"
        "road = [m for m in sys.modules if m.startswith(('geng_edge.mqtt.broker',"
        " 'geng_edge.mqtt.link', 'geng_edge.cog', 'geng_edge.wire', 'ssl'))]\nassert not road, road"
    )


def test_a_kept_answer_needs_neither_broker_nor_paho(tiny: Path, tmp_path: Path) -> None:
    from geng_edge.cog.kept import Answers
    from geng_edge.wire.condition import Accepted
    from geng_edge.wire.fingerprint import fingerprint
    from support.road import answer

    said, generator = answer("a home"), Generator.load(tiny, threads=1)
    made = Condition.from_text(said.channels[0].description, said.interval, generator)
    kept = Accepted("transaction-1", said, (made,), fingerprint(generator))
    Answers.at_home().keep(kept, seed=0)
    out = tmp_path / "s.csv"
    command = [
        "generate",
        "a home",
        "--offline",
        "--model",
        str(tiny),
        "-n",
        "1",
        "--out",
        str(out),
    ]
    python(
        WALL.format(blocked=HEAVY | EXTRAS)
        + f"from geng_edge.cli.main import main\nassert main({command!r}) == 0"
    )
    assert len(out.read_text().splitlines()) == 1009


def test_text_without_its_extra_says_what_to_install(tiny: Path, tmp_path: Path) -> None:
    code = "import sys\nsys.modules['tokenizers'] = None\nfrom geng_edge.cli.main import main\n"
    command = ["sample", "--model", str(tiny), "--text", "5 V", "--out", str(tmp_path / "s.csv")]
    done = subprocess.run(
        [sys.executable, "-c", code + f"sys.exit(main({command!r}))"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'geng-edge[text]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_import_costs_little_more_than_numpy() -> None:
    # Of the processor, not of the clock: other work on the machine says nothing about us.
    code = (
        "import time, numpy\nt = time.process_time()\n"
        "import geng_edge.cli.main, geng_edge.generator, geng_edge.condition\n"
        "print((time.process_time() - t) * 1e3)"
    )
    assert min(float(python(code)) for _ in range(5)) <= 60.0


@pytest.mark.parametrize(
    "module", ["main", "encode", "sample", "inspect", "doctor", "profiles", "bench"]
)
def test_import_of_a_command_needs_numpy_alone(module: str) -> None:
    python(WALL.format(blocked=HEAVY | EXTRAS) + f"import geng_edge.cli.{module}")


def test_examples_of_the_documentation_run(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENG_MODEL", str(tiny))
    for name in ("condition", "generator", "series"):
        result = doctest.testmod(importlib.import_module(f"geng_edge.{name}"))
        assert result.attempted > 0
        assert result.failed == 0


def test_every_public_name_is_there() -> None:
    for name in geng_edge.__all__:
        assert getattr(geng_edge, name)
    with pytest.raises(AttributeError, match="no attribute 'generator_of_series'"):
        _ = geng_edge.generator_of_series


def test_progress_is_told_of_every_step_and_can_stop(tiny: Path, latent: Path) -> None:
    generator = Generator.load(tiny, threads=1)
    condition = Condition.load(latent)
    seen: list[tuple[int, int]] = []

    def watch(done: int, steps: int) -> bool:
        seen.append((done, steps))
        return True

    generator.generate(condition, 2, steps=4, progress=watch)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    with pytest.raises(CancelledError):
        generator.generate(condition, 2, steps=4, progress=lambda done, _: done < 1)


def test_an_error_in_progress_comes_out_as_it_is(tiny: Path, latent: Path) -> None:
    def fail(_done: int, _steps: int) -> bool:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        Generator.load(tiny, threads=1).generate(Condition.load(latent), progress=fail)


def test_generate_names_an_unknown_setting(tiny: Path, latent: Path) -> None:
    with pytest.raises(TypeError, match="stepps"):
        Generator.load(tiny, threads=1).generate(Condition.load(latent), stepps=4)  # type: ignore[call-arg]


def test_condition_keeps_its_bytes_through_a_file(tmp_path: Path) -> None:
    array = np.arange(128, dtype=np.float32).reshape(2, 64)
    Condition(array).save(tmp_path / "c.npy")
    assert Condition.load(tmp_path / "c.npy").array.tobytes() == array.tobytes()


@pytest.mark.parametrize("interval", [1.0, 0.5, 1.5e-6, 1 / 3, 86400.0])
def test_times_do_not_drift_from_their_interval(interval: float) -> None:
    series = Series(np.zeros((1, 512), dtype=np.float32), interval)
    first, last = (dt.datetime.fromisoformat(series.times()[i]) for i in (0, -1))
    assert abs((last - first).total_seconds() - 511 * interval) <= 1e-6


@pytest.mark.parametrize("interval", [np.int64(1800), np.float32(1800.0)])
def test_an_interval_of_numpy_is_one_of_seconds(tiny: Path, interval: Any) -> None:
    generator = Generator.load(tiny, threads=1)
    drawn = []
    for one in (1800.0, interval):
        condition = Condition.from_text("a period of 6 h, values from 0 to 1", one, generator)
        drawn.append(generator.generate(condition, interval=one, length=64))
    plain, other = ([*series.to_csv(), *series.to_json()] for series in drawn)
    assert other == plain


def test_text_formats_keep_every_value(tmp_path: Path) -> None:
    values = np.frombuffer(np.random.default_rng(0).bytes(4 * 512), dtype=np.float32)
    values = np.nan_to_num(values, nan=0.1, posinf=3.4e38, neginf=-1e-38).reshape(8, 64)
    series = Series(values)
    series.save(tmp_path / "s.csv")
    rows = [r.split(",")[1:] for r in (tmp_path / "s.csv").read_text().splitlines()[1:]]
    assert np.array(rows, dtype=np.float32).T.tobytes() == values.tobytes()
    series.save(str(tmp_path / "s.json"))
    read = json.loads((tmp_path / "s.json").read_text())["series"]
    assert np.array(list(read.values()), dtype=np.float32).tobytes() == values.tobytes()


def test_csv_of_twenty_series_takes_no_time() -> None:
    series = Series(np.random.default_rng(0).normal(size=(20, 512)).astype(np.float32))
    spent = []
    for _ in range(5):
        began = time.process_time()
        b"".join(series.to_csv())
        spent.append(time.process_time() - began)
    assert min(spent) < 0.05


def test_terminal_plot_fits_and_has_an_ascii_form() -> None:
    series = Series(np.sin(np.arange(512) / 9).astype(np.float32)[None].repeat(5, 0), unit="V")
    lines = draw(series, columns=40, rows=6).splitlines()
    assert lines[0] == "series_0  -1 to 1 V"
    assert lines[-1] == "... and 2 more"
    assert all(len(line) <= 40 for line in lines)
    assert draw(series, plain=True).isascii()
    assert draw(Series(np.zeros((1, 64), dtype=np.float32)))


def test_request_takes_the_integers_of_numpy_and_refuses_what_is_none() -> None:
    assert type(Request(count=np.int64(3)).count) is int
    for wrong in (True, 2.0, "2"):
        with pytest.raises(ArgumentError, match=f"count is {wrong}; it must be 1 to 65536"):
            Request(count=wrong)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="guidance is much; it must be 0 to 20"):
        Request(guidance="much")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="it must be two numbers, low and high"):
        Request(guidance_interval=(0.1, 0.2, 0.3))  # type: ignore[arg-type]


def test_generate_and_chain_refuse_a_unit_that_no_header_can_hold(tiny: Path) -> None:
    generator = Generator.load(tiny, threads=1)
    condition = Condition.from_text("values from 0 to 1", generator=generator)
    with pytest.raises(ArgumentError, match="unit is 'kg,m'; it must be printed without commas"):
        generator.generate(condition, unit="kg,m")
    with pytest.raises(ArgumentError, match="unit is 'kg,m'; it must be printed without commas"):
        generator.chain(condition, Request(length=8192), unit="kg,m")


def test_an_error_carries_its_facts() -> None:
    with pytest.raises(ArgumentError) as caught:
        Request(steps=0)
    assert caught.value.facts == {"name": "steps", "value": 0}
    assert (caught.value.code, caught.value.exit_code) == ("argument", 2)


def test_ddpm_at_all_steps_runs(tiny: Path, latent: Path) -> None:
    series = Generator.load(tiny).generate(Condition.load(latent), solver="ddpm", steps=500)
    assert np.isfinite(series.values).all()


def test_length_changes_the_axis_not_the_period(tiny: Path, latent: Path) -> None:
    generator, condition = Generator.load(tiny), Condition.load(latent)
    assert generator.generate(condition, 1, length=1024).values.shape == (1, 1024)
