"""Take a window apart: try what events there may be, keep the explanation that costs least.

An unexplained spike puts its trace on every frequency, a level shift passes for a trend, a dropout
for both. So trend and season are fitted under rival hypotheses (nothing, the strongest bump taken
out, the strongest step put in, flat bottoms taken out) and the information criterion decides.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geng_edge.analysis import events
from geng_edge.analysis.fit import Hypothesis, Parts, added, fit, scale
from geng_edge.analysis.model import (
    SHORT,
    TREND_DEGREE,
    FloatArray,
    Nested,
    harmonics,
    polynomials,
    whitened_information,
)

#: How much the information criterion must improve before a level shift is believed: its place was searched.
STEP_MARGIN = 14.0
#: The same for a bump.
BUMP_MARGIN = 10.0
#: Least contrast (see events.Bump) of a bump worth a hypothesis, and to be believed.
BUMP_CONTRAST = 5.0
BUMP_SIZE = 0.12
STEP_SIZE = 0.12
STEP_WIDTHS = (0.1, 0.5, 1.0, 1.5, 2.0, 3.0)
MOST_EVENTS = 2


def decompose(y: FloatArray) -> Parts:
    """Take ``y`` (scaled to 0..1, not constant) apart."""
    flat = tuple(events.flat_bottoms(y))
    best: Parts | None = None
    if 0 < len(flat) <= MOST_EVENTS:
        best = _with_dropouts(y, flat)
    if best is None:
        best = fit(y, Hypothesis())
    for _ in range(MOST_EVENTS):
        rivals = [r for r in (_with_bump(y, best), _with_step(y, best)) if r is not None]
        if not rivals:
            break
        best = min(rivals, key=lambda parts: parts.information)
    return _without_needless(y, best)


def _without_needless(y: FloatArray, parts: Parts) -> Parts:
    """Drop events that another one found later explains as well: the edge of a shift, say."""
    for bump in parts.bumps:
        tried = _hypothesis(parts)
        if len(tried.bumps) + len(tried.steps) < 2:
            break
        rival = fit(y, replace(tried, bumps=tuple(b for b in tried.bumps if b is not bump)))
        if rival.information <= parts.information + 10.0:
            parts = rival
    return parts


def _hypothesis(parts: Parts) -> Hypothesis:
    return Hypothesis(parts.bumps, parts.steps, parts.dropouts)


def _with_dropouts(y: FloatArray, flat: tuple[tuple[int, int], ...]) -> Parts | None:
    """The window without its flat bottoms, if those lie clearly below what the rest predicts."""
    parts = fit(y, Hypothesis(dropouts=flat))
    gaps = [float(np.median(parts.residual[a:b])) for a, b in flat]
    return parts if max(gaps) <= -events.FLAT_JUMP else None


def _with_bump(y: FloatArray, parts: Parts) -> Parts | None:
    """The window less the bump that stands out most; in a short one, less one that seasons hide."""
    short = len(y) < SHORT
    first = _bump_in(parts)
    if first is not None and first.contrast < (0.5 if short else 0.8) * BUMP_CONTRAST:
        first = None
    hidden = _hidden_bump(y, parts) if short else None
    tried = (b for b in (first, hidden) if b is not None and abs(b.size) >= 0.5 * BUMP_SIZE)
    rivals = [r for r in (_less(y, parts, bump) for bump in tried) if r is not None]
    return min(rivals, key=lambda r: r.information, default=None)


def _less(y: FloatArray, parts: Parts, bump: events.Bump) -> Parts | None:
    """The window less ``bump``, where that explains it better and the bump still stands out."""
    tried = _hypothesis(parts)
    rival = fit(y, replace(tried, bumps=(*tried.bumps, bump)))
    again = _bump_in(replace(rival, bumps=tried.bumps), bump.place)
    if again is None or again.contrast < BUMP_CONTRAST or abs(again.size) < BUMP_SIZE:
        return None
    if again.covers(len(y)).sum() > bump.covers(len(y)).sum() or again.place != bump.place:
        rival = fit(y, replace(tried, bumps=(*tried.bumps, again)))
    if rival.information > parts.information - BUMP_MARGIN * scale(len(y)):
        return None
    return replace(rival, bumps=(*tried.bumps, again))


def _hidden_bump(y: FloatArray, parts: Parts) -> events.Bump | None:
    """What stands out of its neighbours alone: few cycles can bend a season around a bump."""
    padded = np.pad(y, 3, mode="reflect")
    level = np.median(np.lib.stride_tricks.sliding_window_view(padded, 7), axis=1)
    return _bump_in(replace(parts, residual=y - level, seasons=()))


def _bump_in(parts: Parts, near: int | None = None) -> events.Bump | None:
    n = len(parts.residual)
    skip = np.zeros(n, dtype=np.bool_)
    for start, end in parts.dropouts:
        skip[max(start - 2, 0) : end + 2] = True
    for bump in parts.bumps:
        skip |= bump.covers(n)
    around = [events.excess(parts.residual + s.curve, s.period) for s in parts.seasons]
    return events.strongest_bump(parts.residual, skip, around, near)


def _with_step(y: FloatArray, parts: Parts) -> Parts | None:
    """The window with a step where one explains most, seen with and without the seasons found.

    A long season found without the step may be the step itself, so it is not trusted.
    """
    if parts.steps:
        return None
    n = len(y)
    trusted = sum((s.curve for s in parts.seasons if s.period < n / 3.2), np.zeros(n))
    starts: list[int] = []
    none = np.zeros(n)
    rivals: list[tuple[float, int, float]] = []
    for seasonal, degree in ((parts.seasonal, 1), (trusted, 1), (trusted, 5), (none, 1), (none, 5)):
        place = events.strongest_step(np.where(parts.keep, y - seasonal, parts.trend), degree)
        if place not in starts:
            starts.append(place)
            rivals += _promising(y, parts, place)
    if not rivals:
        return None
    _, place, width = min(rivals)
    tried = _hypothesis(parts)
    best = fit(y, replace(tried, steps=((place, width),)))
    moved = min(_promising(y, best, place), default=(0.0, place, width))[1:]
    if moved != (place, width):
        best = min(
            best, fit(y, replace(tried, steps=(moved,))), key=lambda parts: parts.information
        )
    better = best.information <= parts.information - STEP_MARGIN * scale(n)
    return best if better and abs(best.sizes[0]) >= STEP_SIZE else None


def _promising(y: FloatArray, parts: Parts, place: int) -> list[tuple[float, int, float]]:
    """Steps near ``place`` that make the model better with the seasons known, or with none.

    Returns:
        (information, place, width) of the best with the seasons and of the best without.
    """
    n = len(y)
    keep = None if parts.keep.all() else parts.keep
    waves = [harmonics(n, s.frequency, s.count) for s in parts.seasons]
    models = [np.hstack([polynomials(n)[:, : TREND_DEGREE + 1], *waves])]
    if waves:
        models.append(polynomials(n))
    if n < SHORT:  # where a bent trend follows any step, a straight one must do
        models += [np.hstack([polynomials(n)[:, :2], *w]) for w in ([], waves)]
    tries = _near(place, n)
    rises = np.stack([events.step_column(n, near, width) for near, width in tries], axis=1)
    out = []
    for columns in models:
        gains, sizes = added(columns, rises, y, keep)
        pick = int(np.argmax(gains))
        if abs(sizes[pick]) < 0.6 * STEP_SIZE:
            continue
        wider = np.column_stack([columns, rises[:, pick]])
        both = Nested(wider, y, keep)
        count = columns.shape[1]
        before = whitened_information(both.fit(count).residual, count, keep)
        after = whitened_information(both.fit(count + 1).residual, count + 3, keep)
        if after < before - STEP_MARGIN * scale(n):
            out.append((after, *tries[pick]))
    return out


def _near(place: int, n: int) -> list[tuple[int, float]]:
    """Places and widths to try around a first guess."""
    low, high = max(place - 3, events.SHIFT_MARGIN), min(place + 4, n - events.SHIFT_MARGIN)
    return [(p, w) for p in range(low, high) for w in STEP_WIDTHS]
