"""The structural model that the analysis fits: trend + level shifts + bumps + seasons + AR(1) noise.

Everything is linear least squares once periods and places are known. Columns are ordered so that a
model with fewer harmonics is a prefix of the one with more: one Cholesky factor of the normal
equations then gives the residual sum of squares of all of them.

    RSS(first j columns) = y'y - sum_{i <= j} z_i^2,    L L' = X'X,  L z = X'y

Models are compared by the Bayesian information criterion of their whitened residuals
``e_t = r_t - rho r_{t-1}``: slow wander that noise with memory explains does not count for a trend
or a season.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

#: Residuals below this share of the range are no evidence for anything.
FLOOR = 0.005
#: Degree of the trend beside a season, and without one.
TREND_DEGREE = 5
MOST_DEGREE = 9
#: Steps of a window below which events and seasons compete for too few values.
SHORT = 256
#: Longest memory (lag-1 correlation) that noise may have.
MOST_MEMORY = 0.98


@lru_cache(maxsize=16)
def polynomials(n: int) -> FloatArray:
    """Legendre polynomials of degree 0..MOST_DEGREE over the window, ``[n, degree + 1]``."""
    grid = np.linspace(-1.0, 1.0, n)
    basis = np.polynomial.legendre.legvander(grid, MOST_DEGREE).astype(np.float64)
    basis.flags.writeable = False
    return basis


@lru_cache(maxsize=256)
def harmonics(n: int, frequency: float, count: int) -> FloatArray:
    """cos, sin of 1..count times ``frequency`` (cycles a step), ``[n, 2 * count]``."""
    turn = np.exp(2j * math.pi * frequency * (np.arange(n) - (n - 1) / 2.0))
    powers = np.cumprod(np.broadcast_to(turn[:, None], (n, count)), axis=1)
    out = np.empty((n, 2 * count))
    out[:, 0::2] = powers.real
    out[:, 1::2] = powers.imag
    out.flags.writeable = False
    return out


@dataclass
class Fit:
    """Least squares of ``y`` on ``columns`` where ``keep`` is set."""

    beta: FloatArray
    fitted: FloatArray
    residual: FloatArray


class Nested:
    """Least squares on growing prefixes of one set of columns."""

    def __init__(self, columns: FloatArray, y: FloatArray, keep: BoolArray | None) -> None:
        self._columns, self._y = columns, y
        rows = columns if keep is None else columns[keep]
        kept = y if keep is None else y[keep]
        gram = rows.T @ rows
        gram.flat[:: len(gram) + 1] += 1e-9 * len(kept)
        self._factor = np.linalg.cholesky(gram)
        self._z = np.linalg.solve(self._factor, rows.T @ kept)
        self.rows = len(kept)
        total = float(kept @ kept)
        #: RSS of the model with the first j columns, at index j.
        self.rss = np.maximum(total - np.concatenate([[0.0], np.cumsum(self._z**2)]), 0.0)

    def fit(self, count: int) -> Fit:
        """The model with the first ``count`` columns."""
        beta = np.linalg.solve(self._factor[:count, :count].T, self._z[:count])
        fitted = self._columns[:, :count] @ beta
        return Fit(beta, fitted, self._y - fitted)


def price(parameters: npt.ArrayLike, rows: int) -> FloatArray:
    """What parameters cost: each the logarithm of the rows, in a short window more.

    There the variance left is too small by the share that the parameters fitted away, and the
    criterion's second-order correction (Hurvich and Tsai 1989) makes up for it.
    """
    count = np.asarray(parameters, dtype=np.float64)
    cost = count * math.log(rows)
    return cost if rows >= SHORT else cost * rows / np.maximum(rows - count - 2.0, 1.0)


def information(rss: npt.ArrayLike, rows: int, parameters: npt.ArrayLike) -> FloatArray:
    """Bayesian information criterion of white residuals; smaller is better."""
    variance = np.asarray(rss) / rows + FLOOR**2
    return np.asarray(rows * np.log(variance) + price(parameters, rows))


def memory(residual: FloatArray, keep: BoolArray | None = None) -> float:
    """Lag-1 correlation of the residuals, 0..MOST_MEMORY."""
    a, b = residual[1:], residual[:-1]
    if keep is not None:
        both = keep[1:] & keep[:-1]
        a, b = a[both], b[both]
    power = float(b @ b) + float(a @ a)
    if power <= 0.0:
        return 0.0
    return min(max(2.0 * float(a @ b) / power, 0.0), MOST_MEMORY)


def whitened_information(
    residual: FloatArray, parameters: int, keep: BoolArray | None = None
) -> float:
    """Bayesian information criterion of AR(1) residuals; smaller is better.

    Steps that do not count are charged at the mean cost of the others, so that explanations which
    leave out different steps compare.
    """
    rho = memory(residual, keep)
    innovations = residual[1:] - rho * residual[:-1]
    if keep is not None:
        innovations = innovations[keep[1:] & keep[:-1]]
    rows = max(len(innovations), 1)
    mean = float(innovations @ innovations) / rows
    n = len(residual)
    return n * math.log(mean + FLOOR**2) + float(price(parameters, n))
