"""Other runtimes that can run the same bridge, to be measured beside ours.

A peer is a plug-in: whoever provides one registers it under the entry point group
``geng_edge.peers`` (geng-export does so for ONNX Runtime, OpenVINO, LiteRT, ncnn and torch). So this
package needs none of them, and a device that has one can be measured with it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from geng_edge.errors import ArgumentError

GROUP = "geng_edge.peers"

Floats = npt.NDArray[np.float32]
#: x [tokens, width] and timestep -> v [2, tokens, width]: for the condition, and for none.
Step = Callable[[Floats, int], Floats]


class Peer(Protocol):
    """One runtime, in one precision.

    Attributes:
        name: The runtime's, as in ``--compare``: ``onnxruntime``.
        variant: What it computes in: ``fp32``, ``bf16``, ``int8``.
    """

    name: str
    variant: str

    def why_not(self) -> str | None:
        """Why it cannot run here, in a sentence; None when it can."""

    def prepare(self, model: Path, condition: Floats, threads: int, folder: Path) -> Step:
        """Make ready to run the bridge of ``model`` for one condition.

        All that depends on the condition or the timestep alone may be done here, or once per
        timestep: as on the device, a step pays for neither.

        Args:
            model: A GGUF file of ours.
            condition: Z_x, float32 ``[tokens, width]``.
            threads: Threads it may use.
            folder: Where it may keep files.
        """


def find_peers(names: list[str]) -> list[Peer]:
    """The peers of these runtimes, every variant, in the order asked.

    Raises:
        ArgumentError: One is not installed.
    """
    found = entry_points(group=GROUP)
    known = sorted({entry.name.partition(":")[0] for entry in found})
    peers: list[Peer] = []
    for name in names:
        mine = [entry for entry in found if entry.name.partition(":")[0] == name]
        if not mine:
            raise ArgumentError(
                f"peer is {name!r}; it must be one of {', '.join(known) or 'none: install geng-export'}",
                name="compare",
                value=name,
            )
        peers += [cast(Peer, entry.load()()) for entry in mine]
    return peers
