"""Take a window apart: try what events there may be, keep the explanation that costs least.

An unexplained spike puts its trace on every frequency, a level shift passes for a trend, a dropout
for both. So trend and season are fitted under rival hypotheses (nothing, the strongest bump taken
out, the strongest step put in, flat bottoms taken out) and the information criterion decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from geng_export.data.analysis import events, season
from geng_export.data.analysis.model import (
    TREND_DEGREE,
    BoolArray,
    FloatArray,
    Nested,
    memory,
    polynomials,
    whitened_information,
)

#: How much the information criterion must improve before a season is believed: the frequency was searched.
SEASON_MARGIN = 16.0
#: Least share of the variance beside trend and events, and least swing as a share of the range.
STRENGTH = 0.1
PEAK_TO_PEAK = 0.05
#: The same for a level shift, whose place was searched.
STEP_MARGIN = 14.0
#: Least contrast (see events.Bump) of a bump worth a hypothesis, and to be believed.
BUMP_CONTRAST = 5.0
BUMP_SIZE = 0.12
STEP_SIZE = 0.12
DEGREES = (1, 3, 5)
STEP_WIDTHS = (0.1, 1.0, 2.0)
MOST_EVENTS = 2


@dataclass
class Parts:
    """A window, scaled to 0..1, taken apart.

    ``trend + step + season curves + residual = y``; bumps and dropouts are left in the residual.
    """

    trend: FloatArray
    residual: FloatArray
    seasons: tuple[season.Season, ...] = ()
    bumps: tuple[events.Bump, ...] = ()
    steps: tuple[tuple[int, float], ...] = ()  # place, width
    sizes: tuple[float, ...] = ()  # of the steps
    dropouts: tuple[tuple[int, int], ...] = ()
    information: float = 0.0
    parameters: int = 0
    keep: BoolArray = field(default_factory=lambda: np.ones(0, dtype=np.bool_))

    @property
    def seasonal(self) -> FloatArray:
        """All seasons together."""
        return sum((s.curve for s in self.seasons), np.zeros(len(self.residual)))


@dataclass(frozen=True)
class _Hypothesis:
    bumps: tuple[events.Bump, ...] = ()
    steps: tuple[tuple[int, float], ...] = ()
    dropouts: tuple[tuple[int, int], ...] = ()

    def keep(self, n: int) -> BoolArray:
        kept = np.ones(n, dtype=np.bool_)
        for bump in self.bumps:
            kept &= ~bump.covers(n)
        for start, end in self.dropouts:
            kept[start:end] = False
        return kept


def decompose(y: FloatArray) -> Parts:
    """Take ``y`` (scaled to 0..1, not constant) apart."""
    flat = tuple(events.flat_bottoms(y))
    best: Parts | None = None
    if 0 < len(flat) <= MOST_EVENTS:
        best = _with_dropouts(y, flat)
    if best is None:
        best = _fit(y, _Hypothesis())
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
        rival = _fit(y, replace(tried, bumps=tuple(b for b in tried.bumps if b is not bump)))
        if rival.information <= parts.information + 10.0:
            parts = rival
    return parts


def _hypothesis(parts: Parts) -> _Hypothesis:
    return _Hypothesis(parts.bumps, parts.steps, parts.dropouts)


def _with_dropouts(y: FloatArray, flat: tuple[tuple[int, int], ...]) -> Parts | None:
    """The window without its flat bottoms, if those lie clearly below what the rest predicts."""
    parts = _fit(y, _Hypothesis(dropouts=flat))
    gaps = [float(np.median(parts.residual[a:b])) for a, b in flat]
    return parts if max(gaps) <= -events.FLAT_JUMP else None


def _with_bump(y: FloatArray, parts: Parts) -> Parts | None:
    bump = _bump_in(parts)
    if bump is None or bump.contrast < 0.8 * BUMP_CONTRAST or abs(bump.size) < 0.5 * BUMP_SIZE:
        return None
    tried = _hypothesis(parts)
    rival = _fit(y, replace(tried, bumps=(*tried.bumps, bump)))
    again = _bump_in(replace(rival, bumps=tried.bumps))
    if again is None or again.contrast < BUMP_CONTRAST or abs(again.size) < BUMP_SIZE:
        return None
    if abs(again.place - bump.place) > 3.0 * max(1.0, bump.width, again.width):
        return None
    if rival.information > parts.information - 10.0:
        return None
    return replace(rival, bumps=(*tried.bumps, again))


def _bump_in(parts: Parts) -> events.Bump | None:
    n = len(parts.residual)
    skip = np.zeros(n, dtype=np.bool_)
    for start, end in parts.dropouts:
        skip[max(start - 2, 0) : end + 2] = True
    for bump in parts.bumps:
        skip |= bump.covers(n)
    around = None
    if parts.seasons:
        longest = max(parts.seasons, key=lambda s: s.period)
        around = events.excess(parts.residual + longest.curve, longest.period)
    return events.strongest_bump(parts.residual, skip, around)


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
    for seasonal, degree in ((parts.seasonal, 1), (trusted, 1), (trusted, 5), (none, 1), (none, 5)):
        rest = np.where(parts.keep, y - seasonal, parts.trend)
        place = events.strongest_step(rest, degree)
        if all(abs(place - other) > 2 for other in starts) and _step_pays(rest, place):
            starts.append(place)
    rivals = [r for r in (_step_at(y, parts, place) for place in starts) if r is not None]
    if not rivals:
        return None
    best = min(rivals, key=lambda r: r.information)
    if abs(best.sizes[0]) < STEP_SIZE or best.information > parts.information - STEP_MARGIN:
        return None
    return best


def _step_pays(rest: FloatArray, place: int) -> bool:
    """Whether a step at ``place`` beside a cubic trend could be one, before anything costly."""
    n = len(rest)
    columns = np.column_stack([polynomials(n)[:, :4], events.step_column(n, place, STEP_WIDTHS[0])])
    nested = Nested(columns, rest, None)
    gain = n * np.log((nested.rss[4] + 1e-12) / (nested.rss[5] + 1e-12))
    return bool(gain > 2.0 * np.log(n) and abs(nested.fit(5).beta[4]) > 0.6 * STEP_SIZE)


def _step_at(y: FloatArray, parts: Parts, place: int) -> Parts | None:
    """The fit with a step near ``place``, moved once to where it fits best beside the season."""
    n = len(y)
    tried = _hypothesis(parts)
    rival = _fit(y, replace(tried, steps=((place, STEP_WIDTHS[0]),)))
    filled = np.where(parts.keep, y - rival.seasonal, rival.trend)
    errors = []
    for near in range(max(place - 6, events.SHIFT_MARGIN), min(place + 7, n - events.SHIFT_MARGIN)):
        for width in STEP_WIDTHS:
            rise = events.step_column(n, near, width)
            columns = np.column_stack([polynomials(n)[:, :4], rise])
            errors.append((float(Nested(columns, filled, parts.keep).rss[-1]), near, width))
    _, near, width = min(errors)
    if (near, width) == (place, STEP_WIDTHS[0]):
        return rival
    moved = _fit(y, replace(tried, steps=((near, width),)))
    return min(rival, moved, key=lambda r: r.information)


def _fit(y: FloatArray, tried: _Hypothesis) -> Parts:
    """Trend and up to two seasons under one hypothesis about events."""
    n = len(y)
    kept = tried.keep(n)
    keep = None if kept.all() else kept
    steps = [events.step_column(n, place, width) for place, width in tried.steps]
    plain = _best_degree(y, steps, (), keep, kept, tried)
    base = np.column_stack([*steps, polynomials(n)[:, : TREND_DEGREE + 1]])
    rivals = [
        _best_degree(y, steps, seasons, keep, kept, tried) for seasons in season.find(y, base, keep)
    ]
    worth = [r for r in rivals if r.information < plain.information - SEASON_MARGIN and _visible(r)]
    return min(worth, key=lambda r: r.information) if worth else plain


def _visible(parts: Parts) -> bool:
    """Whether every season is strong enough to be called one."""
    rest = parts.residual[parts.keep]
    for s in parts.seasons:
        own = s.curve[parts.keep]
        if float(np.ptp(own)) < PEAK_TO_PEAK:
            return False
        if float(own.var()) < STRENGTH * float((own + rest).var()):
            return False
    return True


def _best_degree(
    y: FloatArray,
    steps: list[FloatArray],
    seasons: tuple[season.Season, ...],
    keep: BoolArray | None,
    kept: BoolArray,
    tried: _Hypothesis,
) -> Parts:
    """The joint fit with the trend of the degree that costs least."""
    n = len(y)
    waves = [wave for s in seasons for wave in season.harmonics(n, s.frequency, s.count).T]
    lead = len(steps) + len(waves)
    columns = np.column_stack([*steps, *waves, polynomials(n)])
    nested = Nested(columns, y, keep)
    best: Parts | None = None
    for degree in DEGREES if seasons else (*DEGREES, 7, 9):
        size = lead + degree + 1
        fitted = nested.fit(size)
        parameters = size + len(seasons) + 2 * len(steps) + 3 * len(tried.bumps)
        score = whitened_information(fitted.residual, parameters, keep)
        if best is not None and score >= best.information - 2.0:
            continue
        trend = polynomials(n)[:, : degree + 1] @ fitted.beta[lead:]
        best = Parts(
            trend=trend,
            residual=fitted.residual,
            seasons=tuple(_resolved(n, seasons, fitted.beta[len(steps) : lead])),
            bumps=tried.bumps,
            steps=tried.steps,
            sizes=tuple(float(b) for b in fitted.beta[: len(steps)]),
            dropouts=tried.dropouts,
            information=score,
            parameters=parameters,
            keep=kept,
        )
    assert best is not None
    return best


def _resolved(n: int, seasons: tuple[season.Season, ...], beta: FloatArray) -> list[season.Season]:
    """The seasons with the amplitudes of the joint fit."""
    out, start = [], 0
    for s in seasons:
        own = beta[start : start + 2 * s.count]
        start += 2 * s.count
        curve = season.harmonics(n, s.frequency, s.count) @ own
        out.append(
            season.Season(s.frequency, s.count, curve, 0.5 * (own[0::2] ** 2 + own[1::2] ** 2))
        )
    return out


def noise_memory(parts: Parts) -> float:
    """Lag-1 correlation of what is left."""
    return memory(parts.residual, parts.keep)
