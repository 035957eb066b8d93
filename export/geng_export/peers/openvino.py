"""OpenVINO on the CPU: float32, bfloat16, and int8 quantized by NNCF, the rest in either."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from geng_edge.bench.peers import Floats, Step
from geng_export.peers.lean import Lean

CALIBRATION = 64  # steps at random latents and timesteps, for the ranges of int8


class OpenVino:
    """One variant."""

    name = "openvino"

    def __init__(self, variant: str) -> None:
        self.variant = variant

    def why_not(self) -> str | None:
        """Missing packages."""
        wanted = [
            "onnx",
            "onnxscript",
            "openvino",
            *(["nncf"] if self.variant.startswith("int8") else []),
        ]
        missing = [m for m in wanted if not importlib.util.find_spec(m)]
        return f"{', '.join(missing)} not installed" if missing else None

    def prepare(self, model: Path, condition: Floats, threads: int, folder: Path) -> Step:
        """A compiled model and one request that is run again and again."""
        import openvino as ov

        from geng_export.targets import onnx

        lean = Lean.of(model, condition)
        file = folder / f"{model.stem}-step.onnx"
        onnx.write_step(lean, file, {"model": model.name})
        network = ov.convert_model(str(file))
        if self.variant.startswith("int8"):
            network = self._quantize(network, lean)
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if self.variant.endswith("bf16") else "f32",
        }
        compiled = ov.Core().compile_model(network, "CPU", settings)
        request = compiled.create_infer_request()
        known = {name for port in compiled.inputs for name in port.get_names()}

        def step(x: Floats, t: int) -> Floats:
            feed = {name: value for name, value in lean.feed(x, t).items() if name in known}
            request.infer(feed, share_inputs=True)
            return np.array(request.get_output_tensor(0).data)

        return step

    def _quantize(self, network: object, lean: Lean) -> object:
        import nncf

        rng = np.random.default_rng(0)
        steps = [
            lean.feed(rng.standard_normal(lean.shape, np.float32), int(rng.integers(500)))
            for _ in range(CALIBRATION)
        ]
        return nncf.quantize(
            network, nncf.Dataset(steps), subset_size=CALIBRATION,
            model_type=nncf.ModelType.TRANSFORMER,
        )  # fmt: skip


def fp32() -> OpenVino:
    """Entry point."""
    return OpenVino("fp32")


def bf16() -> OpenVino:
    """Entry point."""
    return OpenVino("bf16")


def int8() -> OpenVino:
    """Entry point."""
    return OpenVino("int8")


def int8_bf16() -> OpenVino:
    """Entry point."""
    return OpenVino("int8-bf16")
