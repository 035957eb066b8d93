"""Frechet distance between two sets of features, each taken as a Gaussian (Heusel et al. 2017)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def frechet_distance(reference: npt.ArrayLike, generated: npt.ArrayLike) -> float:
    """``|mu_r - mu_g|^2 + Tr(S_r + S_g - 2 (S_r S_g)^(1/2))``, in float64.

    The trace of the square root is the sum of square roots of the eigenvalues of
    ``S_r^(1/2) S_g S_r^(1/2)``, which is symmetric: no matrix square root that may turn complex.

    Args:
        reference: ``[n, width]``, n at least 2.
        generated: ``[m, width]``.

    Cost: O(width^3).

    Raises:
        ValueError: The widths differ or a set has fewer than two rows.
    """
    r, g = np.asarray(reference, dtype=np.float64), np.asarray(generated, dtype=np.float64)
    if r.ndim != 2 or g.ndim != 2 or r.shape[1] != g.shape[1] or min(len(r), len(g)) < 2:
        raise ValueError(
            f"features have shapes {r.shape} and {g.shape}; they must be (2 or more, w)"
        )
    root = _root(np.cov(r, rowvar=False).reshape(r.shape[1], -1))
    spread = np.cov(g, rowvar=False).reshape(g.shape[1], -1)
    inner = np.linalg.eigvalsh(root @ spread @ root)
    cross = float(np.sqrt(np.clip(inner, 0.0, None)).sum())
    apart = r.mean(axis=0) - g.mean(axis=0)
    distance = float(apart @ apart) + float(np.trace(root @ root)) + float(np.trace(spread))
    return max(distance - 2.0 * cross, 0.0)


def _root(symmetric: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(symmetric)
    return np.asarray((vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T)
