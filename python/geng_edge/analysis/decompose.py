"""Take a window apart: try what events there may be, keep the explanation that costs least.

An unexplained spike puts its trace on every frequency, a level shift passes for a trend, a dropout
for both. So trend and season are fitted under rival hypotheses (nothing, the strongest bump taken
out, the strongest step put in, flat bottoms taken out) and the information criterion decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from geng_edge.analysis import events, season
from geng_edge.analysis.model import (
    SHORT,
    TREND_DEGREE,
    BoolArray,
    FloatArray,
    Nested,
    harmonics,
    memory,
    polynomials,
    whitened_information,
)

#: How much the information criterion must improve before a season is believed: the frequency was searched.
SEASON_MARGIN = 40.0
#: The same over free wander.
EVIDENT = 64.0
#: In a short window that is corrected less than the others: a season is easily better than wander there.
_EVIDENT_SCALE = 0.8
#: Least share of the variance beside trend and events, and least swing as a share of the range.
STRENGTH = 0.1
PEAK_TO_PEAK = 0.05
#: The same for a level shift, whose place was searched.
STEP_MARGIN = 14.0
#: The same for a bump.
BUMP_MARGIN = 10.0
#: Least contrast (see events.Bump) of a bump worth a hypothesis, and to be believed.
BUMP_CONTRAST = 5.0
BUMP_SIZE = 0.12
STEP_SIZE = 0.12
DEGREES = (1, 3, 5)
STEP_WIDTHS = (0.1, 0.5, 1.0, 1.5, 2.0, 3.0)
MOST_EVENTS = 2


def _scale(n: int) -> float:
    """A short window can tell less, and its criterion is corrected (:func:`model.price`)."""
    return min(1.0, n / SHORT)


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
    rival = _fit(y, replace(tried, bumps=(*tried.bumps, bump)))
    again = _bump_in(replace(rival, bumps=tried.bumps), bump.place)
    if again is None or again.contrast < BUMP_CONTRAST or abs(again.size) < BUMP_SIZE:
        return None
    if again.covers(len(y)).sum() > bump.covers(len(y)).sum() or again.place != bump.place:
        rival = _fit(y, replace(tried, bumps=(*tried.bumps, again)))
    if rival.information > parts.information - BUMP_MARGIN * _scale(len(y)):
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
    best = _fit(y, replace(tried, steps=((place, width),)))
    moved = min(_promising(y, best, place), default=(0.0, place, width))[1:]
    if moved != (place, width):
        best = min(
            best, _fit(y, replace(tried, steps=(moved,))), key=lambda parts: parts.information
        )
    if abs(
        best.sizes[0]
    ) < STEP_SIZE or best.information > parts.information - STEP_MARGIN * _scale(n):
        return None
    return best


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
        gains, sizes = _added(columns, rises, y, keep)
        pick = int(np.argmax(gains))
        if abs(sizes[pick]) < 0.6 * STEP_SIZE:
            continue
        wider = np.column_stack([columns, rises[:, pick]])
        both = Nested(wider, y, keep)
        count = columns.shape[1]
        before = whitened_information(both.fit(count).residual, count, keep)
        after = whitened_information(both.fit(count + 1).residual, count + 3, keep)
        if after < before - STEP_MARGIN * _scale(n):
            out.append((after, *tries[pick]))
    return out


def _added(
    columns: FloatArray, more: FloatArray, y: FloatArray, keep: BoolArray | None
) -> tuple[FloatArray, FloatArray]:
    """What each of ``more``, alone beside ``columns``, takes off the RSS, and its coefficient."""
    if keep is not None:
        columns, more, y = columns[keep], more[keep], y[keep]
    basis, _ = np.linalg.qr(columns)
    own = more - basis @ (basis.T @ more)
    power = np.maximum((own**2).sum(axis=0), 1e-9)
    along = own.T @ (y - basis @ (basis.T @ y))
    return along**2 / power, along / power


def _near(place: int, n: int) -> list[tuple[int, float]]:
    """Places and widths to try around a first guess."""
    low, high = max(place - 3, events.SHIFT_MARGIN), min(place + 4, n - events.SHIFT_MARGIN)
    return [(p, w) for p in range(low, high) for w in STEP_WIDTHS]


def _fit(y: FloatArray, tried: _Hypothesis) -> Parts:
    """Trend and up to two seasons under one hypothesis about events."""
    n = len(y)
    kept = tried.keep(n)
    keep = None if kept.all() else kept
    steps = [events.step_column(n, place, width) for place, width in tried.steps]
    plain = _best_degree(y, steps, (), keep, kept, tried)
    plain = min(plain, _with_turn(y, steps, keep, plain, tried), key=lambda p: p.information)
    base = np.column_stack([*steps, polynomials(n)[:, : TREND_DEGREE + 1]])
    rivals = [
        _best_degree(y, steps, seasons, keep, kept, tried) for seasons in season.find(y, base, keep)
    ]
    worth = [r for r in rivals if _visible(r) and _believable(r, plain)]
    return min(worth, key=lambda r: r.information) if worth else plain


def _with_turn(
    y: FloatArray,
    steps: list[FloatArray],
    keep: BoolArray | None,
    plain: Parts,
    tried: _Hypothesis,
) -> Parts:
    """The fit without season whose trend has the best of :func:`_turns` beside a straight line."""
    n = len(y)
    columns = np.column_stack([*steps, polynomials(n)[:, :2]])
    gains, _ = _added(columns, _turns(n), y, keep)
    wider = np.column_stack([columns, _turns(n)[:, int(np.argmax(gains))]])
    fitted = Nested(wider, y, keep).fit(wider.shape[1])
    parameters = wider.shape[1] + 1 + 2 * len(steps) + 3 * len(tried.bumps)
    residual = _less_bumps(fitted.residual, tried.bumps)
    return replace(
        plain,
        trend=wider[:, len(steps) :] @ fitted.beta[len(steps) :],
        residual=fitted.residual,
        sizes=tuple(float(b) for b in fitted.beta[: len(steps)]),
        information=whitened_information(residual, parameters, _standing(plain.keep, tried)),
        parameters=parameters,
    )


def _believable(parts: Parts, plain: Parts) -> bool:
    """Whether the seasons are better than none, or than free wander of as many parameters.

    The second because a slow wave with sharp edges has few edges and many harmonics: noise with
    long memory would explain it at a lower price.
    """
    if parts.information < plain.information - SEASON_MARGIN * _scale(len(parts.residual)):
        return True
    n = len(parts.residual)
    count = parts.parameters - len(parts.steps)
    smooth = Nested(_wander(n, count), parts.residual + parts.trend + parts.seasonal, parts.keep)
    left = float((parts.residual[parts.keep] ** 2).sum())
    return bool(n * np.log(smooth.rss[-1] / (left + 1e-12)) > EVIDENT * _scale(n) ** _EVIDENT_SCALE)


@lru_cache(maxsize=64)
def _wander(n: int, count: int) -> FloatArray:
    """A straight line and the slowest cosines over the window: ``count`` columns."""
    t = (np.arange(n) + 0.5) / n
    slow = np.cos(np.pi * t[:, None] * np.arange(1, count - 1)[None, :])
    return np.hstack([polynomials(n)[:, :2], slow])


@lru_cache(maxsize=8)
def _turns(n: int) -> FloatArray:
    """Trends that polynomials follow badly: a knee anywhere, a smooth rise anywhere."""
    u = np.linspace(0.0, 1.0, n)[:, None]
    places = np.linspace(0.08, 0.92, 29)[None, :]
    knees = np.maximum(u - places, 0.0)
    rises = [1.0 / (1.0 + np.exp(-(u - places) * steep)) for steep in (6.0, 9.0, 13.0)]
    return np.hstack([knees, *rises])


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
    waves = [wave for s in seasons for wave in harmonics(n, s.frequency, s.count).T]
    lead = len(steps) + len(waves)
    columns = np.column_stack([*steps, *waves, polynomials(n)])
    nested = Nested(columns, y, keep)
    best: Parts | None = None
    for degree in DEGREES if seasons else (*DEGREES, 7, 9):
        size = lead + degree + 1
        fitted = nested.fit(size)
        parameters = size + len(seasons) + 2 * len(steps) + 3 * len(tried.bumps)
        score = whitened_information(
            _less_bumps(fitted.residual, tried.bumps), parameters, _standing(kept, tried)
        )
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


def _less_bumps(residual: FloatArray, bumps: tuple[events.Bump, ...]) -> FloatArray:
    """The residual without the bumps, at the size that fits it best.

    Bumps are left out of the fit but not of its price: a jump of the level next to one must still
    be paid for.
    """
    for bump in bumps:
        curve = bump.curve(len(residual))
        residual = residual - float(curve @ residual) / float(curve @ curve) * curve
    return residual


def _standing(kept: BoolArray, tried: _Hypothesis) -> BoolArray | None:
    """Steps that are paid for: all but the dropouts."""
    if not tried.dropouts:
        return None
    paid = np.ones_like(kept)
    for start, end in tried.dropouts:
        paid[start:end] = False
    return paid


def _resolved(n: int, seasons: tuple[season.Season, ...], beta: FloatArray) -> list[season.Season]:
    """The seasons with the amplitudes of the joint fit."""
    out, start = [], 0
    for s in seasons:
        own = beta[start : start + 2 * s.count]
        start += 2 * s.count
        curve = harmonics(n, s.frequency, s.count) @ own
        out.append(
            season.Season(s.frequency, s.count, curve, 0.5 * (own[0::2] ** 2 + own[1::2] ** 2))
        )
    return out


def noise_memory(parts: Parts) -> float:
    """Lag-1 correlation of what is left."""
    return memory(parts.residual, parts.keep)
