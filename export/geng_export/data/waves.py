"""Wave shapes of one cycle and curves of a trend, as coefficients a latent can hold.

Every shape is drawn with random parameters on a fine grid and expressed in the decoder's own
terms: harmonics relative to the fundamental's phase for a season, slope and cosines for a trend.
What a shape has beyond the last harmonic is left out on purpose, so that a composed series and its
structure describe each other exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from geng_export.models.layout import FloatArray, cosine_basis

_GRID = 1024
_VARIANTS = 48
_WINDOW = 512

_Shape = Callable[[FloatArray, np.random.Generator], FloatArray]


def _bump(phase: FloatArray, centre: float, width: float) -> FloatArray:
    """A bump of half-width ``width`` cycles around ``centre``, wrapped over the cycle."""
    distance = np.abs((phase - centre + 0.5) % 1.0 - 0.5)
    return np.exp(-0.5 * (distance / width) ** 2)


def _skewed(phase: FloatArray, rng: np.random.Generator) -> FloatArray:
    lean = rng.uniform(0.3, 0.8) * rng.choice([-1.0, 1.0])
    return np.sin(2 * np.pi * phase + lean * np.sin(2 * np.pi * phase))


def _sawtooth(phase: FloatArray, rng: np.random.Generator) -> FloatArray:
    return phase if rng.random() < 0.7 else 1.0 - phase


def _heartbeat(phase: FloatArray, rng: np.random.Generator) -> FloatArray:
    early = 0.15 * _bump(phase, 0.2, 0.03)
    late = 0.3 * _bump(phase, 0.62, 0.05 + 0.02 * rng.random())
    return early + late + _bump(phase, 0.4, 0.025) - 0.2 * _bump(phase, 0.46, 0.02)


def _daytime(phase: FloatArray, rng: np.random.Generator) -> FloatArray:
    power = rng.uniform(0.8, 1.6)
    return np.maximum(np.sin(2 * np.pi * phase), 0.0) ** power


def _triangle(phase: FloatArray, rng: np.random.Generator) -> FloatArray:
    top = rng.uniform(0.4, 0.6)
    return np.where(phase < top, phase / top, (1.0 - phase) / (1.0 - top))


def _square(phase: FloatArray, rng: np.random.Generator) -> FloatArray:
    return (phase < rng.uniform(0.46, 0.54)).astype(np.float64)


def _double_peak(phase: FloatArray, rng: np.random.Generator) -> FloatArray:
    gap = rng.uniform(0.3, 0.42)
    second = rng.uniform(0.55, 0.8) * _bump(phase, 0.3 + gap, rng.uniform(0.06, 0.1))
    return _bump(phase, 0.3, rng.uniform(0.05, 0.08)) + second


_SHAPES: dict[str, _Shape] = {
    "sine": lambda phase, _: np.sin(2 * np.pi * phase),
    "skewed": _skewed,
    "triangle": _triangle,
    "sawtooth": _sawtooth,
    "square": _square,
    "pulse": lambda phase, rng: _bump(phase, 0.5, rng.uniform(0.05, 0.09)),
    "bursts": lambda phase, rng: _bump(phase, 0.5, rng.uniform(0.1, 0.16)) ** 0.7,
    "daytime": _daytime,
    "double peak": _double_peak,
    "heartbeat": _heartbeat,
}

SHAPES = tuple(_SHAPES)


def harmonics_of(cycle: FloatArray, count: int) -> FloatArray:
    """Harmonics 1..count of one sampled cycle, its fundamental turned to phase 0, norm 1.

    Returns:
        Float64 ``[2 * count - 1]``: c_1, c_2, s_2, c_3, s_3, ...
    """
    spectrum = np.fft.rfft(cycle)[1 : count + 1] * 2.0 / len(cycle)
    k = np.arange(1, count + 1)
    smoothed = spectrum * np.sinc(k / (count + 4.0))  # Lanczos: no ringing at a jump
    turned = smoothed * np.exp(-1j * k * np.angle(smoothed[0]))
    pairs = np.stack([turned.real, -turned.imag], axis=1).ravel()
    flat = np.concatenate([pairs[:1], pairs[2:]])
    return flat / np.linalg.norm(flat)


@lru_cache(maxsize=32)
def _wave_library(name: str, count: int) -> FloatArray:
    rng = np.random.default_rng(sum(map(ord, name)) + 7919 * count)
    phase = np.arange(_GRID) / _GRID
    return np.stack([harmonics_of(_SHAPES[name](phase, rng), count) for _ in range(_VARIANTS)])


def wave(name: str, count: int, rng: np.random.Generator) -> FloatArray:
    """One realisation of a named wave shape as normed relative harmonics.

    Raises:
        KeyError: No shape has this name.
    """
    library = _wave_library(name, count)
    drawn = library[rng.integers(_VARIANTS)] * (1.0 + 0.03 * rng.standard_normal(2 * count - 1))
    return drawn / np.linalg.norm(drawn)


def _curve(shape: str, u: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A curve from 0 to 1 over the window."""
    rate = rng.uniform(2.0, 4.0)
    if shape == "exponential":
        return np.expm1(rate * u) / np.expm1(rate)
    if shape == "saturating":
        return -np.expm1(-rate * u) / -np.expm1(-rate)
    if shape == "sigmoid":
        s = 1.0 / (1.0 + np.exp(-rng.uniform(7.0, 12.0) * (u - rng.uniform(0.4, 0.6))))
        return (s - s[0]) / (s[-1] - s[0])
    if shape == "piecewise":
        knee, share = rng.uniform(0.3, 0.7), rng.uniform(0.15, 0.85)
        return np.interp(u, [0.0, knee, 1.0], [0.0, share, 1.0])
    return u


TREND_SHAPES = ("linear", "exponential", "saturating", "sigmoid", "piecewise")


@lru_cache(maxsize=32)
def _trend_library(shape: str, count: int) -> FloatArray:
    rng = np.random.default_rng(sum(map(ord, shape)))
    u = np.linspace(0.0, 1.0, _WINDOW)
    basis = cosine_basis(1, count, _WINDOW)
    rows = []
    for _ in range(_VARIANTS):
        curve = _curve(shape, u, rng)
        slope = float(np.polyfit(u, curve, 1)[0])
        rest = curve - curve.mean() - slope * (u - 0.5)
        rows.append(np.concatenate([[slope], basis @ rest / _WINDOW]))
    return np.stack(rows)


def trend_curve(shape: str, count: int, rng: np.random.Generator) -> FloatArray:
    """A rise by 1 over the window: slope, then ``count`` cosine coefficients."""
    return _trend_library(shape, count)[rng.integers(_VARIANTS)].copy()
