"""The bridge as LiteRT (TensorFlow Lite): for runtimes other than ours.

Through litert-torch, which goes from torch straight to a flatbuffer: one conversion, no second graph
format in between, and the same weights to the last bit. Dynamic int8 (weights per channel,
activations as they come) by ai-edge-quantizer, which XNNPACK runs in its own int8 kernels.
"""

from __future__ import annotations

from pathlib import Path

from geng_export.errors import ExportError
from geng_export.peers.lean import Lean


def write_step(lean: Lean, out: Path) -> None:
    """One guided step (:class:`geng_export.peers.lean.LeanBridge`) as float32.

    Raises:
        ExportError: litert-torch is missing.
    """
    try:
        import litert_torch
    except ImportError as error:
        raise ExportError(
            "litert-torch is not installed; pip install 'geng-export[litert]'"
        ) from error
    converted = litert_torch.convert(lean.module.eval(), lean.example())
    beside = out.with_suffix(".tmp")
    converted.export(str(beside))
    beside.replace(out)


def quantize_dynamic(source: Path, out: Path) -> None:
    """int8 weights per channel in every matrix product.

    Raises:
        ExportError: ai-edge-quantizer is missing.
    """
    try:
        from ai_edge_quantizer import quantizer, recipe
    except ImportError as error:
        raise ExportError(
            "ai-edge-quantizer is not installed; pip install 'geng-export[litert]'"
        ) from error
    work = quantizer.Quantizer(str(source), recipe.dynamic_wi8_afp32())
    beside = out.with_suffix(".tmp")
    beside.unlink(missing_ok=True)
    work.quantize().export_model(str(beside))
    beside.replace(out)
