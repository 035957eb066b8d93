"""ONNX Runtime on the CPU: float32, and dynamic int8 with scales per channel or per matrix."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from geng_edge.bench.peers import Floats, Step
from geng_export.peers.lean import Lean


class OnnxRuntime:
    """One variant; ``int8`` and ``int8-matrix`` quantize as the runtime's own tool does."""

    name = "onnxruntime"

    def __init__(self, variant: str) -> None:
        self.variant = variant

    def why_not(self) -> str | None:
        """Missing packages."""
        missing = [
            m for m in ("onnx", "onnxscript", "onnxruntime") if not importlib.util.find_spec(m)
        ]
        return f"{', '.join(missing)} not installed" if missing else None

    def prepare(self, model: Path, condition: Floats, threads: int, folder: Path) -> Step:
        """A session with the inputs bound: a step copies x and the modulation in, v out."""
        import onnxruntime as ort

        from geng_export.targets import onnx

        lean = Lean.of(model, condition)
        file = folder / f"{model.stem}-step.onnx"
        onnx.write_step(lean, file, {"model": model.name})
        if self.variant != "fp32":
            small = folder / f"{model.stem}-step-{self.variant}.onnx"
            onnx.quantize_dynamic(file, small, lean.part(), per_channel=self.variant == "int8")
            file = small
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        binding = session.io_binding()
        known = {i.name for i in session.get_inputs()}

        def step(x: Floats, t: int) -> Floats:
            for name, value in lean.feed(x, t).items():
                if name in known:
                    binding.bind_cpu_input(name, value)
            binding.bind_output("v")
            session.run_with_iobinding(binding)
            return np.asarray(binding.copy_outputs_to_cpu()[0])

        return step


def fp32() -> OnnxRuntime:
    """Entry point."""
    return OnnxRuntime("fp32")


def int8() -> OnnxRuntime:
    """Entry point."""
    return OnnxRuntime("int8")


def int8_matrix() -> OnnxRuntime:
    """Entry point."""
    return OnnxRuntime("int8-matrix")
