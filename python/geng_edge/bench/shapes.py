"""Random weights of a named or given shape: what to measure where there is no model."""

from __future__ import annotations

from pathlib import Path

from geng_edge import _core
from geng_edge.errors import ArgumentError

#: Sizes of the bridges of ``export/geng_export/models/presets.py``.
SHAPES = {
    "edge": {"tokens": 10, "width": 32, "dim": 256, "depth": 6, "heads": 4},
    "paper": {"tokens": 64, "width": 64, "dim": 640, "depth": 12, "heads": 10},
    "tiny": {"tokens": 7, "width": 32, "dim": 64, "depth": 2, "heads": 2},
}


def sizes_of(text: str) -> dict[str, int]:
    """Sizes of a shape: a name of ``SHAPES``, or what differs from ``edge``, as ``dim=512,depth=8``.

    Raises:
        ArgumentError: It is neither.
    """
    if text in SHAPES:
        return dict(SHAPES[text])
    sizes = dict(SHAPES["edge"])
    for part in text.split(","):
        name, _, value = part.partition("=")
        if name not in sizes or not value.isdecimal() or not 1 <= int(value) <= 65536:
            raise ArgumentError(
                f"shape is {text!r}; it must be one of {', '.join(SHAPES)}, or sizes such as "
                f"dim=256,depth=6 of {', '.join(sizes)}",
                name="shape",
                value=text,
            )
        sizes[name] = int(value)
    return sizes


def write_random(text: str, folder: Path) -> Path:
    """Write a model of this shape with random weights.

    Returns:
        The file, in ``folder``.

    Raises:
        ArgumentError: It is no shape that the core takes.
    """
    path = folder / f"random-{text.replace('=', '').replace(',', '-')}.gguf"
    _core.write_random_model(str(path), **sizes_of(text))
    return path
