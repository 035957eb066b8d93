"""Symmetric int8 weights, per output channel.

-128 is never used: two products then fit an int16 pair sum, so that one file is exact on every
kernel, the ones without dot-product instructions included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Quantized:
    """An int8 matrix ``[out, in]`` and its scales ``[out]``: value = q * scale."""

    q: npt.NDArray[np.int8]
    scale: npt.NDArray[np.float32]

    def dequantized(self) -> npt.NDArray[np.float32]:
        """The float32 matrix it stands for."""
        return self.q.astype(np.float32) * self.scale[:, None]


def quantize(weight: npt.NDArray[np.float32]) -> Quantized:
    """Quantise a matrix ``[out, in]``; an all-zero row gets scale 1."""
    largest = np.abs(weight).max(axis=1)
    scale = np.where(largest > 0.0, largest / 127.0, 1.0).astype(np.float32)
    q = np.clip(np.rint(weight / scale[:, None]), -127, 127).astype(np.int8)
    return Quantized(q, scale)


def relative_error(weight: npt.NDArray[np.float32], quantized: Quantized) -> float:
    """|q - w| / |w|, Frobenius."""
    norm = float(np.linalg.norm(weight.astype(np.float64)))
    off = float(np.linalg.norm((quantized.dequantized() - weight).astype(np.float64)))
    return off / norm if norm > 0.0 else 0.0
