"""The bridge as ONNX: for runtimes other than ours.

Opset 20 (Gelu and LayerNormalization are operators of their own there). Shapes are static, since the
runtimes plan best that way; weights lie inside the file; metadata names the model it was made of.
"""

from __future__ import annotations

from pathlib import Path

import torch

from geng_export.errors import ExportError
from geng_export.peers.lean import INPUTS, Lean

OPSET = 20


def write_step(lean: Lean, out: Path, facts: dict[str, str]) -> None:
    """One guided step (:class:`geng_export.peers.lean.LeanBridge`) as float32 ONNX.

    Args:
        lean: The bridge and the shapes of one condition.
        out: The file; replaced as a whole.
        facts: Metadata: fingerprint, licence and whatever else.

    Raises:
        ExportError: The package onnx is missing.
    """
    try:
        import onnx
    except ImportError as error:
        raise ExportError("onnx is not installed; pip install 'geng-export[onnx]'") from error
    program = torch.onnx.export(
        lean.module, lean.example(), input_names=list(INPUTS), output_names=["v"],
        opset_version=OPSET, dynamo=True, verbose=False,
    )  # fmt: skip
    if program is None:
        raise ExportError("the ONNX exporter returned nothing; it must return a program")
    model = program.model_proto
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    beside = out.with_suffix(".tmp")
    onnx.save(model, str(beside))
    beside.replace(out)


def quantize_dynamic(source: Path, out: Path) -> None:
    """int8 by ONNX Runtime: weights per output channel, activations as they come.

    Raises:
        ExportError: onnxruntime is missing.
    """
    try:
        from onnxruntime.quantization import QuantType
        from onnxruntime.quantization import quantize_dynamic as quantize
        from onnxruntime.quantization.shape_inference import quant_pre_process
    except ImportError as error:
        raise ExportError(
            "onnxruntime is not installed; pip install 'geng-export[onnx]'"
        ) from error
    prepared = out.with_suffix(".prepared")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    quantize(
        str(prepared), str(out), per_channel=True, weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True},
    )  # fmt: skip
    prepared.unlink()
