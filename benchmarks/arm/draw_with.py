"""Draws the same series with every export in the emulated Python, and keeps them.

draw_with.py MODEL LATENT.npy OUT.npz BACKEND=FOLDER ...
"""

from __future__ import annotations

import sys

import numpy as np

from geng_edge import Condition, Generator
from geng_edge.backends import Backend

SERIES, SEED = 2, 1


def main() -> None:
    """Entry point."""
    model, latent, out, *exports = sys.argv[1:]
    condition = Condition.load(latent)
    drawn = {}
    for precision in ("fp32", "int8"):
        generator = Generator.load(model, precision, 1)
        drawn[f"native {precision}"] = generator.generate(condition, SERIES, seed=SEED).values
        drawn["isa"] = np.array(generator.model.isa)
    for export in exports:
        name, _, folder = export.partition("=")
        backend = Backend(name, folder, 1)
        generator = Generator.load(model, "fp32", 1, backend=backend)
        drawn[f"{name} {backend.precision}"] = generator.generate(
            condition, SERIES, seed=SEED
        ).values
    np.savez(out, **drawn)


if __name__ == "__main__":
    main()
