"""Events: what stands out of trend, season and noise.

Bumps are found with matched filters of several widths, each judged against its own output over the
window, so slow noise does not look like a wide bump. Steps are found by fitting one at every place
beside the trend. Dropouts need no model: values that stand still at the very bottom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from geng_edge.analysis.model import (
    FLOOR,
    TREND_DEGREE,
    BoolArray,
    FloatArray,
    polynomials,
)

#: Standard deviations (steps) of the bumps looked for.
WIDTHS = (0.45, 0.8, 1.3, 2.0, 3.0, 4.5, 6.5)
#: Full widths at half height (steps) that a bump found may turn out to have.
HALF_HEIGHTS = (1.0, 1.6, 2.4, 3.0, 4.0, 5.0, 6.0, 7.5, 9.0, 11.0, 13.0, 16.0)
SHAPES = 3
WINDOW = 24  # steps on either side that are looked at to tell them
NEAR = 8
REACH = 4.0  # half-width of a kernel, in those
SHIFT_MARGIN = 8  # steps from either end within which no shift is looked for
FLAT_LEAST = 4  # values
FLAT_SPREAD = 0.003  # share of the range within which values stand still
FLAT_JUMP = 0.03  # share of the range by which a dropout is left and entered


@dataclass(frozen=True)
class Bump:
    """A local excursion of ``size`` (signed, share of the range) around step ``place``."""

    place: int
    size: float
    width: float  # full width at half height, steps
    contrast: float  # size over what the same filter gives elsewhere
    shape: int = 0

    def covers(self, n: int) -> BoolArray:
        """Steps that the bump changes noticeably."""
        return np.abs(np.arange(n) - self.place) <= 1.2 * self.width + 1.0

    def curve(self, n: int) -> FloatArray:
        """The bump itself."""
        off = np.arange(n, dtype=np.float64) - float(self.place)
        return self.size * bump_shape(off, self.shape, self.width)


@lru_cache(maxsize=16)
def _kernels() -> tuple[tuple[FloatArray, float], ...]:
    """(filter, response to a bump of size 1) per width: the bump less the mean of its surroundings."""
    out = []
    for width in WIDTHS:
        half = max(3, math.ceil(REACH * width))
        t = np.arange(-half, half + 1, dtype=np.float64)
        bump = np.exp(-0.5 * (t / width) ** 2)
        kernel = bump - bump.mean()
        out.append((kernel / float(kernel @ bump), 1.0))
    return tuple(out)


def responses(residual: FloatArray) -> FloatArray:
    """Size of the best-fitting bump of each width at each step, ``[widths, n]``."""
    # Not mode="same": that is as long as the kernel where the residual is shorter.
    return np.stack(
        [np.convolve(residual, k)[len(k) // 2 :][: len(residual)] for k, _ in _kernels()]
    )


def strongest_bump(
    residual: FloatArray,
    skip: BoolArray,
    around: Sequence[FloatArray] = (),
    near: int | None = None,
) -> Bump | None:
    """The bump that stands out most; None in a flat residual.

    Args:
        residual: What trend and season leave.
        skip: Steps of events already known.
        near: Look only around this step.
        around: :func:`excess` over the other cycles of each season. A bump must show in it as
            well: the misfit of a sharp edge comes back in every cycle and does not.
    """
    quiet = np.where(skip, 0.0, residual)
    scale = 1.4826 * np.median(np.abs(responses(quiet)), axis=1, keepdims=True) + FLOOR
    noise = 1.4826 * float(np.median(np.abs(quiet)))
    for outside in around:
        agreed = np.minimum(np.abs(quiet), np.abs(outside) + noise)
        quiet = np.where(quiet * outside >= 0.0, np.sign(quiet) * agreed, 0.0)
    contrast = np.abs(responses(quiet)) / scale
    contrast[:, skip] = 0.0
    if near is not None:
        contrast[:, : max(near - NEAR, 0)] = contrast[:, near + NEAR + 1 :] = 0.0
    place = int(np.argmax(contrast.max(axis=0)))
    best = float(contrast[:, place].max())
    return _shaped(np.where(skip, 0.0, residual), place, best) if best > 0.0 else None


def _shaped(residual: FloatArray, place: int, contrast: float) -> Bump:
    """The shape, width and exact place that take most off the residual around ``place``."""
    n = len(residual)
    low, high = max(place - WINDOW, 0), min(place + WINDOW + 1, n)
    around = residual[low:high]
    best, bump = -1.0, Bump(place, float(residual[place]), 0.5, contrast)
    for near in range(max(place - 3, low), min(place + 4, high)):
        start = 2 * WINDOW - (near - low)
        centred = _templates()[:, start : start + len(around)]
        along = centred @ around
        power = (centred**2).sum(axis=1)
        gains = along**2 / power
        row = int(np.argmax(gains))
        if gains[row] > best:
            best = float(gains[row])
            shape, width = divmod(row, len(HALF_HEIGHTS))
            bump = Bump(near, float(along[row] / power[row]), HALF_HEIGHTS[width], contrast, shape)
    return bump


@lru_cache(maxsize=1)
def _templates() -> FloatArray:
    """Bumps of height 1 of every shape and width, centred, ``[shapes * widths, 4 * WINDOW + 1]``."""
    t = np.arange(-2 * WINDOW, 2 * WINDOW + 1, dtype=np.float64)
    rows = [bump_shape(t, shape, width) for shape in range(SHAPES) for width in HALF_HEIGHTS]
    return np.stack(rows)


def bump_shape(t: FloatArray, shape: int, width: float) -> FloatArray:
    """A bump of height 1 and full width ``width`` at half height: bell, triangle or box."""
    if shape == 0:
        return np.exp(-0.5 * (t * 2.355 / width) ** 2)
    if shape == 1:
        return np.maximum(1.0 - np.abs(t) / width, 0.0)
    return (np.abs(t) <= width / 2.0).astype(np.float64)


def excess(wave: FloatArray, period: float) -> FloatArray:
    """How far each value lies outside what the other cycles show within a step of its phase.

    The median over up to six cycles on either side, 0 where the value is not unusual.
    """
    n = len(wave)
    padded = np.pad(wave, 1, mode="edge")
    top = np.maximum(np.maximum(padded[:-2], padded[2:]), wave)
    bottom = np.minimum(np.minimum(padded[:-2], padded[2:]), wave)
    cycles = [j for j in range(-6, 7) if j != 0 and abs(j) * period < n - 1]
    out = np.full((len(cycles), n), np.nan)
    for row, j in enumerate(cycles):
        shift = round(j * period)
        here = slice(0, n - shift) if shift > 0 else slice(-shift, n)
        there = slice(shift, n) if shift > 0 else slice(0, n + shift)
        above = np.maximum(wave[here] - top[there], 0.0)
        below = np.minimum(wave[here] - bottom[there], 0.0)
        out[row, here] = above + below
    return np.asarray(np.nanmedian(out, axis=0))


@lru_cache(maxsize=4)
def _steps(n: int, degree: int) -> FloatArray:
    """Unit-norm steps at every inner place, freed of the trend, ``[n - 2 * margin, n]``."""
    places = np.arange(SHIFT_MARGIN, n - SHIFT_MARGIN)
    steps = (np.arange(n)[None, :] >= places[:, None]).astype(np.float64)
    basis, _ = np.linalg.qr(polynomials(n)[:, : degree + 1])
    steps -= (steps @ basis) @ basis.T
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    steps.flags.writeable = False
    return steps


def strongest_step(rest: FloatArray, degree: int = 1) -> int:
    """The place where a step, beside a trend of ``degree``, explains most of ``rest``."""
    gains = _steps(len(rest), min(degree, TREND_DEGREE)) @ rest
    return SHIFT_MARGIN + int(np.argmax(np.abs(gains)))


def step_column(n: int, place: int, width: float) -> FloatArray:
    """A rise by 1 at ``place``, over about ``4 width`` steps."""
    t = np.arange(n) - place + (0.5 if width < 0.5 else 0.0)
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(t / width, -60.0, 60.0))))


def flat_bottoms(y: FloatArray) -> list[tuple[int, int]]:
    """Runs [start, end) of values that stand still at the minimum and are entered by a jump.

    ``y`` is scaled to 0..1.
    """
    low = np.concatenate([[False], y <= FLAT_SPREAD, [False]])
    edges = np.flatnonzero(np.diff(low.astype(np.int8)))
    runs = []
    for start, end in zip(edges[0::2], edges[1::2], strict=True):
        if end - start < FLAT_LEAST or end - start > 0.5 * len(y):
            continue
        entered = start == 0 or y[start - 1] - y[start] >= FLAT_JUMP
        left = end == len(y) or y[end] - y[end - 1] >= FLAT_JUMP
        if entered and left:
            runs.append((int(start), int(end)))
    return runs
