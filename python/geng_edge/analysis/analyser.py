"""Describe a window by analysis: trend, periods, level, noise, anomalies.

:func:`analyse` is the judge of everything generated and the annotator of everything real, and is
blind: it sees values and never what was asked for. It takes a window apart into trend, seasons,
noise and events and names what it finds by the thresholds below, all of them shares of the
window's range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geng_edge.analysis.decompose import decompose
from geng_edge.analysis.fit import Parts, noise_memory
from geng_edge.analysis.model import FloatArray, polynomials
from geng_edge.claims import Claims, Event, noise_level

#: Least fitted change over the window that is called a trend.
TREND_CHANGE = 0.15
#: The same in standard errors that allow for the memory of the noise.
TREND_ERRORS = 3.0
#: Lag-1 correlation from which noise is called red.
RED_MEMORY = 0.35
#: Contrast of step size with noise below which a level shift is not believed.
SHORTEST_WINDOW = 32


@dataclass(frozen=True)
class Found:
    """An anomaly: its kind, where it starts or peaks, and how far it departs.

    ``position`` is a share of the window, ``size`` in units of the values (negative downwards),
    ``width`` in steps: full width at half height of a bump, rise of a shift, length of a dropout.
    """

    kind: str
    position: float
    size: float
    width: float

    @property
    def direction(self) -> int:
        """+1 up, -1 down."""
        return 1 if self.size >= 0.0 else -1


@dataclass(frozen=True)
class Analysis:
    """What a window shows.

    Attributes:
        trend: ``"up"``, ``"down"`` or ``"none"``.
        change: Fitted change over the window, level shifts not counted, in units of the values.
        slope: The same per second.
        periodic: Whether a season repeats at least twice and stands out of the noise.
        periods: Steps, the one with most variance first; at most two.
        strength: Share of the variance beside trend and events that is seasonal, 0..1.
        swing: Peak to peak of the seasons, in units of the values.
        low, high, mean, median: Of the values.
        noise_std: Standard deviation of what is left, in units of the values.
        noise: The word for it, see :data:`geng_edge.claims.NOISE_BANDS`.
        memory: Lag-1 correlation of what is left, 0..1.
        colour: ``"white"`` or ``"red"``.
        stationary: None; tests of stationarity need more than numpy, and whoever has it fills it in.
        events: Anomalies, in order of position; empty when there is none.
        interval: Seconds between steps.
        length: Steps.
    """

    trend: str
    change: float
    slope: float
    periodic: bool
    periods: tuple[float, ...]
    strength: float
    swing: float
    low: float
    high: float
    mean: float
    median: float
    noise_std: float
    noise: str
    memory: float
    colour: str
    stationary: bool | None
    events: tuple[Found, ...]
    interval: float
    length: int

    @property
    def range(self) -> float:
        """Highest less lowest value."""
        return self.high - self.low

    def claims(
        self, quantity: str = "", unit: str = "", device: str = "", place: str = ""
    ) -> Claims:
        """State the findings, with numbers rounded as a person would write them."""
        step = 10.0 ** (math.floor(math.log10(self.range)) - 2) if self.range > 0.0 else 0.0
        shifted = any(e.kind == "shift" for e in self.events)
        return Claims(
            trend=None if shifted else self.trend,
            periodic=self.periodic,
            periods=tuple(_rounded_period(p) for p in self.periods),
            low=_rounded(self.low, step),
            high=_rounded(self.high, step),
            mean=_rounded(self.mean, step),
            noise=self.noise,
            noise_std=float(f"{self.noise_std:.2g}") if self.noise_std > 0.0 else None,
            colour=self.colour if self.noise != "none" else None,
            events=tuple(Event(e.kind, round(e.position, 2), e.direction) for e in self.events),
            stationary=self.stationary,
            interval=self.interval,
            length=self.length,
            unit=unit,
            quantity=quantity,
            device=device,
            place=place,
        )


def analyse(x: npt.ArrayLike, interval: float = 1.0) -> Analysis:
    """Describe one window.

    A pure function; about 10 ms for 512 steps on one slow core.

    Args:
        x: One-dimensional, finite, at least 32 values.
        interval: Seconds between values.

    Raises:
        ValueError: ``x`` has another shape, is too short, or holds NaN or infinity.
    """
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 1 or len(values) < SHORTEST_WINDOW:
        raise ValueError(f"x has shape {values.shape}; it must be ({SHORTEST_WINDOW} or more,)")
    if not np.isfinite(values).all():
        raise ValueError(
            f"x is not finite at step {int(np.argmin(np.isfinite(values)))}; fill gaps first"
        )
    low, high = float(values.min()), float(values.max())
    span = high - low
    if span <= 1e-12 * max(abs(low), abs(high)):  # of any unit: a current may be in A or pA
        return _constant(values, interval)
    scaled = (values - low) / span
    parts = decompose(scaled)
    change, trend = _trend(parts)
    memory = noise_memory(parts)
    rest = parts.residual[parts.keep]
    noise_std = float(rest.std())
    seasonal = parts.seasonal[parts.keep]
    total = float((seasonal + rest).var())
    return Analysis(
        trend=trend,
        change=change * span,
        slope=change * span / ((len(values) - 1) * interval),
        periodic=bool(parts.seasons),
        periods=tuple(
            s.period for s in sorted(parts.seasons, key=lambda s: -float(s.powers.sum()))
        ),
        strength=max(0.0, 1.0 - noise_std**2 / total) if parts.seasons and total > 0.0 else 0.0,
        swing=float(np.ptp(parts.seasonal)) * span,
        low=low,
        high=high,
        mean=float(values.mean()),
        median=float(np.median(values)),
        noise_std=noise_std * span,
        noise=noise_level(noise_std),
        memory=memory,
        colour="red" if memory >= RED_MEMORY else "white",
        stationary=None,
        events=_events(parts, span),
        interval=interval,
        length=len(values),
    )


def _constant(values: FloatArray, interval: float) -> Analysis:
    level = float(values[0])
    return Analysis(
        trend="none",
        change=0.0,
        slope=0.0,
        periodic=False,
        periods=(),
        strength=0.0,
        swing=0.0,
        low=float(values.min()),
        high=float(values.max()),
        mean=float(values.mean()),
        median=level,
        noise_std=0.0,
        noise="none",
        memory=0.0,
        colour="white",
        stationary=True,
        events=(),
        interval=interval,
        length=len(values),
    )


def _trend(parts: Parts) -> tuple[float, str]:
    """Change over the window by the straight line through the fitted trend, and its word."""
    n = len(parts.trend)
    line = polynomials(n)[:, 1]
    change = 2.0 * float(line @ parts.trend) / float(line @ line)
    rest = parts.residual[parts.keep]
    rho = noise_memory(parts)
    independent = max(2.0, len(rest) * (1.0 - rho) / (1.0 + rho))
    error = float(rest.std()) * math.sqrt(12.0 / independent)
    if abs(change) < max(TREND_CHANGE, TREND_ERRORS * error):
        return change, "none"
    return change, "up" if change > 0.0 else "down"


def _events(parts: Parts, span: float) -> tuple[Found, ...]:
    last = len(parts.residual) - 1
    found = [
        Found("spike" if b.size > 0.0 else "dip", b.place / last, b.size * span, b.width)
        for b in parts.bumps
    ]
    for (place, width), size in zip(parts.steps, parts.sizes, strict=True):
        found.append(Found("shift", place / last, size * span, max(1.0, 4.4 * width)))
    for start, end in parts.dropouts:
        gap = float(np.median(parts.residual[start:end]))
        found.append(Found("dropout", start / last, gap * span, float(end - start)))
    return tuple(sorted(found, key=lambda e: e.position))


def _rounded(value: float, step: float) -> float:
    """``value`` to the nearest multiple of a power of ten."""
    if step <= 0.0:
        return float(f"{value:.4g}")
    return float(round(value, -round(math.log10(step))))


def _rounded_period(period: float) -> float:
    """A whole number of steps when that is within 1 %, else one decimal."""
    whole = float(round(period))
    return whole if abs(period - whole) <= 0.01 * period else round(period, 1)
