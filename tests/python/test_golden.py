"""A model and its series as released once: the one must go on giving the other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from geng_edge import _core

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
DRAW = """
import sys
from pathlib import Path
import numpy as np
from geng_edge import Condition, Generator
folder, out = Path(sys.argv[1]), sys.argv[2]
generator = Generator.load(folder / "tiny.gguf", threads=1)
condition = Condition.load(folder / "tiny_condition.npy")
series = generator.generate(condition, 3, steps=10, guidance=1.5, seed=7)
np.save(out, series.values, allow_pickle=False)
"""
SETS = [entry["name"] for entry in _core.kernel_sets() if entry["available"]]


@pytest.mark.parametrize("isa", SETS)
def test_golden_series_comes_out_of_every_kernel_set(isa: str, tmp_path: Path) -> None:
    out = tmp_path / "s.npy"
    environment = os.environ | {"GENG_FORCE_ISA": isa}
    command = [sys.executable, "-c", DRAW, str(GOLDEN), str(out)]
    subprocess.run(command, env=environment, check=True)
    drawn, golden = np.load(out), np.load(GOLDEN / "tiny_series.npy", allow_pickle=False)
    # Float kernels differ by rounding between sets, which ten steps of int8 may pass on.
    assert np.linalg.norm(drawn - golden) <= 2e-2 * np.linalg.norm(golden)
