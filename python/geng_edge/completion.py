"""Completion: missing values and what comes next, drawn from what a series has been so far.

A stretch of the series around the gap is taken apart as the analyser does it: seasons, and the rest,
which is an autoregression whose marginal distribution is the one seen. Given the values that are
known, those that are not are jointly normal in the autoregression's own scale (Janssen et al. 1986);
a draw of that is a completion, and a gap at the end is a forecast. Whether a season found goes on is
never certain, so every other draw does without.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from geng_edge.analysis.analyser import SHORTEST_WINDOW
from geng_edge.analysis.banded import BandedCholesky
from geng_edge.analysis.decompose import decompose
from geng_edge.analysis.model import harmonics
from geng_edge.errors import ArgumentError
from geng_edge.request import MAX_SEED, check_whole

if TYPE_CHECKING:
    from geng_edge.analysis.model import BoolArray, FloatArray

#: Longest memory of the autoregression, in steps, and the known values that each step of it needs.
MOST_ORDER, VALUES_A_LAG = 48, 12
#: Least share of the known values whose whole past, as long as the memory, is known too: a log full of
#: gaps has few such stretches, and a long memory fitted to those alone misleads.
WHOLE_PAST = 0.75
#: Known values on either side of a gap from which it is filled.
CONTEXT = 1024
MOST_STEPS = 2**16
MOST_VALUES = 2**26
#: Weight of the prior: nearer lags matter more, and one alone carries the memory.
_SHRINK = 5e-4
_QUANTILES = 9
#: Least gain in log likelihood (times two) that a marginal distribution of its own must bring.
_WORTH_A_MARGINAL = 20.0
_SLOW_WAVES = 5
_NOTHING = 1e-12
#: Least range that has a decimal beyond it: what is 10 to the power of more digits is no float.
_LEAST_RANGE = 1e-300
#: Decimals of a drawn value beyond those of the range: what follows is nothing but arithmetic.
_DECIMALS = 6
_LARGEST_ROOT = 0.9999

_Waves: TypeAlias = tuple[tuple[float, int], ...]  # frequency and harmonics of each season


def complete(
    values: npt.ArrayLike, count: int = 1, *, steps: int = 0, seed: int = 0
) -> npt.NDArray[np.floating[Any]]:
    """Draw what is missing, and ``steps`` more values.

    Known values stay as they are, to the last bit. A series that was never negative does not become so.

    Cost: some 50 ms, and 20 microseconds a missing value and draw, on one slow core.

    Args:
        values: One-dimensional; NaN where a value is missing. At least 32 known values around each
            gap.
        count: Completions to draw; row i uses ``seed + i``.
        steps: Values to add at the end, up to 65536.
        seed: Of the first row.

    Returns:
        ``(count, len(values) + steps)``: float32 where ``values`` is, else float64. What is drawn is
        rounded to a millionth of the range or less.

    Raises:
        ArgumentError: Nothing is missing, too little is known, or a setting is out of range.
            Nothing was computed.
    """
    count = check_whole("count", count, 1, 65536)
    steps = check_whole("steps", steps, 0, MOST_STEPS)
    seed = check_whole("seed", seed, 0, MAX_SEED)
    x = np.concatenate([_checked(values), np.full(steps, math.nan)])
    known = np.isfinite(x)
    if known.all():
        raise ArgumentError("no value is missing; some must be, or steps must be 1 or more")
    if count * len(x) > MOST_VALUES:
        raise ArgumentError(
            f"count x length is {count * len(x)}; it must be at most {MOST_VALUES}", name="count"
        )
    gaps = _gaps(known)
    stretches = [_stretch(first, last, known) for first, last in gaps]
    seeds = [(seed + i) % (MAX_SEED + 1) for i in range(count)]
    out = np.repeat(x[None], count, axis=0)
    for (first, last), stretch in zip(gaps, stretches, strict=True):
        y, here = x[stretch], known[stretch]
        low, scale = float(y[here].min()), range_of(y[here])
        at = np.flatnonzero(~here) + stretch.start
        own = (at >= first) & (at <= last)  # the others have a stretch of their own
        white = np.stack([_white(s, stretch.start, len(at)) for s in seeds])
        for with_seasons in (True, False):
            rows = np.flatnonzero([(s % 2 == 0) == with_seasons for s in seeds])
            if len(rows):
                model = _Model.of((y - low) / scale, here, with_seasons)
                drawn = low + scale * model.draw(white[rows])
                drawn = np.maximum(drawn, 0.0) if low >= 0.0 else drawn
                out[np.ix_(rows, at[own])] = rounded(drawn[:, own], scale)
    return out.astype(np.float32) if getattr(values, "dtype", None) == np.float32 else out


def _checked(values: npt.ArrayLike) -> FloatArray:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1:
        raise ArgumentError(f"series has shape {x.shape}; it must be one-dimensional")
    if np.isinf(x).any():
        step = int(np.argmax(np.isinf(x)))
        raise ArgumentError(f"series is {x[step]} at step {step}; it must be finite, or NaN")
    if not np.abs(np.nan_to_num(x)).max(initial=0.0) < 1e30:
        raise ArgumentError("series has a value beyond 1e30; they must be smaller")
    return x


def _gaps(known: BoolArray) -> list[tuple[int, int]]:
    """First and last step of what is missing; gaps that see each other count as one."""
    missing = np.flatnonzero(~known)
    far = np.flatnonzero(np.diff(missing) > 2 * MOST_ORDER)
    firsts = missing[np.concatenate([[0], far + 1])]
    lasts = missing[np.concatenate([far, [len(missing) - 1]])]
    return [(int(a), int(b)) for a, b in zip(firsts, lasts, strict=True)]


def _stretch(first: int, last: int, known: BoolArray) -> slice:
    """What is missing with what is known around it, checked."""
    stretch = slice(max(0, first - CONTEXT), min(len(known), last + 1 + CONTEXT))
    here = known[stretch]
    if last == len(known) - 1:  # nothing follows, so more of what came before may speak
        stretch = slice(max(0, first - 2 * CONTEXT), len(known))
        here = known[stretch]
    if here.sum() < SHORTEST_WINDOW:
        raise ArgumentError(
            f"series has {int(here.sum())} known values around step {first}; it must have "
            f"{SHORTEST_WINDOW}"
        )
    if (~here).sum() > MOST_STEPS:
        raise ArgumentError(
            f"series misses {int((~here).sum())} values from step {first} on; it must miss at most "
            f"{MOST_STEPS} together"
        )
    return stretch


def rounded(drawn: FloatArray, scale: float) -> FloatArray:
    """Values drawn for a series of the range ``scale``, less the digits that are nothing but arithmetic."""
    return np.asarray(drawn.round(_DECIMALS - math.floor(math.log10(scale))))


def range_of(y: FloatArray) -> float:
    """Highest less lowest value; of a constant next to nothing, beside its size."""
    whole = float(np.ptp(y)) or _NOTHING * (float(np.abs(y).max()) or 1.0)
    return max(whole, _LEAST_RANGE)


def _white(seed: int, place: int, size: int) -> FloatArray:
    return np.random.default_rng((seed, place)).standard_normal(size)


@dataclass(frozen=True)
class _Marginal:
    """A distribution, as a monotone map to the normal one: straight between quantiles, and beyond."""

    values: FloatArray
    scores: FloatArray

    @classmethod
    def of(cls, r: FloatArray) -> _Marginal:
        shares = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
        scores = np.array([NormalDist().inv_cdf(share) for share in shares])
        values = np.quantile(r, shares) + np.arange(_QUANTILES) * 1e-6 * (r.std() + _NOTHING)
        return cls(values, scores)

    def to_normal(self, r: FloatArray) -> FloatArray:
        low, high = self._tails()
        below = np.minimum(r - self.values[0], 0.0)
        above = np.maximum(r - self.values[-1], 0.0)
        inside: FloatArray = np.interp(r, self.values, self.scores)
        return np.asarray(inside + low * below + high * above)

    def from_normal(self, z: FloatArray) -> FloatArray:
        low, high = self._tails()
        below = np.minimum(z - self.scores[0], 0.0)
        above = np.maximum(z - self.scores[-1], 0.0)
        inside: FloatArray = np.interp(z, self.scores, self.values)
        return np.asarray(inside + below / low + above / high)

    def log_slope(self, r: FloatArray) -> float:
        """Sum of the logarithms of the map's slope: what a change of variable adds."""
        slopes = np.log(np.diff(self.scores) / np.diff(self.values))
        return float(np.interp(r, (self.values[1:] + self.values[:-1]) / 2.0, slopes).sum())

    def _tails(self) -> tuple[float, float]:
        """Slopes beyond the outer quantiles: no flatter than the whole, or a tail has no end."""
        slopes = np.diff(self.scores) / np.diff(self.values)
        whole = float((self.scores[-1] - self.scores[0]) / (self.values[-1] - self.values[0]))
        return min(float(slopes[0]), whole), min(float(slopes[-1]), whole)


@dataclass(frozen=True)
class _Model:
    """What a stretch is, and what its missing values may be, in units of the known values' range.

    Attributes:
        regular: Level and seasons at the missing steps.
        mean: Of the rest there, on the scale of the autoregression.
        deviation: Of the innovations.
        factor: Of the precision of the missing values, in units of the innovations.
        marginal: Scale of the autoregression; None for the values' own.
    """

    regular: FloatArray
    mean: FloatArray
    deviation: float
    factor: BandedCholesky
    marginal: _Marginal | None

    @classmethod
    def of(cls, y: FloatArray, known: BoolArray, with_seasons: bool) -> _Model:
        steps = np.arange(len(y))
        if not with_seasons:
            return cls._fit(y, known, ())
        last = int(steps[known][-1]) + 1
        filled = np.interp(steps, steps[known], y[known])
        model = cls._fit(y, known, _seasons(filled[:last]))
        # A gap drawn straight hides a season; filled once, it shows better.
        filled[~known] = model.regular + model._shown(model.mean)
        return cls._fit(y, known, _seasons(filled[:last]))

    @classmethod
    def _fit(cls, y: FloatArray, known: BoolArray, waves: _Waves) -> _Model:
        seasonal = _seasonal(y, known, waves)
        level = float((y - seasonal)[known].mean())
        r = np.where(known, y - seasonal - level, 0.0)
        order = _order(known)
        marginal = _Marginal.of(r[known])
        scored = np.where(known, marginal.to_normal(r), 0.0)
        gain = _log_likelihood(scored, known) - _log_likelihood(r, known)
        worth = 2.0 * (gain + marginal.log_slope(r[known])) > _WORTH_A_MARGINAL
        memory, deviation = _autoregression(scored if worth else r, known, order)
        factor, mean = _conditional(scored if worth else r, known, memory)
        regular = level + seasonal[~known]
        return cls(regular, mean, deviation, factor, marginal if worth else None)

    def _shown(self, rest: FloatArray) -> FloatArray:
        return rest if self.marginal is None else self.marginal.from_normal(rest)

    def draw(self, white: FloatArray) -> FloatArray:
        """One row of missing values for each row of ``white``, both ``(count, missing)``."""
        rest = self.mean + self.deviation * self.factor.spread(white.T).T
        return self.regular + self._shown(rest)


def _seasons(y: FloatArray) -> _Waves:
    return tuple((s.frequency, s.count) for s in decompose(y).seasons) if np.ptp(y) > 0.0 else ()


def _seasonal(y: FloatArray, known: BoolArray, waves: _Waves) -> FloatArray:
    """The seasons, fitted beside a level and slow waves to what is known."""
    if not waves:
        return np.zeros(len(y))
    last = int(np.flatnonzero(known)[-1]) + 1
    turns = np.pi * (np.arange(len(y)) + 0.5) / last
    beside = np.stack([np.cos(k * turns) for k in range(_SLOW_WAVES + 1)], axis=1)
    seasons = np.hstack([harmonics(len(y), f, count) for f, count in waves])
    columns = np.hstack([seasons, beside])
    rows = columns[known]
    gram = rows.T @ rows
    gram.flat[:: len(gram) + 1] += 1e-6 * len(rows)
    beta = np.linalg.solve(gram, rows.T @ y[known])
    return np.asarray(seasons @ beta[: seasons.shape[1]])


def _order(known: BoolArray) -> int:
    """Longest memory that the values speak for, and the steps whose whole past is known."""
    order = min(MOST_ORDER, max(1, int(known.sum()) // VALUES_A_LAG))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known, [0]])))
    runs = edges[1::2] - edges[::2]
    while order > 1 and np.maximum(runs - order, 0).sum() < WHOLE_PAST * runs.sum():
        order -= 1
    return order


def _autoregression(r: FloatArray, known: BoolArray, order: int) -> tuple[FloatArray, float]:
    """Coefficients of lags 1 .. order, and the standard deviation of the innovations.

    Least squares over the steps whose lags are known, shrunk towards an autoregression of order 1.
    """
    lags = np.lib.stride_tricks.sliding_window_view(r, order + 1)[:, ::-1]
    whole = np.lib.stride_tricks.sliding_window_view(known, order + 1).all(axis=1)
    both = known[1:] & known[:-1]
    power = float(r[:-1][both] @ r[:-1][both])
    prior = np.zeros(order)
    prior[0] = min(float(r[1:][both] @ r[:-1][both]) / max(power, _NOTHING), 0.999)
    y, x = lags[whole, 0], lags[whole, 1:]
    weights = _SHRINK * (float(y @ y) + _NOTHING) * np.arange(1, order + 1) ** 2
    gram = x.T @ x
    shrunk = np.linalg.inv(gram + np.diag(weights))
    memory = prior + shrunk @ (x.T @ (y - x @ prior))
    innovations = y - x @ memory if len(y) else r[known]
    fitted = float(np.trace(shrunk @ gram))  # so many of the innovations were fitted away
    freedom = max(1.0 - fitted / max(len(y), 1), 0.1)
    return _settled(memory), float(innovations.std()) / math.sqrt(freedom) + _NOTHING


def _log_likelihood(r: FloatArray, known: BoolArray) -> float:
    """Of a short autoregression: enough to say on which scale its innovations are smaller."""
    _, deviation = _autoregression(r, known, min(4, max(1, int(known.sum()) // VALUES_A_LAG)))
    return -float(known.sum()) * math.log(deviation)


def _settled(memory: FloatArray) -> FloatArray:
    """The same memory with every root inside the unit circle: what it draws has an end."""
    radius = float(np.abs(np.roots(np.concatenate([[1.0], -memory]))).max(initial=0.0))
    if radius <= _LARGEST_ROOT:
        return memory
    return memory * (_LARGEST_ROOT / radius) ** np.arange(1, len(memory) + 1)


def _conditional(
    r: FloatArray, known: BoolArray, memory: FloatArray
) -> tuple[BandedCholesky, FloatArray]:
    """Precision (its factor, in units of the innovations) and mean of what is missing.

    A stationary autoregression r_t = sum over k of m_k r_{t-k} + e_t, with a = (1, -m), has between
    steps i <= j, lag = j - i, the precision: the sum of a_k a_{k+lag} over k = 0 .. order - lag, no
    further than the steps before i and those after j go. It is the same read backwards
    (Siddiqui 1958).
    """
    n, order = len(r), len(memory)
    a = np.concatenate([[1.0], -memory])
    missing = np.flatnonzero(~known)
    shown = np.where(known, r, 0.0)
    pull = np.zeros(n)
    bands = np.zeros((order + 1, len(missing)))
    for lag in range(order + 1):
        first = np.arange(n - lag)
        sums = np.cumsum(a[: order + 1 - lag] * a[lag:])
        precision = sums[np.minimum(np.minimum(first, first[::-1]), order - lag)]
        pull[: n - lag] += precision * shown[lag:]
        if lag:
            pull[lag:] += precision * shown[: n - lag]
        for apart in range(min(lag, len(missing) - 1) + 1):
            one, two = missing[: len(missing) - apart], missing[apart:]
            here = two - one == lag
            bands[apart, : len(one)][here] = precision[one[here]]
    bands[0] += 1e-9
    factor = BandedCholesky(bands)
    return factor, factor.solve(-pull[missing])
