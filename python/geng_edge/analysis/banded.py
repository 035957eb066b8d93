"""Symmetric positive definite matrices with a narrow band, factored without the zeros."""

from __future__ import annotations

import numpy as np

from geng_edge.analysis.model import FloatArray


class BandedCholesky:
    """L with L L' = Q, for Q of ``n`` rows and ``width`` bands below its diagonal.

    Cost: n steps of width^2 multiplications each, and n (width + 1) values of memory.
    """

    def __init__(self, bands: FloatArray) -> None:
        """Factor a matrix.

        Args:
            bands: ``[width + 1, n]``; ``bands[d, j]`` is Q[j + d, j], zero where there is no such row.

        Raises:
            numpy.linalg.LinAlgError: The matrix is not positive definite.
        """
        width, n = bands.shape[0] - 1, bands.shape[1]
        self._columns = np.empty((n, width + 1))
        # Rows and columns j .. j + width of what is left when the first j columns are taken out.
        left = np.zeros((width + 1, width + 1))
        for j in range(min(width, n)):
            rows = min(width, n - j)
            left[j : j + rows, j] = bands[:rows, j][: width + 1 - j]
        left = np.tril(left) + np.tril(left, -1).T
        for j in range(n):
            entering = j + width  # its row and column of Q come in now
            if entering < n:
                row = bands[np.arange(width, -1, -1), np.arange(j, entering + 1)]
                left[width, :] = row
                left[:, width] = row
            elif width == 0:
                left[0, 0] = bands[0, j]
            pivot = left[0, 0]
            if not pivot > 0.0:
                raise np.linalg.LinAlgError(f"column {j} has pivot {pivot}; it must be positive")
            column = left[:, 0] / np.sqrt(pivot)
            self._columns[j] = column
            rest = left - np.outer(column, column)
            left = np.zeros_like(left)
            left[:width, :width] = rest[1:, 1:]

    def solve(self, b: FloatArray) -> FloatArray:
        """Q^-1 b, for ``b`` of ``[n]`` or ``[n, count]``."""
        return self.spread(self._forward(b))

    def spread(self, white: FloatArray) -> FloatArray:
        """L'^-1 white: white noise becomes draws with precision Q."""
        n, bands = self._columns.shape
        padded = np.concatenate([white, np.zeros((bands - 1, *white.shape[1:]))])
        for j in range(n - 1, -1, -1):
            column = self._columns[j]
            padded[j] = (white[j] - column[1:] @ padded[j + 1 : j + bands]) / column[0]
        return padded[:n]

    def _forward(self, b: FloatArray) -> FloatArray:
        n, bands = self._columns.shape
        left = np.concatenate([b, np.zeros((bands - 1, *b.shape[1:]))])
        for j in range(n):
            column = self._columns[j]
            left[j] /= column[0]
            left[j + 1 : j + bands] -= np.multiply.outer(column[1:], left[j])
        return left[:n]
