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
from support.make_golden_series import draw
np.save(sys.argv[3], draw(Path(sys.argv[1]), sys.argv[2]), allow_pickle=False)
"""
SETS = [entry["name"] for entry in _core.kernel_sets() if entry["available"]]


@pytest.mark.parametrize("name", ["tiny", "tiny_distilled"])
@pytest.mark.parametrize("isa", SETS)
def test_golden_series_comes_out_of_every_kernel_set(isa: str, name: str, tmp_path: Path) -> None:
    out = tmp_path / "s.npy"
    paths = [str(GOLDEN.parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"GENG_FORCE_ISA": isa, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-c", DRAW, str(GOLDEN), name, str(out)]
    subprocess.run(command, env=environment, check=True)
    drawn, golden = np.load(out), np.load(GOLDEN / f"{name}_series.npy", allow_pickle=False)
    # Float kernels differ by rounding between sets, which ten steps of int8 may pass on.
    assert np.linalg.norm(drawn - golden) <= 2e-2 * np.linalg.norm(golden)
