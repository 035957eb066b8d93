"""Make tests/data/golden/*_series.npy: what the golden models draw on the scalar kernel set.

GENG_FORCE_ISA=scalar python tests/support/make_golden_series.py tests/data/golden
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from geng_edge import Condition, Generator

TEXT = "values from -5 to 5, a period of 64 steps"
#: How each golden model is asked: the first release's guides a bridge, the next one's is distilled.
ASKED = {
    "tiny": {"solver": "dpmpp_2m", "steps": 10, "guidance": 1.5},
    "tiny_distilled": {"solver": "consistency", "steps": 4, "guidance": 0.0},
}


def draw(folder: Path, name: str) -> np.ndarray:
    """Three series of a golden model, float32 ``(3, 512)``."""
    generator = Generator.load(folder / f"{name}.gguf", threads=1)
    condition = Condition.load(folder / f"{name}_condition.npy")
    return generator.generate(condition, 3, seed=7, **ASKED[name]).values


def main(folder: Path) -> None:
    """Write conditions, where there are none, and series."""
    for name in ASKED:
        condition = folder / f"{name}_condition.npy"
        if not condition.exists():
            generator = Generator.load(folder / f"{name}.gguf", threads=1)
            Condition.from_text(TEXT, generator=generator).save(condition)
        np.save(folder / f"{name}_series.npy", draw(folder, name), allow_pickle=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
