"""Seasons: which periods repeat, found in the spectrum and settled by least squares.

The zero-padded periodogram is summed over harmonics for every fundamental on a fine grid; the best
sums are candidates. Each candidate is then fitted together with the trend, with as many harmonics
as pay for themselves, and the best one is refined below the grid by Gauss-Newton in the frequency.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from geng_edge.analysis.model import (
    BoolArray,
    FloatArray,
    Nested,
    harmonics,
    information,
    memory,
)

SHORTEST = 3.0  # steps
CYCLES = 2.5  # least number of cycles in the window
PADDING = 32
SUMS = (1, 2, 3, 5, 8, 14)
BEST_OF_EACH = 3
MOST_CANDIDATES = 7
SECOND_CANDIDATES = 4
MOST_HARMONICS = 24
HARMONICS_TRIED = 14
HARMONICS_OF_SECOND = 8
#: A wave with this many harmonics or more may be a short season and a long one at a common multiple.
SUSPICIOUS = 4
#: Share of what the best explains that a runner-up must explain to be tried as the first of a pair.
SHARE = 0.35
#: Memory of the residuals from which the search is repeated on whitened values.
WORTH_WHITENING = 0.35
#: Share of the power on multiples of one harmonic that makes that harmonic the fundamental.
WHOLE = 0.97
#: The same, if that fits as well: a sharp wave of 10.5 steps repeats exactly only after 21.
MOSTLY = 0.6


@dataclass
class Season:
    """One season, fitted."""

    frequency: float
    count: int  # harmonics
    curve: FloatArray
    powers: FloatArray  # variance of each harmonic

    @property
    def period(self) -> float:
        """Steps."""
        return 1.0 / self.frequency


@dataclass
class _Trial:
    """A fundamental, fitted with as many harmonics as pay for themselves."""

    score: float
    count: int
    frequency: float
    nested: Nested
    width: int  # columns before the harmonics

    @property
    def rss(self) -> float:
        return float(self.nested.rss[self.width + 2 * self.count])


def candidates(rest: FloatArray) -> list[float]:
    """Fundamental frequencies (cycles a step) worth a fit, from the detrended series."""
    n = len(rest)
    padded = 1 << (PADDING * n - 1).bit_length()
    power = np.abs(np.fft.rfft(rest, padded)) ** 2 * (2.0 / n)
    total = float(rest @ rest)
    if total <= 0.0:
        return []
    low, high = math.ceil(CYCLES * padded / n), int(padded / SHORTEST)
    grid = np.arange(low, min(high, padded // 2 - 1))
    summed = np.zeros(len(grid))
    found: list[tuple[float, int]] = []
    done = 0
    for count in SUMS:
        for k in range(done + 1, count + 1):
            inside = grid[: np.searchsorted(grid, (padded // 2) // k)]
            summed[: len(inside)] += power[k * inside]
        done = count
        left = np.maximum(total - summed, 0.002 * total)
        terms = np.minimum(count, (padded // 2 - 1) // grid)
        score = n * np.log(left / total) + (2.0 * terms + 1.0) * math.log(n)
        found += _lowest(score, grid, padded // (2 * n))
    return _distinct(sorted(found), padded, n)


def _lowest(score: FloatArray, grid: np.ndarray, apart: int) -> list[tuple[float, int]]:
    """The BEST_OF_EACH lowest local minima."""
    inner = np.flatnonzero((score[1:-1] <= score[:-2]) & (score[1:-1] <= score[2:])) + 1
    spots = np.concatenate([[0], inner]) if score[0] < score[1] else inner
    order = spots[np.argsort(score[spots])]
    chosen: list[int] = []
    for spot in order:
        if all(abs(int(spot) - c) > apart for c in chosen):
            chosen.append(int(spot))
        if len(chosen) == BEST_OF_EACH:
            break
    return [(float(score[c]), int(grid[c])) for c in chosen]


def _distinct(found: list[tuple[float, int]], padded: int, n: int) -> list[float]:
    kept: list[float] = []
    for _, spot in found:
        frequency = spot / padded
        if all(abs(frequency - other) > 0.25 / n for other in kept):
            kept.append(frequency)
        if len(kept) == MOST_CANDIDATES:
            break
    return kept


def refine(
    y: FloatArray, base: FloatArray, frequency: float, count: int, keep: BoolArray | None
) -> float:
    """Two Gauss-Newton steps in the frequency, with ``count`` harmonics."""
    n = len(y)
    time = 2.0 * math.pi * (np.arange(n) - (n - 1) / 2.0)
    order = np.arange(1, count + 1)
    for _ in range(2):
        waves = harmonics(n, frequency, count)
        solved = Nested(np.hstack([base, waves]), y, keep).fit(base.shape[1] + 2 * count)
        beta = solved.beta[base.shape[1] :]
        slope = time * (
            waves[:, 0::2] @ (order * beta[1::2]) - waves[:, 1::2] @ (order * beta[0::2])
        )
        columns = np.hstack([base, waves, slope[:, None]])
        step = float(Nested(columns, y, keep).fit(columns.shape[1]).beta[-1])
        limit = 0.5 / (n * max(count, 1))
        frequency += min(max(step, -limit), limit)
    return frequency


def season_of(y: FloatArray, nested: Nested, width: int, frequency: float, count: int) -> Season:
    """The season among the fitted columns."""
    beta = nested.fit(width + 2 * count).beta[width:]
    curve = harmonics(len(y), frequency, count) @ beta
    return Season(frequency, count, curve, 0.5 * (beta[0::2] ** 2 + beta[1::2] ** 2))


def find(y: FloatArray, base: FloatArray, keep: BoolArray | None) -> list[tuple[Season, ...]]:
    """Explanations worth comparing: one season, or two, fitted with the noise white or red.

    A short season and a long one can pose as a single one at a common multiple with many
    harmonics, so runners-up are also tried as the first of a pair. Where the residuals have memory,
    the search is repeated on whitened values: red noise has cycles of its own. Whether a season is
    worth believing is for the caller to judge.

    Args:
        y: Float64 ``[n]``.
        base: Columns that are fitted along (trend, shifts) ``[n, k]``.
        keep: Steps that count; None for all.
    """
    found = _find(y, base, keep)
    if not found:
        return []
    rest = y - sum((s.curve for s in found[0]), np.zeros(len(y)))
    rho = memory(Nested(base, rest, keep).fit(base.shape[1]).residual, keep)
    if rho < WORTH_WHITENING:
        return found
    both = None if keep is None else keep[1:] & keep[:-1]
    for seasons in _find(y[1:] - rho * y[:-1], base[1:] - rho * base[:-1], both):
        found.append(tuple(_coloured(y, base, s, keep) for s in seasons))
    return found


def _coloured(y: FloatArray, base: FloatArray, season: Season, keep: BoolArray | None) -> Season:
    """A season found on whitened values, fitted to the values themselves."""
    columns = np.hstack([base, harmonics(len(y), season.frequency, season.count)])
    return season_of(y, Nested(columns, y, keep), base.shape[1], season.frequency, season.count)


def _find(y: FloatArray, base: FloatArray, keep: BoolArray | None) -> list[tuple[Season, ...]]:
    tried = sorted(_tried(y, base, keep, HARMONICS_TRIED, MOST_CANDIDATES), key=lambda t: t.score)
    if not tried:
        return []
    best = _settled(y, base, tried[0], keep)
    plain = float(best.nested.rss[base.shape[1]])
    explained = plain - best.rss
    out: list[tuple[Season, ...]] = [(_season(y, base, best),)]
    firsts = [best]
    if best.count >= SUSPICIOUS:
        firsts += [
            t
            for t in tried[1:]
            if _may_lead(t, best, len(y)) and plain - t.rss >= SHARE * explained
        ][:3]
    pairs = [p for p in (_rough_pair(y, base, first, keep) for first in firsts) if p is not None]
    if pairs:
        _, first, second = min(pairs, key=lambda p: p[0])
        pair = _pair(y, base, first, second, keep)
        out += [pair] if pair else []
    return out


def _may_lead(trial: _Trial, best: _Trial, n: int) -> bool:
    """Whether ``trial`` is a shorter season than ``best``."""
    gap = abs(trial.frequency - best.frequency)
    return trial.frequency > 0.9 * best.frequency and gap > 0.5 / n


def _trial(
    y: FloatArray,
    base: FloatArray,
    frequency: float,
    keep: BoolArray | None,
    most: int = MOST_HARMONICS,
) -> _Trial:
    """As many harmonics, up to ``most``, as pay for themselves.

    Those beyond the Nyquist frequency stay in, as far as they do not fall on others: as functions
    of the phase they give a short season its sharp edges.
    """
    most = min(most, _distinct_harmonics(frequency, len(y)))
    nested = Nested(np.hstack([base, harmonics(len(y), frequency, most)]), y, keep)
    width = base.shape[1]
    sizes = width + 2 * np.arange(1, most + 1)
    scores = information(nested.rss[sizes], nested.rows, sizes + 1)
    best = int(np.argmin(scores))
    return _Trial(float(scores[best]), best + 1, frequency, nested, width)


def _distinct_harmonics(frequency: float, n: int) -> int:
    """Number of harmonics before one folds onto an earlier one, the mean or the Nyquist frequency."""
    folded = np.arange(1, MOST_HARMONICS + 1) * frequency
    folded = np.abs(folded - np.round(folded))
    known = np.concatenate([[0.0, 0.5], folded])
    gaps = np.abs(folded[:, None] - known[None, :])
    gaps[np.arange(len(folded))[:, None] + 2 <= np.arange(len(known))[None, :]] = 1.0
    clash = gaps.min(axis=1) < 0.75 / n
    clash[0] = False
    return int(np.argmax(clash)) if clash.any() else MOST_HARMONICS


def _tried(
    y: FloatArray, base: FloatArray, keep: BoolArray | None, most: int, number: int
) -> list[_Trial]:
    rest = Nested(base, y, keep).fit(base.shape[1]).residual
    if keep is not None:
        rest = np.where(keep, rest, 0.0)
    # Below the Nyquist frequency only: folded harmonics would let a third of the period fit as well.
    return [
        _trial(y, base, f, keep, max(1, min(most, math.ceil(0.5 / f) - 1)))
        for f in candidates(rest)[:number]
    ]


def _settled(y: FloatArray, base: FloatArray, trial: _Trial, keep: BoolArray | None) -> _Trial:
    """Below the grid, and at the true fundamental rather than a fraction of it."""
    trial = _refined(y, base, trial, keep)
    powers = _season(y, base, trial).powers
    order = np.arange(1, len(powers) + 1)
    for multiple in range(min(len(powers), int(0.45 / trial.frequency)), 1, -1):
        share = float(powers[order % multiple == 0].sum() / powers.sum())
        if share < (MOSTLY if multiple <= 6 else WHOLE):
            continue
        shorter = _refined(y, base, _trial(y, base, multiple * trial.frequency, keep), keep)
        if share >= WHOLE or shorter.score <= trial.score + 2.0 * math.log(len(y)):
            return shorter
    return trial


def _refined(y: FloatArray, base: FloatArray, trial: _Trial, keep: BoolArray | None) -> _Trial:
    fine = refine(y, base, trial.frequency, trial.count, keep)
    before = _trial(y, base, trial.frequency, keep)
    if not CYCLES / len(y) <= fine < 1.0 / 2.2:
        return before
    again = _trial(y, base, fine, keep)
    return min(again, before, key=lambda t: t.score)


def _season(y: FloatArray, base: FloatArray, trial: _Trial) -> Season:
    return season_of(y, trial.nested, base.shape[1], trial.frequency, trial.count)


def _rough_pair(
    y: FloatArray, base: FloatArray, first: _Trial, keep: BoolArray | None
) -> tuple[float, _Trial, _Trial] | None:
    """``first`` and the season that goes best with it, neither of them refined.

    The first is held to few harmonics until the second is known, or it would bend towards both.
    """
    count = min(first.count, SUSPICIOUS)
    beside = np.hstack([base, harmonics(len(y), first.frequency, count)])
    others = [
        t
        for t in _tried(y, beside, keep, HARMONICS_OF_SECOND, SECOND_CANDIDATES)
        if apart(first.frequency, t.frequency, len(y))
    ]
    if not others:
        return None
    second = min(others, key=lambda t: t.score)
    again = _trial(y, _beside(y, base, second), first.frequency, keep, HARMONICS_TRIED)
    return again.score + 2.0 * second.count * math.log(len(y)), first, second


def _pair(
    y: FloatArray, base: FloatArray, first: _Trial, second: _Trial, keep: BoolArray | None
) -> tuple[Season, ...] | None:
    """Both seasons, refined in turn beside each other."""
    first = _settled(y, _beside(y, base, second), first, keep)
    second = _refined(y, _beside(y, base, first), second, keep)
    if not apart(first.frequency, second.frequency, len(y)):
        return None
    blank = np.zeros(0)
    return tuple(
        _coloured(y, _beside(y, base, other), Season(own.frequency, own.count, blank, blank), keep)
        for own, other in ((first, second), (second, first))
    )


def _beside(y: FloatArray, base: FloatArray, trial: _Trial) -> FloatArray:
    return np.hstack([base, harmonics(len(y), trial.frequency, trial.count)])


def apart(first: float, second: float, n: int) -> bool:
    """Whether ``second`` is more than a correction to ``first``: neither a harmonic nor its half."""
    multiples = (0.5 * first, max(1, round(second / first)) * first)
    return min(abs(second - m) for m in multiples) > 1.0 / n
