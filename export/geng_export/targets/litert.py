"""Networks as LiteRT (TensorFlow Lite), in float32 and in int8, for runtimes other than ours.

Through litert-torch, which goes from torch straight to a flatbuffer: one conversion, no second graph
format in between, and the same weights to the last bit. int8 by ai-edge-quantizer: *dynamic range*
(weights per channel, activations as they come, row by row in XNNPACK's kernels), or *full* (both int8,
with ranges seen in calibration). Either way the large layers alone, as on the device: with time
embedding, attention and norms in int8 as well, nothing was left of v (error 1.0 of its size).

Metadata: ``geng.json`` in a zip archive behind the flatbuffer, where the format keeps such files;
``unzip -p FILE geng.json`` shows it.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from geng_export.errors import ExportError
from geng_export.targets.parts import LICENCE, Part

if TYPE_CHECKING:
    from geng_export.peers.lean import Lean

#: Names of a converted product start with the names of the modules around it.
_LARGE = ".*Even.*"
_ALL = ".*"
_SIGNATURE = "serving_default"


def write(part: Part, out: Path, facts: Mapping[str, str]) -> None:
    """One network as float32; inputs and outputs have the part's names.

    Args:
        part: The network. Shapes are those of its examples.
        out: The file; replaced as a whole.
        facts: Metadata beside the part's own.

    Raises:
        ExportError: litert-torch is missing.
    """
    beside = out.with_suffix(".tmp")
    _converted(part).export(str(beside))
    _append(beside, part, facts)
    beside.replace(out)


def _converted(part: Part) -> Any:
    try:
        import litert_torch
    except ImportError as error:
        raise ExportError(
            "litert-torch is not installed; pip install 'geng-export[litert]'"
        ) from error
    named = _Named(part).eval()
    return litert_torch.convert(named, sample_kwargs=dict(part.inputs))


class _Named(torch.nn.Module):
    """A part that answers by name, which become the names of the file's outputs."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.part, self.inputs, self.outputs = part.module, tuple(part.inputs), part.outputs

    def forward(self, **given: torch.Tensor) -> dict[str, torch.Tensor]:
        """Inputs by name -> outputs by name."""
        answer = self.part(*(given[name] for name in self.inputs))
        rows = answer if isinstance(answer, tuple) else (answer,)
        return dict(zip(self.outputs, rows, strict=True))


def _append(path: Path, part: Part, facts: Mapping[str, str]) -> None:
    """Put the metadata behind a flatbuffer."""
    shapes = {name: list(value.shape) for name, value in part.inputs.items()}
    with torch.no_grad():
        answer = part.module(*part.inputs.values())
    rows = answer if isinstance(answer, tuple) else (answer,)
    given = {name: list(row.shape) for name, row in zip(part.outputs, rows, strict=True)}
    own = {
        "geng.licence": LICENCE,
        "geng.part": part.name,
        "geng.inputs": json.dumps(shapes),
        "geng.outputs": json.dumps(given),
    }
    entry = zipfile.ZipInfo("geng.json", date_time=(1980, 1, 1, 0, 0, 0))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, json.dumps({**own, **part.facts, **facts}, indent=1))


def write_step(lean: Lean, out: Path) -> None:
    """One guided step as the bench's peers get it (:class:`geng_export.peers.lean.LeanBridge`)."""
    write(lean.part(), out, {})


def quantize_dynamic(source: Path, out: Path, part: Part, facts: Mapping[str, str]) -> None:
    """int8 weights per channel; activations are quantised as they come.

    Args:
        source: From :func:`write`, of ``part``.
        out: The file; replaced as a whole.
        part: Says which layers, where it has evened layers; else all.
        facts: Metadata beside the part's own.

    Raises:
        ExportError: ai-edge-quantizer is missing.
    """
    quantizer, recipes, operation = _quantizer()
    recipe = recipes.RecipeManager()
    recipe.add_dynamic_config(regex=_layers(part), operation_name=operation, num_bits=8)
    _finish(
        quantizer.Quantizer(str(source), recipe.get_quantization_recipe()), None, out, part, facts
    )


def quantize_full(source: Path, out: Path, part: Part, facts: Mapping[str, str]) -> None:
    """int8 weights and activations of the large layers, ranges from the part's examples.

    Inputs and outputs of the file stay float32: a timestep or a key in 256 steps says too little.

    Args:
        source: From :func:`write`, of ``part``, with evened rows and channels.
        out: The file; replaced as a whole.
        part: Whose examples come in use.
        facts: Metadata beside the part's own.

    Raises:
        ExportError: ai-edge-quantizer is missing.
    """
    quantizer, recipes, operation = _quantizer()
    recipe = recipes.RecipeManager()
    recipe.add_static_config(
        regex=_layers(part), operation_name=operation, activation_num_bits=8, weight_num_bits=8
    )
    work = quantizer.Quantizer(str(source), recipe.get_quantization_recipe())
    seen = work.calibrate({_SIGNATURE: list(part.examples())})
    _finish(work, seen, out, part, facts)


def _layers(part: Part) -> str:
    from geng_export.targets.networks import Even

    return _LARGE if any(isinstance(m, Even) for m in part.module.modules()) else _ALL


def _finish(work: Any, calibrated: Any, out: Path, part: Part, facts: Mapping[str, str]) -> None:
    beside = out.with_suffix(".tmp")
    beside.unlink(missing_ok=True)
    work.quantize(calibrated).export_model(str(beside))
    _append(beside, part, facts)
    beside.replace(out)


def _quantizer() -> tuple[Any, Any, Any]:
    try:
        from ai_edge_quantizer import qtyping, quantizer, recipe_manager
    except ImportError as error:
        raise ExportError(
            "ai-edge-quantizer is not installed; pip install 'geng-export[litert]'"
        ) from error
    return quantizer, recipe_manager, qtyping.TFLOperationName.FULLY_CONNECTED


def ports(details: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Tensor of each input by its name, for callers that keep what does not change in its place."""
    return {
        str(port["name"]).partition(":")[0].removeprefix(f"{_SIGNATURE}_"): int(port["index"])
        for port in details
    }
