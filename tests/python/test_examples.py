"""The programs under examples/scripts, run at reduced size."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "examples" / "scripts"
#: How each is run here.
REDUCED = {
    "augment_detector.py": ("--seeds", "2", "--drawn", "240", "--trees", "60"),
    "fill_gaps.py": ("--hours", "6", "--seeds", "1"),
    "load_test.py": ("--ticks", "4", "--pace", "2"),
}


def run(name: str, folder: Path) -> str:
    """What the program prints; a warning of it is an error."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    ended = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPTS / name), *REDUCED[name]],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(ROOT / path) for path in paths if path),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found is not None, text
    return float(found[1])


def test_every_example_is_run_here_and_says_what_it_shows() -> None:
    assert {path.name for path in SCRIPTS.glob("*.py")} == set(REDUCED)
    for name in REDUCED:
        assert (SCRIPTS / name).read_text(encoding="utf-8").startswith('"""')


def test_a_detector_gains_from_drawn_series(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    said = run("augment_detector.py", tmp_path)
    assert number(r"gain of geng-edge +([-+.0-9]+)", said) > 0.0
    assert number(r"geng-edge +([.0-9]+)", said) > 0.8


def test_gaps_are_filled_nearer_than_by_straight_lines(tmp_path: Path) -> None:
    said = run("fill_gaps.py", tmp_path)
    line = number(r"\| 6 \| \d+ \| ([.0-9]+)", said)
    filled = number(r"\| 6 \| \d+ \| [^|]+ \| ([.0-9]+)", said)
    assert filled < 0.8 * line
    log = (SCRIPTS / "station_log.csv").read_text(encoding="utf-8").splitlines()
    rows = (tmp_path / "filled.csv").read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[0] for row in rows] == [row.split(",")[0] for row in log]
    assert all(row.split(",")[1] for row in rows)


def test_a_thousand_sensors_reach_a_pipeline(tmp_path: Path) -> None:
    said = run("load_test.py", tmp_path)
    assert "drew 1000 series" in said
    assert "sent 4000 readings in 80 requests" in said
    assert ", 0 refused" in said
    assert "the sink took 4000 of 4000, their sum is the same" in said
