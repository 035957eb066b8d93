"""What the channels of a device share: found by search, so that their series correlate as asked.

Free to be shared is what no text speaks of: wander (the cosines of trend and residual), what drives the
noise, phase and wave of seasons of the same period. Limits, periods, trends and events are not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from geng_edge import layout as at
from geng_edge.request import MAX_SEED

if TYPE_CHECKING:
    from geng_edge.condition import Condition
    from geng_edge.generator import Generator
    from geng_edge.request import Request

FloatArray: TypeAlias = npt.NDArray[np.float64]
Array: TypeAlias = npt.NDArray[np.float32]

#: Sum of squared distances to the asked correlations at which the search ends, a pair.
_NEAR_ENOUGH = 0.02**2
_FIRST_STEP, _LAST_STEP = 0.5, 0.02
#: Growth of the wander from which a search that did not get there starts again.
_RESTARTS = (0.0, 0.0, 0.3, 0.3, 0.6, 1.0)
#: A round that leaves more than this share of the distance is followed by smaller steps.
_GAIN = 0.95
_TURN = math.pi
#: How much larger or smaller wander may become, so that it weighs enough beside trend and season.
_MOST_GROWTH = 6.0
#: Wander that a channel drawn with none may get, as a share of its range.
_MOST_WANDER = 0.25
#: Weight of the low harmonic that each follower's wave gets of its own.
_OWN_HARMONIC = 0.3
#: Seasons within this share of one another's period have the same phase to share.
_SAME_PERIOD = 0.02
#: Logarithm of a period for each unit of its column in the default frame.
_LOG_PERIOD = 1.2
#: The same of the noise's standard deviation.
_LOG_NOISE = 1.5


def correlations(series: Array) -> FloatArray:
    """How series ``(channels, length)`` correlate, ``(channels, channels)``; 0 with one that is constant."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.nan_to_num(np.corrcoef(series.astype(np.float64)))
    np.fill_diagonal(found, 1.0)
    return found


def nearest(asked: FloatArray) -> FloatArray:
    """The correlations nearest to ``asked``, ``(channels, channels)``, that series can have."""
    factor = _factor(asked)
    return np.asarray(factor @ factor.T)


def correlated(
    generator: Generator,
    conditions: Sequence[Condition],
    request: Request,
    asked: FloatArray,
    go_on: Callable[[], None],
) -> Array:
    """Series ``(channels, length)``, one for each condition, that correlate as nearly as they can.

    Cost: that of each channel alone, and some hundreds of decodings of them all.

    Args:
        generator: The model.
        conditions: What each channel is asked.
        request: Settled; its seed is the first channel's.
        asked: Correlations, ``(channels, channels)``.
        go_on: Called before each drawing and decoding; what it raises ends the search.

    Raises:
        NotFiniteError: The model produced NaN or infinity.
    """
    return _Row.drawn(generator, conditions, request, asked, go_on).tuned(asked)


@dataclass(frozen=True, eq=False)
class _Row:
    """One draw of every channel, before anything is shared.

    Attributes:
        generator, conditions, request: What it was drawn with.
        raw: Latents in the default frame, ``(channels, tokens, width)``.
        white: What drives the noise, ``(channels, length)``.
        likeness: For a channel, an earlier one whose details it shares most, and how much.
        groups: The channel whose season each channel's phase follows, itself where none.
        go_on: As for :func:`correlated`.
    """

    generator: Generator
    conditions: Sequence[Condition]
    request: Request
    raw: Array
    white: FloatArray
    likeness: Mapping[int, tuple[int, float]]
    groups: tuple[int, ...]
    go_on: Callable[[], None]

    @classmethod
    def drawn(
        cls,
        generator: Generator,
        conditions: Sequence[Condition],
        request: Request,
        asked: FloatArray,
        go_on: Callable[[], None],
    ) -> _Row:
        seed, settings = request.seed, request.settings()
        model = generator.model

        def latent(k: int, condition: Condition) -> Array:
            go_on()
            # Channel k draws from a stream of its own: the same seed for all would tie what is shared.
            return model.sample_latent(condition.array, 1, **{**settings, "seed": _stream(seed, k)})

        latents = [latent(k, c) for k, c in enumerate(conditions)]
        raw = np.concatenate(
            [model.restate(z, c.array, request.length)
             for z, c in zip(latents, conditions, strict=True)]
        )  # fmt: skip
        white = np.random.default_rng((7, seed)).standard_normal((len(raw), request.length))
        # A stretch of white noise correlates a little by chance; what is shared says how much.
        white -= white.mean(axis=1, keepdims=True)
        nearest = [int(np.abs(asked[k, :k]).argmax()) for k in range(1, len(raw))]
        likeness = {k: (j, abs(float(asked[k, j]))) for k, j in enumerate(nearest, 1)}
        return cls(generator, conditions, request, raw, white, likeness, _groups(raw), go_on)

    def tuned(self, asked: FloatArray) -> Array:
        """The series ``(channels, length)`` whose correlations are nearest to the asked ones.

        A pattern search (Hooke and Jeeves 1961) over the correlations of the details, and over the size
        of each channel's wander, and over phase and wave of each season beside the one it follows.
        """
        n = len(self.raw)
        pairs = list(combinations(range(n), 2))
        waves = [pair for pair in pairs if self.groups[pair[0]] == self.groups[pair[1]]]
        followers = sorted({k for _, k in waves})
        # Of how alike two seasons are, half is left to their phases and half to their waves: phases
        # alone lie in a plane, where three channels cannot be as unlike as may be asked.
        half = np.sqrt(np.minimum(np.abs(asked), 1.0))
        here = np.concatenate(
            [
                [asked[pair] for pair in pairs],
                [math.acos(half[k, self.groups[k]]) / _TURN for k in followers],
                [math.copysign(half[pair], asked[pair]) for pair in waves],
                np.zeros(n),  # last, so that wander grows where nothing else helps
            ]
        )
        ends = np.cumsum([len(pairs), len(followers), len(waves)])

        def tried(where: FloatArray) -> tuple[float, Array]:
            self.go_on()
            details, lead, alike, grown = np.split(where, ends)
            ahead = np.zeros(n)
            ahead[followers] = lead * _TURN
            x = self._rendered(_matrix(n, pairs, details), grown, ahead, _matrix(n, waves, alike))
            apart = correlations(x) - asked
            return float(np.square(apart).sum()) / 2.0, x

        enough = _NEAR_ENOUGH * len(pairs)
        best, series = _search(tried, here, enough)
        rng = np.random.default_rng((9, self.request.seed))
        for growth in _RESTARTS:
            if best <= enough:
                break
            # Phases have local optima: elsewhere, and in the end with more wander to work with.
            start = np.clip(here + rng.uniform(-1.0, 1.0, len(here)), -1.0, 1.0)
            start[ends[-1] :] = growth
            found, x = _search(tried, start, enough)
            if found < best:
                best, series = found, x
        return series

    def _rendered(
        self,
        details: FloatArray,
        growth: FloatArray,
        ahead: FloatArray,
        waves: FloatArray,
    ) -> Array:
        """The series, for correlations of details, their growth, and phases and waves of seasons.

        Args:
            details: Correlations, ``(channels, channels)``.
            growth: Of each channel's wander: 1 most, -1 least, 0 as drawn.
            ahead: Of each channel's season before the one it follows, in radians of its period.
            waves: Correlations of the seasons' waves, phases apart, ``(channels, channels)``.
        """
        share = _factor(details)
        raw = self.raw.copy()
        # Wander: the cosines of trend and residual. The slope makes up for what they change.
        wander = np.concatenate(
            [self.raw[:, at.TREND, 1:], self.raw[:, at.RESIDUAL :].reshape(len(raw), -1)], axis=1
        ).astype(np.float64)
        sizes = np.linalg.norm(wander, axis=1, keepdims=True)
        mixed = share @ (wander / np.maximum(sizes, 1e-12))
        for k, (leader, weight) in self.likeness.items():
            # Details of different make, one all noise and the other all wander, cannot correlate.
            noise = self.raw[[k, leader], at.LEVEL, at.NOISE]
            like = sizes[leader] * math.exp(_LOG_NOISE * float(noise[0] - noise[1]))
            sizes[k] = sizes[k] ** (1.0 - weight) * max(like[0], 1e-12) ** weight
            make = self.raw[leader, at.LEVEL, at.MAKE] - self.raw[k, at.LEVEL, at.MAKE]
            raw[k, at.LEVEL, at.MAKE] += weight * make
        sizes = sizes * _MOST_GROWTH ** growth[:, None]
        sizes += _MOST_WANDER * np.maximum(growth, 0.0)[:, None]
        mixed *= sizes / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-12)
        bends = raw.shape[2] - 1
        slopes = (wander - mixed)[:, :bends] @ _slope_of_cosines(bends)
        raw[:, at.TREND, 0] += slopes
        raw[:, at.TREND, 1:] = mixed[:, :bends]
        raw[:, at.RESIDUAL :] = mixed[:, bends:].reshape(raw[:, at.RESIDUAL :].shape)
        for first in sorted(set(self.groups)):
            group = [k for k, leader in enumerate(self.groups) if leader == first]
            if len(group) > 1:
                own = self.raw[group, at.SEASON, at.HARMONICS].astype(np.float64)
                # Waves that are alike differ in their last harmonics, which are sharp: what sets
                # one apart is mostly a low harmonic of its own.
                own += _OWN_HARMONIC * np.eye(*own.shape)
                shape = _factor(waves[np.ix_(group, group)]) @ _orthonormal(own)
                raw[group, at.SEASON, at.HARMONICS] = shape
                leader = self.raw[first, at.SEASON]
                angle = math.atan2(leader[at.SIN], leader[at.COS]) + ahead[group]
                raw[group, at.SEASON, at.COS] = np.cos(angle)
                raw[group, at.SEASON, at.SIN] = np.sin(angle)
        white = (share @ self.white).astype(np.float32)
        model, length = self.generator.model, self.request.length
        rows = [
            model.decode_with_noise(
                model.express(raw[k : k + 1], c.array, length), c.array, white[k : k + 1], True
            )
            for k, c in enumerate(self.conditions)
        ]
        return np.concatenate(rows)


def _search(
    tried: Callable[[FloatArray], tuple[float, Array]], start: FloatArray, enough: float
) -> tuple[float, Array]:
    """Pattern search in [-1, 1] for the least figure of ``tried``; it, and what came with it."""
    here = start
    best, found = tried(here)
    step = _FIRST_STEP
    while best > enough and step >= _LAST_STEP:
        before = best
        for i in range(len(here)):
            for sign in (1.0, -1.0):
                there = here.copy()
                there[i] = max(-1.0, min(1.0, there[i] + sign * step))
                figure, x = tried(there)
                if figure < best:
                    best, found, here = figure, x, there
                    break
        if best >= before * _GAIN:
            step /= 2.0
    return best, found


def _matrix(n: int, pairs: Sequence[tuple[int, int]], values: FloatArray) -> FloatArray:
    """Ones on the diagonal, and each pair's value."""
    whole = np.eye(n)
    for pair, value in zip(pairs, values, strict=True):
        whole[pair] = whole[pair[::-1]] = value
    return whole


def _orthonormal(rows: FloatArray) -> FloatArray:
    """Each row less what it has of those before it, at length 1."""
    basis, triangle = np.linalg.qr(rows.T)
    return np.asarray((basis * np.where(np.diag(triangle) < 0.0, -1.0, 1.0)).T)


def _slope_of_cosines(count: int) -> FloatArray:
    """Change over the window of the line that fits sqrt(2) cos(pi k u) best, k = 1 .. count."""
    k = np.arange(1, count + 1)
    return np.where(k % 2 == 1, -24.0 * math.sqrt(2.0) / (math.pi * k) ** 2, 0.0)


def _stream(seed: int, channel: int) -> int:
    """A seed of its own for each channel; the first has the row's."""
    return (seed + channel * 0x9E3779B97F4A7C15) % (MAX_SEED + 1)


def _factor(correlations: FloatArray) -> FloatArray:
    """L with L L' the nearest matrix that correlations can be."""
    values, vectors = np.linalg.eigh(correlations)
    whole = vectors * np.sqrt(np.maximum(values, 1e-9))
    whole /= np.linalg.norm(whole, axis=1, keepdims=True)
    # Of all roots the triangular one, by which the first channel stays as it was drawn.
    upper = np.linalg.qr(whole.T)[1]
    return np.asarray((upper * np.sign(np.diag(upper))[:, None]).T)


def _groups(raw: Array) -> tuple[int, ...]:
    """For each channel the first one whose season has the same period, itself where none has."""
    leaders: list[int] = []
    for k, row in enumerate(raw):
        has = row[at.SEASON, at.AMPLITUDE] >= at.ABSENT
        apart = np.abs(raw[:k, at.SEASON, at.PERIOD] - row[at.SEASON, at.PERIOD]) * _LOG_PERIOD
        same = np.flatnonzero(
            (apart < _SAME_PERIOD) & (raw[:k, at.SEASON, at.AMPLITUDE] >= at.ABSENT)
        )
        leaders.append(leaders[same[0]] if has and len(same) else k)
    return tuple(leaders)
