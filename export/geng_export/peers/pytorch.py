"""torch on the CPU: eager, compiled, and dynamic int8."""

from __future__ import annotations

import copy
import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geng_edge.bench.peers import Floats, Step
from geng_export.peers.lean import Lean


class Torch:
    """One variant: ``fp32``, ``compiled`` or ``int8``."""

    name = "torch"

    def __init__(self, variant: str) -> None:
        self.variant = variant

    def why_not(self) -> str | None:
        """A missing compiler."""
        if self.variant == "compiled" and not shutil.which("g++"):
            return "g++ not installed"
        return None if importlib.util.find_spec("torch") else "torch not installed"

    def prepare(self, model: Path, condition: Floats, threads: int, folder: Path) -> Step:
        """The module, in this variant. The number of threads is torch's, for the whole process."""
        del folder  # a module needs no file
        lean = Lean.of(model, condition)
        torch.set_num_threads(threads)
        module: Any = copy.deepcopy(lean.module).eval()
        if self.variant == "int8":
            from torch.ao.quantization import quantize_dynamic

            module = quantize_dynamic(module, {torch.nn.Linear}, dtype=torch.qint8)
        elif self.variant == "compiled":
            module = torch.compile(module, mode="max-autotune-no-cudagraphs")

        def step(x: Floats, t: int) -> Floats:
            with torch.inference_mode():
                v = module(*(torch.from_numpy(a) for a in lean.feed(x, t).values()))
            return np.asarray(v.numpy())

        return step


def fp32() -> Torch:
    """Entry point."""
    return Torch("fp32")


def compiled() -> Torch:
    """Entry point."""
    return Torch("compiled")


def int8() -> Torch:
    """Entry point."""
    return Torch("int8")
