"""One guided step of the bridge as a file for another runtime, chosen by the file's ending."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from geng_export.errors import ExportError
from geng_export.models.bundle import Bundle
from geng_export.peers.lean import INPUTS, Lean
from geng_export.targets import litert, onnx

MAX_WORDS = 512  # word pieces: the text expert's limit


def write_step(
    bundle: Bundle, out: Path, *, int8: bool, words: int, facts: dict[str, str]
) -> dict[str, list[int]]:
    """Write ``out``, .onnx or .tflite: the graph of :class:`geng_export.peers.lean.LeanBridge`.

    The caller gives it the condition's keys and values (those of the bridge's extra tokens are
    among them), masked where a condition is shorter, and the timestep's modulation.

    Args:
        bundle: The model.
        out: The file; it is replaced only when the new one is complete.
        int8: Weights in int8 and activations quantized as they come; else all is float32.
        words: Word pieces of the longest condition.
        facts: Metadata of an ONNX file; LiteRT's has none.

    Returns:
        The shape of each input.

    Raises:
        ExportError: ``words`` or the ending is out of range, or a converter is not installed.
    """
    if not 1 <= words <= MAX_WORDS:
        raise ExportError(f"words is {words}; it must be 1 to {MAX_WORDS}")
    if out.suffix not in (".onnx", ".tflite"):
        raise ExportError(f"file is {out.name!r}; it must end in .onnx or .tflite")
    width = bundle.bridge.config.condition_width
    lean = Lean.of_bundle(bundle, np.zeros((words, width), np.float32))
    # Beside the file, so that the last move is a rename.
    with TemporaryDirectory(dir=out.parent) as folder:
        exact, small = Path(folder) / f"exact{out.suffix}", Path(folder) / f"int8{out.suffix}"
        if out.suffix == ".onnx":
            onnx.write_step(lean, exact, facts)
            if int8:
                onnx.quantize_dynamic(exact, small)
        else:
            litert.write_step(lean, exact)
            if int8:
                litert.quantize_dynamic(exact, small)
        (small if int8 else exact).replace(out)
    return dict(zip(INPUTS, (list(tensor.shape) for tensor in lean.example()), strict=True))
