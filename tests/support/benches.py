"""What tests of the bench measure: a case, and options that make a run short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geng_edge import _core
from geng_edge.bench.case import Case

FAST = ["--repetitions", "1", "--threads", "1", "--steps", "4", "--length", "64"]
DISTILLED = Path(__file__).parents[1] / "data" / "golden" / "tiny_distilled.gguf"
ACTIVE = next(entry["name"] for entry in _core.kernel_sets() if entry["active"])


def case(**changes: Any) -> Case:
    """A guided draw on one thread, but for ``changes``."""
    settings: dict[str, Any] = {
        "isa": ACTIVE,
        "precision": "int8",
        "threads": 1,
        "batch": 1,
        "length": 512,
        "steps": 8,
        "solver": "dpmpp_2m",
        "guidance": 1.5,
    }
    return Case(**settings | changes)
