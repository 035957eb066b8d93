"""Networks as ONNX, in float32 and in int8, for runtimes other than ours.

Opset 20 (Gelu and LayerNormalization are operators of their own there). Weights lie inside the file;
metadata names the licence, the opset, the shapes and whatever the caller knows of the model.

int8 is ONNX Runtime's own: *dynamic* (activations' ranges as they come) or *static* (QDQ, ranges
seen in calibration). Only products of an activation with a constant are quantised, per output channel
and symmetric, as in the model file.
"""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from geng_export.errors import ExportError
from geng_export.targets.networks import Even
from geng_export.targets.parts import LICENCE, Feed, Part

if TYPE_CHECKING:
    from geng_export.peers.lean import Lean

OPSET = 20
_SCOPES = "pkg.torch.onnx.name_scopes"
_NEEDED = "onnx is not installed; pip install 'geng-export[onnx]'"


def write(part: Part, out: Path, facts: Mapping[str, str]) -> None:
    """One network as float32.

    Args:
        part: The network; its open axes stay open.
        out: The file; replaced as a whole.
        facts: Metadata beside the part's own.

    Raises:
        ExportError: The package onnx is missing.
    """
    try:
        import onnx
    except ImportError as error:
        raise ExportError(_NEEDED) from error
    names = list(part.inputs)
    program = _traced(part, names)
    model = program.model_proto
    shapes = {i.name: _shape(i) for i in model.graph.input}
    shaped = {o.name: _shape(o) for o in model.graph.output}
    own = {
        "geng.licence": LICENCE,
        "geng.opset": str(OPSET),
        "geng.part": part.name,
        "geng.inputs": json.dumps({name: shapes[name] for name in names}),
        "geng.outputs": json.dumps(shaped),
    }
    del model.metadata_props[:]
    for key, value in {**own, **part.facts, **facts}.items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    beside = out.with_suffix(".tmp")
    onnx.save(model, str(beside))
    beside.replace(out)


def _traced(part: Part, names: list[str]) -> Any:
    axes: dict[str, Any] = {}
    known: dict[str, Any] = {}
    for name in names:
        own = part.axes.get(name, {})
        for axis in own.values():
            known.setdefault(axis, torch.export.Dim.DYNAMIC)
        axes[name] = {axis: known[label] for axis, label in own.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own
        program = torch.onnx.export(
            part.module, tuple(part.inputs.values()), input_names=names,
            output_names=list(part.outputs), opset_version=OPSET, dynamo=True, verbose=False,
            dynamic_shapes=tuple(axes.values()) if part.axes else None,
        )  # fmt: skip
    if program is None:
        raise ExportError("the ONNX exporter returned nothing; it must return a program")
    return program


def _shape(port: Any) -> list[int | str]:
    return [d.dim_value or d.dim_param for d in port.type.tensor_type.shape.dim]


def write_step(lean: Lean, out: Path, facts: Mapping[str, str]) -> None:
    """One guided step as the bench's peers get it (:class:`geng_export.peers.lean.LeanBridge`)."""
    write(lean.part(), out, facts)


def quantize_dynamic(
    source: Path,
    out: Path,
    part: Part,
    *,
    per_channel: bool = True,
    facts: Mapping[str, str] | None = None,
) -> None:
    """int8 weights, activations as they come.

    Unsigned weights were slower on AVX-512 VNNI, and quantizing attention's products as well no
    faster; the reduced range only costs accuracy there.

    Args:
        source: From :func:`write`, of ``part``.
        out: The file; replaced as a whole.
        part: Says which layers, where it has evened layers; else all products with a constant.
        per_channel: A scale for each output channel, not one for a whole matrix: closer, slower.
        facts: Metadata that differs from the source's.

    Raises:
        ExportError: onnxruntime is missing.
    """
    runtime = _quantizer()
    prepared, beside = _prepared(source, out)
    runtime.quantize_dynamic(
        str(prepared), str(beside), per_channel=per_channel, weight_type=runtime.QuantType.QInt8,
        op_types_to_quantize=["MatMul"], nodes_to_exclude=_kept(source, part),
        extra_options={"MatMulConstBOnly": True},
    )  # fmt: skip
    prepared.unlink()
    _restate(beside, facts or {})
    beside.replace(out)


def _restate(path: Path, facts: Mapping[str, str]) -> None:
    """Metadata of a file, some of it anew."""
    import onnx

    model = onnx.load(str(path))
    for entry in model.metadata_props:
        entry.value = facts.get(entry.key, entry.value)
    onnx.save(model, str(path))


class _Reader:
    """Examples one by one, as the calibrator asks for them."""

    def __init__(self, examples: Iterator[Feed], inputs: Sequence[str]) -> None:
        self._examples, self._inputs = examples, inputs

    def get_next(self) -> Feed | None:
        """The next example, or None at the end."""
        feed = next(self._examples, None)
        return None if feed is None else {name: feed[name] for name in self._inputs}


def quantize_static(
    source: Path, out: Path, part: Part, *, facts: Mapping[str, str] | None = None
) -> None:
    """int8 weights and activations, QDQ, calibrated on the part's examples.

    What a product gives stays float32: one scale for all of it costs more than it saves.

    Args:
        source: From :func:`write`, of ``part``.
        out: The file; replaced as a whole.
        part: Whose examples come in use.
        facts: Metadata that differs from the source's.

    Raises:
        ExportError: onnxruntime is missing.
    """
    runtime = _quantizer()
    import onnx

    prepared, beside = _prepared(source, out)
    graph = onnx.load(str(prepared)).graph
    reader = _Reader(part.examples(), [port.name for port in graph.input])
    runtime.quantize_static(
        str(prepared), str(beside), reader, quant_format=runtime.QuantFormat.QDQ, per_channel=True,
        activation_type=runtime.QuantType.QInt8, weight_type=runtime.QuantType.QInt8,
        op_types_to_quantize=["MatMul"], nodes_to_exclude=_kept(source, part),
        extra_options={
            "ActivationSymmetric": True, "MatMulConstBOnly": True,
            "OpTypesToExcludeOutputQuantization": ["MatMul"],
        },
    )  # fmt: skip
    prepared.unlink()
    _restate(beside, facts or {})
    beside.replace(out)


def _quantizer() -> Any:
    try:
        from onnxruntime import quantization
    except ImportError as error:
        raise ExportError(
            "onnxruntime is not installed; pip install 'geng-export[onnx]'"
        ) from error
    return quantization


def _prepared(source: Path, out: Path) -> tuple[Path, Path]:
    """A copy with its shapes inferred, and where the result goes first."""
    import onnx
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = out.with_suffix(".prepared")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    model = onnx.load(str(prepared))
    del model.graph.value_info[:]  # the optimiser leaves shapes of before it behind
    onnx.save(model, str(prepared))
    return prepared, out.with_suffix(".tmp")


def _kept(source: Path, part: Part) -> list[str]:
    """Products that stay float32, as on the device: those outside the layers that were evened out."""
    import onnx

    evened = {name for name, module in part.module.named_modules() if isinstance(module, Even)}
    if not evened:
        return []
    names = []
    for node in onnx.load(str(source), load_external_data=False).graph.node:
        scopes = next((p.value for p in node.metadata_props if p.key == _SCOPES), "[]")
        if node.op_type == "MatMul" and not evened.intersection(ast.literal_eval(scopes)):
            names.append(node.name)
    return names
