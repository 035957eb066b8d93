"""Describe a real window: the device's analysis, and whether it is stationary."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from geng_edge.analysis.analyser import Analysis, analyse


def describe(x: npt.ArrayLike, interval: float = 1.0) -> Analysis:
    """Analyse one window, tests of stationarity included.

    Args:
        x: One-dimensional, finite, at least 32 values.
        interval: Seconds between values.

    Raises:
        ValueError: ``x`` has another shape, is too short, or holds NaN or infinity.
    """
    found = analyse(x, interval)
    if found.stationary is not None:
        return found
    values = np.asarray(x, dtype=np.float64)
    return replace(found, stationary=_stationary((values - found.low) / found.range))


def _stationary(scaled: npt.NDArray[np.float64]) -> bool:
    """Both tests agree: no unit root (ADF, 5 %) and level stationarity (KPSS, 5 %)."""
    from statsmodels.tsa.stattools import adfuller, kpss

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # p values beyond the tables are clipped, which is enough
        unit_root = float(adfuller(scaled, maxlag=8, autolag=None)[1])
        level = float(kpss(scaled, regression="c", nlags="legacy")[1])
    return unit_root < 0.05 and level > 0.05
