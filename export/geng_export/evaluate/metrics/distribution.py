"""Distances between distributions of values and shapes, without a trained network.

Windows are ``[n, length]``; every function is pure and takes a fraction of a second for a thousand
windows. Formulas follow ConTSG and TSGBench as far as they agree.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.spatial import cKDTree

FloatArray = npt.NDArray[np.float64]
LAGS = 50
BINS = 32


def _autocorrelations(windows: npt.ArrayLike) -> FloatArray:
    """Lags 0 to 50, divided by the whole variance, averaged over the windows."""
    x = np.asarray(windows, dtype=np.float64)
    x = x - x.mean(axis=1, keepdims=True)
    n = x.shape[1]
    spectrum = np.fft.rfft(x, 2 * n, axis=1)
    full = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, : LAGS + 1]
    return np.asarray((full / np.maximum(full[:, :1], 1e-30)).mean(axis=0))


def acd(reference: npt.ArrayLike, generated: npt.ArrayLike) -> float:
    """Autocorrelation difference: mean absolute difference of the mean autocorrelations."""
    return float(np.abs(_autocorrelations(reference) - _autocorrelations(generated)).mean())


def mdd(reference: npt.ArrayLike, generated: npt.ArrayLike) -> float:
    """Marginal distribution difference: 32 bins a step over the reference's range, as shares."""
    r, g = np.asarray(reference, dtype=np.float64), np.asarray(generated, dtype=np.float64)
    total = 0.0
    for t in range(r.shape[1]):
        edges = np.linspace(r[:, t].min(), r[:, t].max() + 1e-12, BINS + 1)
        shares = [
            np.histogram(np.clip(x[:, t], edges[0], edges[-1]), edges)[0] / len(x) for x in (r, g)
        ]
        total += float(np.abs(shares[0] - shares[1]).mean())
    return total / r.shape[1]


def skewness_difference(reference: npt.ArrayLike, generated: npt.ArrayLike) -> float:
    """SD: absolute difference of the skewness of all values."""
    r, g = (np.asarray(x, dtype=np.float64).ravel() for x in (reference, generated))
    return abs(float(stats.skew(r)) - float(stats.skew(g)))


def kurtosis_difference(reference: npt.ArrayLike, generated: npt.ArrayLike) -> float:
    """KD: absolute difference of the kurtosis of all values."""
    r, g = (np.asarray(x, dtype=np.float64).ravel() for x in (reference, generated))
    return abs(float(stats.kurtosis(r)) - float(stats.kurtosis(g)))


def crps(truth: npt.ArrayLike, samples: npt.ArrayLike) -> float:
    """Continuous ranked probability score ``E|x - y| - E|x - x'| / 2``, averaged over steps.

    Args:
        truth: ``[n, length]``.
        samples: ``[n, k, length]``, k samples for each.
    """
    y, x = np.asarray(truth, dtype=np.float64), np.asarray(samples, dtype=np.float64)
    k = x.shape[1]
    ordered = np.sort(x, axis=1)
    # E|x - x'| over all pairs, from order statistics.
    weights = 2.0 * np.arange(1, k + 1) - k - 1.0
    apart = 2.0 * np.tensordot(ordered, weights, axes=(1, 0)) / k**2
    return float((np.abs(x - y[:, None]).mean(axis=1) - 0.5 * apart).mean())


def precision_recall(
    reference: npt.ArrayLike, generated: npt.ArrayLike, k: int = 5, most: int = 5000, seed: int = 0
) -> tuple[float, float]:
    """k-nearest-neighbour precision and recall (Kynkaanniemi et al. 2019) on features ``[n, w]``.

    A generated point is precise when its nearest reference point has it inside the ball that
    reaches that point's own k-th neighbour; recall swaps the roles.
    """
    rng = np.random.default_rng(seed)
    r, g = (np.asarray(x, dtype=np.float64) for x in (reference, generated))
    r, g = (x[rng.permutation(len(x))[:most]] for x in (r, g))

    def share(inside: FloatArray, points: FloatArray) -> float:
        tree = cKDTree(inside)
        radius = tree.query(inside, k + 1)[0][:, -1]
        distance, nearest = tree.query(points)
        return float((distance <= radius[nearest]).mean())

    return share(r, g), share(g, r)
