"""The precision of the large matrices, and how ``auto`` chooses it: by measurement, once a device."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from geng_edge import _core, cache
from geng_edge.errors import ArgumentError

PRECISIONS = ("int8", "fp32")
AUTO = "auto"
_ROUNDS = 9


def check_precision(name: str) -> None:
    """Refuse a precision that is not.

    Raises:
        ArgumentError: It is none of int8, fp32, auto.
    """
    if name not in (*PRECISIONS, AUTO):
        raise ArgumentError(
            f"precision is {name!r}; it must be {', '.join(PRECISIONS)} or {AUTO}",
            name="precision",
            value=name,
        )


def fastest(path: Path, threads: int) -> str:
    """The precision whose denoising step is fastest here, as measured now or in an earlier start.

    Cost: nothing when it is known; else both models are loaded, one after the other, and run for
    some tens of steps.

    Raises:
        ModelFileError: The file is missing, not whole or not ours.
    """
    about = path.stat() if path.is_file() else None
    isa = next(entry["name"] for entry in _core.kernel_sets() if entry["active"])
    key = {
        "model": [about.st_size, about.st_mtime_ns] if about else None,
        "isa": isa,
        "threads": threads or _core.default_threads(),
        "version": _core.version(),
    }
    known = cache.recall("precision", key)
    if known in PRECISIONS:
        return str(known)
    seconds = {name: _step_seconds(path, name, threads) for name in PRECISIONS}
    best = min(PRECISIONS, key=seconds.__getitem__)
    cache.keep("precision", key, best)
    return best


def _step_seconds(path: Path, precision: str, threads: int) -> float:
    """Median seconds of one call of the bridge for two latents, as a guided step has them."""
    model = _core.Model(str(path), precision, threads)
    latents = np.zeros((2, *model.latent_shape), np.float32)
    seconds = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        model.bridge(latents, 1, None)
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))
