"""The device's noise, rebuilt independently: Philox4x32-10 (Salmon et al. 2011) and Box-Muller.

Counter-based, so number ``i`` of a stream depends on the seed and ``i`` alone, whatever the batch
or the number of threads. Row ``i`` of a batch uses ``seed + i``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

INITIAL_LATENT, SOLVER, DECODER = 0, 1, 2

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_MASK = np.uint64(0xFFFFFFFF)


def philox(counter: npt.NDArray[np.uint32], key: tuple[int, int]) -> npt.NDArray[np.uint32]:
    """Ten rounds of Philox4x32 on counters ``[n, 4]``."""
    c = counter.astype(np.uint64).copy()
    k0, k1 = key
    for _ in range(10):
        p0 = np.uint64(_MULTIPLIERS[0]) * c[:, 0]
        p1 = np.uint64(_MULTIPLIERS[1]) * c[:, 2]
        c = np.stack(
            [
                (p1 >> np.uint64(32)) ^ c[:, 1] ^ np.uint64(k0),
                p1 & _MASK,
                (p0 >> np.uint64(32)) ^ c[:, 3] ^ np.uint64(k1),
                p0 & _MASK,
            ],
            axis=1,
        )
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return c.astype(np.uint32)


def normals(seed: int, stream: int, step: int, count: int) -> npt.NDArray[np.float32]:
    """``count`` standard normals of one stream."""
    blocks = -(-count // 4)
    counter = np.zeros((blocks, 4), dtype=np.uint32)
    counter[:, 0] = np.arange(blocks)
    counter[:, 1], counter[:, 2] = stream, step
    words = philox(counter, (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF))
    u = (words.astype(np.float64) + 0.5) / 2.0**32
    radius = np.sqrt(-2.0 * np.log(u[:, 0::2]))
    angle = 2.0 * np.pi * u[:, 1::2]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return pairs.reshape(-1)[:count].astype(np.float32)
