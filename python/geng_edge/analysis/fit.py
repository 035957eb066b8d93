"""Trend and seasons of a window under one hypothesis about its events."""

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
#: The same, over free wander.
EVIDENT = 64.0
#: In a short window that is corrected less than the others: a season is easily better than wander there.
_EVIDENT_SCALE = 0.8
#: Least share of the variance beside trend and events, and least swing as a share of the range.
STRENGTH = 0.1
PEAK_TO_PEAK = 0.05
DEGREES = (1, 3, 5)


def scale(n: int) -> float:
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
class Hypothesis:
    """Events that are taken to be in a window.

    Attributes:
        bumps: Left out of the fit, and paid for.
        steps: Place and width of each; their sizes are fitted.
        dropouts: Start and end of each; left out of the fit.
    """

    bumps: tuple[events.Bump, ...] = ()
    steps: tuple[tuple[int, float], ...] = ()
    dropouts: tuple[tuple[int, int], ...] = ()

    def keep(self, n: int) -> BoolArray:
        """Steps of a window of ``n`` that trend and seasons are fitted to."""
        kept = np.ones(n, dtype=np.bool_)
        for bump in self.bumps:
            kept &= ~bump.covers(n)
        for start, end in self.dropouts:
            kept[start:end] = False
        return kept


def fit(y: FloatArray, tried: Hypothesis) -> Parts:
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
    tried: Hypothesis,
) -> Parts:
    """The fit without season whose trend has the best of :func:`_turns` beside a straight line."""
    n = len(y)
    columns = np.column_stack([*steps, polynomials(n)[:, :2]])
    gains, _ = added(columns, _turns(n), y, keep)
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


def added(
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


def _believable(parts: Parts, plain: Parts) -> bool:
    """Whether the seasons are better than none, or than free wander of as many parameters.

    The second because a slow wave with sharp edges has few edges and many harmonics: noise with
    long memory would explain it at a lower price.
    """
    if parts.information < plain.information - SEASON_MARGIN * scale(len(parts.residual)):
        return True
    n = len(parts.residual)
    count = parts.parameters - len(parts.steps)
    smooth = Nested(_wander(n, count), parts.residual + parts.trend + parts.seasonal, parts.keep)
    left = float((parts.residual[parts.keep] ** 2).sum())
    return bool(n * np.log(smooth.rss[-1] / (left + 1e-12)) > EVIDENT * scale(n) ** _EVIDENT_SCALE)


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
    tried: Hypothesis,
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


def _standing(kept: BoolArray, tried: Hypothesis) -> BoolArray | None:
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
