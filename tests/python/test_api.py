"""The Python API, import costs and the wall between the device and everything heavy."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from geng_edge import Condition, Generator
from geng_edge.errors import ArgumentError, CancelledError

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
    code = (
        "import time, numpy\nt = time.perf_counter()\n"
        "import geng_edge.cli.main, geng_edge.generator, geng_edge.condition\n"
        "print((time.perf_counter() - t) * 1e3)"
    )
    assert statistics.median(float(python(code)) for _ in range(5)) <= 60.0


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
    with pytest.raises(ArgumentError, match="setting stepps is unknown"):
        Generator.load(tiny, threads=1).generate(Condition.load(latent), stepps=4)


def test_condition_keeps_its_bytes_through_a_file(tmp_path: Path) -> None:
    array = np.arange(128, dtype=np.float32).reshape(2, 64)
    Condition(array).save(tmp_path / "c.npy")
    assert Condition.load(tmp_path / "c.npy").array.tobytes() == array.tobytes()


def test_ddpm_at_all_steps_runs(tiny: Path, latent: Path) -> None:
    series = Generator.load(tiny).generate(Condition.load(latent), solver="ddpm", steps=500)
    assert np.isfinite(series.values).all()


def test_length_changes_the_axis_not_the_period(tiny: Path, latent: Path) -> None:
    generator, condition = Generator.load(tiny), Condition.load(latent)
    assert generator.generate(condition, 1, length=1024).values.shape == (1, 1024)
