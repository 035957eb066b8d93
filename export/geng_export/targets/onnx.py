"""The bridge as ONNX: for runtimes other than ours.

Opset 20 (Gelu and LayerNormalization are operators of their own there). Shapes are static, since the
runtimes plan best that way; weights lie inside the file; metadata names the licence, the opset, the
shapes and whatever the caller knows of the model it was made of.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

from geng_export.errors import ExportError
from geng_export.models.bridge import Bridge
from geng_export.peers.lean import INPUTS, Lean

OPSET = 20
LICENCE = "Apache-2.0"


def write_step(lean: Lean, out: Path, facts: dict[str, str]) -> None:
    """One guided step (:class:`geng_export.peers.lean.LeanBridge`) as float32 ONNX.

    Args:
        lean: The bridge and the shapes of one condition.
        out: The file; replaced as a whole.
        facts: Metadata: fingerprint, licence and whatever else.

    Raises:
        ExportError: The package onnx is missing.
    """
    _save(lean.module, lean.example(), list(INPUTS), out, facts)


def _save(
    module: torch.nn.Module,
    example: tuple[torch.Tensor, ...],
    names: list[str],
    out: Path,
    facts: dict[str, str],
) -> None:
    try:
        import onnx
    except ImportError as error:
        raise ExportError("onnx is not installed; pip install 'geng-export[onnx]'") from error
    program = torch.onnx.export(
        module, example, input_names=names, output_names=["v"],
        opset_version=OPSET, dynamo=True, verbose=False,
    )  # fmt: skip
    if program is None:
        raise ExportError("the ONNX exporter returned nothing; it must return a program")
    model = program.model_proto
    shapes = {name: "x".join(map(str, e.shape)) for name, e in zip(names, example, strict=True)}
    own = {"licence": LICENCE, "opset": str(OPSET), "inputs": json.dumps(shapes)}
    for key, value in {**own, **facts}.items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    beside = out.with_suffix(".tmp")
    onnx.save(model, str(beside))
    beside.replace(out)


def quantize_dynamic(source: Path, out: Path, *, per_channel: bool = True) -> None:
    """int8 by ONNX Runtime: signed weights, activations as they come; constant factors only.

    Unsigned weights were slower on AVX-512 VNNI, and quantizing attention's products as well no
    faster; the reduced range only costs accuracy there.

    Args:
        source: From :func:`write_step` or :func:`write_bridge`.
        out: The file; replaced as a whole.
        per_channel: A scale for each output channel, not one for a whole matrix: closer, slower.

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
    prepared, beside = out.with_suffix(".prepared"), out.with_suffix(".tmp")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    quantize(
        str(prepared), str(beside), per_channel=per_channel, weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True},
    )  # fmt: skip
    prepared.unlink()
    beside.replace(out)


class _Whole(torch.nn.Module):
    """The bridge as it is trained: everything is computed in every call."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.bridge = bridge

    def forward(self, x: torch.Tensor, t: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
        return self.bridge(x, t, memory)


def write_bridge(bridge: Bridge, memory_tokens: int, out: Path, facts: dict[str, str]) -> None:
    """The bridge for one latent as float32 ONNX: x ``[1, tokens, width]``, t ``[1]``, memory -> v.

    Args:
        bridge: In evaluation mode.
        memory_tokens: Of the condition (its tokens and the frame's), or 1 for none.
        out: The file; replaced as a whole.
        facts: Metadata.

    Raises:
        ExportError: The package onnx is missing.
    """
    config = bridge.config
    example = (
        torch.zeros(1, config.tokens, config.width),
        torch.zeros(1, dtype=torch.int64),
        torch.zeros(1, memory_tokens, config.dim),
    )
    _save(_Whole(bridge).eval(), example, ["x", "t", "memory"], out, facts)
