"""Make tests/data/golden/tiny_series.npy: what tiny.gguf draws on the scalar kernel set.

GENG_FORCE_ISA=scalar python tests/support/make_golden_series.py tests/data/golden
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from geng_edge import Condition, Generator

TEXT = "values from -5 to 5, a period of 64 steps"


def draw(folder: Path) -> np.ndarray:
    """Three series of the golden model, float32 ``(3, 512)``."""
    generator = Generator.load(folder / "tiny.gguf", threads=1)
    condition = Condition.load(folder / "tiny_condition.npy")
    return generator.generate(condition, 3, steps=10, guidance=1.5, seed=7).values


def main(folder: Path) -> None:
    """Write condition and series."""
    generator = Generator.load(folder / "tiny.gguf", threads=1)
    Condition.from_text(TEXT, generator=generator).save(folder / "tiny_condition.npy")
    np.save(folder / "tiny_series.npy", draw(folder), allow_pickle=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
