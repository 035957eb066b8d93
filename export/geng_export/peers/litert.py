"""LiteRT with XNNPACK on the CPU: float32, and dynamic int8."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from geng_edge.bench.peers import Floats, Step
from geng_export.peers.lean import Lean


class LiteRt:
    """One variant."""

    name = "litert"

    def __init__(self, variant: str) -> None:
        self.variant = variant

    def why_not(self) -> str | None:
        """Missing packages."""
        wanted = ["ai_edge_litert", "litert_torch"]
        missing = [m for m in wanted if not importlib.util.find_spec(m)]
        return f"{', '.join(missing)} not installed" if missing else None

    def prepare(self, model: Path, condition: Floats, threads: int, folder: Path) -> Step:
        """An interpreter with its tensors allocated; XNNPACK is its default delegate."""
        from ai_edge_litert.interpreter import Interpreter

        from geng_export.targets import litert

        lean = Lean.of(model, condition)
        file = folder / f"{model.stem}-step.tflite"
        litert.write_step(lean, file)
        if self.variant == "int8":
            small = folder / f"{model.stem}-step-int8.tflite"
            litert.quantize_dynamic(file, small, lean.part(), {})
            file = small
        interpreter = Interpreter(model_path=str(file), num_threads=threads)
        interpreter.allocate_tensors()
        output = interpreter.get_output_details()[0]["index"]

        changing = {"x", "modulation", "fin"}
        index = litert.ports(interpreter.get_input_details())
        for name, value in lean.feed(np.zeros(lean.shape, np.float32), 0).items():
            interpreter.set_tensor(index[name], value)

        def step(x: Floats, t: int) -> Floats:
            for name, value in lean.feed(x, t).items():
                if name in changing:  # the condition's stay in their tensors
                    interpreter.set_tensor(index[name], value)
            interpreter.invoke()
            return np.asarray(interpreter.get_tensor(output))

        return step


def fp32() -> LiteRt:
    """Entry point."""
    return LiteRt("fp32")


def int8() -> LiteRt:
    """Entry point."""
    return LiteRt("int8")
