"""Compose new series: structure drawn from a scenario or an abstract task, series, true claims.

The four tasks are the paper's (Table II): 1 trend, 2 periodic, 3 anomaly, 4 mixed. A scenario
gives quantity, place, unit, limits and habits; the task decides what the description will be
about. Amplitudes are drawn so that what is claimed can be seen, then checked on the rendered
series: a claim that its own series does not bear out is dropped, not stated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from geng_edge.claims import Claims, Event, noise_level
from geng_export.data import waves
from geng_export.data.events import draw_events, put_events, stand_out
from geng_export.data.scenarios import Scenario, weighted
from geng_export.models import layout as at
from geng_export.models.layout import FloatArray, Layout

WINDOW = 512
SHORTEST_PERIOD, LONGEST_PERIOD = 8.0, 200.0


@dataclass
class Composed:
    """A composed window.

    Attributes:
        structure: ``[tokens, width]``, see :func:`geng_export.models.frame.to_coordinates`.
        series: Float64 ``[512]``, in the unit of the claims.
        claims: What is true of it and worth saying.
        task: 1 trend, 2 periodic, 3 anomaly, 4 mixed.
    """

    structure: FloatArray
    series: FloatArray
    claims: Claims
    task: int


def compose(
    rng: np.random.Generator,
    layout: Layout,
    scenario: Scenario | None,
    task: int,
    two_kinds: float = 0.0,
) -> Composed:
    """Draw one window of ``task`` from ``scenario``, or an abstract one without units.

    Of the windows with an event, the share ``two_kinds`` has another event of another kind.
    """
    claims = _setting(rng, scenario)
    while True:
        for _ in range(8):
            draft = _draft(rng, layout, scenario, task, claims, two_kinds)
            if draft is not None:
                return draft
        claims = _setting(rng, scenario)


def _setting(rng: np.random.Generator, scenario: Scenario | None) -> Claims:
    """Interval, unit, names and the value range."""
    if scenario is None:
        scale = 10.0 ** rng.uniform(-1.5, 3.5)
        low = 0.0 if rng.random() < 0.2 else scale * rng.normal(0.0, 1.5)
        if rng.random() < 0.2:
            low = -scale / 2.0
        elif rng.random() < 0.1:
            low = scale * rng.uniform(5.0, 60.0) * rng.choice([-1.0, 1.0])
        interval = float(
            rng.choice([1.0, 1.0, 1.0, 0.1, 0.5, 2.0, 5.0, 10.0, 60.0, 300.0, 900.0, 3600.0])
        )
        return Claims(
            low=_tidy(low, scale, rng), high=_tidy(low + scale, scale, rng), interval=interval
        )
    low = rng.uniform(*scenario.low)
    span = math.exp(rng.uniform(math.log(scenario.span[0]), math.log(scenario.span[1])))
    high = low + span
    if scenario.ceiling is not None and high > scenario.ceiling:
        high = scenario.ceiling
        low = max(high - span, scenario.floor if scenario.floor is not None else high - span)
    return Claims(
        low=_tidy(low, span, rng),
        high=_tidy(high, span, rng),
        interval=float(rng.choice(np.asarray(scenario.intervals))),
        unit=scenario.unit,
        quantity=scenario.quantity,
        device=scenario.device,
        place=scenario.place,
    )


def _tidy(value: float, span: float, rng: np.random.Generator) -> float:
    """Round so that the error stays under about 1 % of the span, as people write limits."""
    digits = int(rng.choice([1, 1, 2, 3])) - math.floor(math.log10(span))
    return float(round(value, digits))


def _period(rng: np.random.Generator, scenario: Scenario | None, interval: float) -> float:
    """A period in steps, physical where the scenario knows one that fits the window."""
    if scenario is not None:
        fitting = [
            p / interval for p in scenario.periods if SHORTEST_PERIOD <= p / interval <= 170.0
        ]
        if fitting and rng.random() < 0.85:
            return float(rng.choice(np.asarray(fitting)))
    period = math.exp(rng.uniform(math.log(SHORTEST_PERIOD), math.log(LONGEST_PERIOD)))
    kind = rng.random()
    if kind < 0.6:
        return float(round(period))
    return round(period, 1) if kind < 0.8 else period


def _draft(
    rng: np.random.Generator,
    layout: Layout,
    scenario: Scenario | None,
    task: int,
    setting: Claims,
    two_kinds: float,
) -> Composed | None:
    parts = np.zeros((layout.tokens, layout.width))
    parts[at.EVENTS, 0] = parts[at.EVENTS, at.EVENT_WIDTH] = 1.0
    trend, shape = _draw_trend(rng, layout, scenario, task, parts)
    wave, periods = _draw_seasons(rng, layout, scenario, task, setting.interval, parts)
    noise = _draw_noise(rng, scenario, parts)
    events = draw_events(rng, scenario, task, parts[at.EVENTS], two_kinds)
    _draw_wander(rng, scenario, parts)
    rendered = render(parts, layout, rng)
    low, high = float(rendered.min()), float(rendered.max())
    span = high - low
    if span < 1e-9 or not _visible(parts, span, trend, events):
        return None
    for row, columns in _SCALED:
        parts[row, columns] /= span
    parts[at.LEVEL, at.NOISE] = math.log(max(noise / span, 0.0005))
    share = float((rendered.mean() - low) / span)
    structure_low, structure_high = setting.low or 0.0, setting.high or 0.0
    if structure_high <= structure_low:
        return None
    value_range = structure_high - structure_low
    parts[at.LEVEL, at.RANGE : at.NOISE] = value_range, structure_low, share
    series = structure_low + (rendered - low) / span * value_range
    std = noise / span
    shifted = any(e.kind == "shift" for e in events)
    claims = replace(
        setting,
        mean=structure_low + share * value_range,
        trend=None if shifted else trend,
        trend_shape=shape if trend != "none" and not shifted else None,
        periodic=bool(periods),
        periods=periods,
        wave=wave,
        noise=noise_level(std),
        noise_std=std * value_range if std > 0.0 else None,
        colour=("red" if parts[at.LEVEL, at.COLOUR] > 0.5 else "white") if std > 0.0 else None,
        events=tuple(events),
    )
    return Composed(parts, series, claims, task)


_SCALED = (
    (at.SEASON_1, at.AMPLITUDE),
    (at.SEASON_2, at.AMPLITUDE),
    (at.TREND, slice(None)),
    (at.EVENTS, at.EVENT_SIZE),
    (at.EVENTS, at.EVENT_WIDTH + at.EVENT_SIZE),
)


def _draw_trend(
    rng: np.random.Generator,
    layout: Layout,
    scenario: Scenario | None,
    task: int,
    parts: FloatArray,
) -> tuple[str, str | None]:
    chance = {1: 0.85, 2: 0.0, 3: 0.15, 4: 0.8}[task]
    if rng.random() >= chance:
        return "none", None
    weights = {"up": 1.0, "down": 1.0}
    if scenario is not None and scenario.trend[1] + scenario.trend[2] > 0.0:
        weights = {"up": scenario.trend[1] + 0.02, "down": scenario.trend[2] + 0.02}
    direction = weighted(rng, weights)
    shape = str(rng.choice(waves.TREND_SHAPES, p=[0.55, 0.12, 0.12, 0.09, 0.12]))
    size = rng.uniform(0.6, 1.4) if task != 4 else rng.uniform(0.6, 1.1)
    curve = waves.trend_curve(shape, layout.trend, rng) * size
    parts[at.TREND, : layout.trend + 1] = curve if direction == "up" else -curve
    return direction, shape


def _draw_seasons(
    rng: np.random.Generator,
    layout: Layout,
    scenario: Scenario | None,
    task: int,
    interval: float,
    parts: FloatArray,
) -> tuple[str | None, tuple[float, ...]]:
    chance = {1: 0.0, 2: 1.0, 3: 0.4, 4: 0.9}[task]
    if rng.random() >= chance:
        return None, ()
    period = _period(rng, scenario, interval)
    names = scenario.waves if scenario is not None and scenario.waves else waves.SHAPES
    name = str(rng.choice(np.asarray(names)))
    peak = rng.uniform(0.5, 1.0) if task == 2 else rng.uniform(0.35, 0.8)
    _put_season(rng, layout, parts, at.SEASON_1, period, name, peak)
    periods: tuple[float, ...] = (period,)
    if rng.random() < 0.15:
        ratio = math.exp(rng.uniform(math.log(2.6), math.log(8.0)))
        second = period * ratio if period * ratio <= 170.0 else period / ratio
        if second >= SHORTEST_PERIOD:
            second = float(round(second))
            _put_season(
                rng, layout, parts, at.SEASON_2, second, "sine", peak * rng.uniform(0.3, 0.55)
            )
            periods = (period, second)
    return name, periods


def _put_season(
    rng: np.random.Generator,
    layout: Layout,
    parts: FloatArray,
    token: int,
    period: float,
    name: str,
    peak_to_peak: float,
) -> None:
    phase = rng.uniform(-math.pi, math.pi)
    harmonics = waves.wave(name, layout.harmonics, rng)
    order = np.repeat(np.arange(1, layout.harmonics + 1), 2)[1:]
    heard = np.where(2 * order < period, harmonics, 0.0)
    cycle = _season(heard, _CYCLE)
    height = float(cycle.max() - cycle.min())
    row = parts[token]
    row[at.PERIOD], row[at.COS_PHASE], row[at.SIN_PHASE] = period, math.cos(phase), math.sin(phase)
    row[at.AMPLITUDE] = peak_to_peak / max(height, 1e-6)
    row[at.HARMONICS : at.HARMONICS + 2 * layout.harmonics - 1] = harmonics


def _season(harmonics: FloatArray, turn: npt.NDArray[np.complex128]) -> FloatArray:
    """Sum of c_k cos(k theta) + s_k sin(k theta), s_1 = 0, at points ``turn`` = exp(i theta)."""
    tones = np.empty((len(harmonics) + 1) // 2, dtype=np.complex128)
    tones[0] = harmonics[0]
    tones[1:] = harmonics[1::2] - 1j * harmonics[2::2]
    powers = np.cumprod(np.broadcast_to(turn, (len(tones), len(turn))), axis=0)
    return (tones @ powers).real


_CYCLE = np.exp(2j * math.pi * np.arange(256) / 256)


def _draw_noise(rng: np.random.Generator, scenario: Scenario | None, parts: FloatArray) -> float:
    if scenario is not None:
        a, b = scenario.noise
        std = math.exp(rng.uniform(math.log(max(a, 0.002)), math.log(max(min(b, 0.1), 0.003))))
    elif rng.random() < 0.12:
        std = 0.0
    else:
        std = math.exp(rng.uniform(math.log(0.004), math.log(0.1)))
    red = rng.random() < (scenario.colour if scenario is not None else 0.15)
    rho = rng.uniform(0.5, 0.9) if red else rng.uniform(-0.05, 0.05)
    parts[at.LEVEL, at.COLOUR] = math.atanh(rho)
    if rng.random() < 0.1:
        knots = np.cumsum(rng.normal(0.0, 0.25, at.ENVELOPE_KNOTS))
        parts[at.LEVEL, at.ENVELOPE : at.ENVELOPE + at.ENVELOPE_KNOTS] = knots - knots.mean()
    parts[at.LEVEL, at.NOISE] = std
    return std


def _draw_wander(rng: np.random.Generator, scenario: Scenario | None, parts: FloatArray) -> None:
    """Slow irregular drift, small enough not to be taken for a trend."""
    if scenario is None or rng.random() > 0.3:
        return
    k = np.arange(2, 12)
    drift = rng.standard_normal(len(k)) / k
    parts[at.TREND, k] += rng.uniform(0.005, 0.025) * drift / np.linalg.norm(drift)


#: Noise that remembers wanders like a trend and swings like a season; this much of it is no claim.
_MOST_RED_NOISE = 0.05


def _visible(parts: FloatArray, span: float, trend: str, events: list[Event]) -> bool:
    """Whether what was drawn stands out of the rendered range and of the noise."""
    noise = parts[at.LEVEL, at.NOISE] / span
    if parts[at.LEVEL, at.COLOUR] > 0.2 and noise > _MOST_RED_NOISE:
        return False
    if trend != "none" and abs(parts[at.TREND, 0]) / span < 0.38:
        return False
    amplitude = parts[at.SEASON_1, at.AMPLITUDE] / span
    if 0.0 < amplitude < max(0.1, noise):
        return False
    return stand_out(parts[at.EVENTS], events, span, noise)


def render(parts: FloatArray, layout: Layout, rng: np.random.Generator) -> FloatArray:
    """The series of a structure in its own arbitrary scale, noise included, float64 [512].

    The numpy twin of the decoder's synthesis (:mod:`geng_export.models.decoder`), kept free of
    torch because composing runs in data workers. Here ``parts`` still holds the noise's standard
    deviation, not its logarithm.
    """
    t = np.arange(WINDOW, dtype=np.float64)
    u = t / (WINDOW - 1)
    x = parts[at.TREND, 0] * (u - 0.5)
    x = x + parts[at.TREND, 1 : layout.trend + 1] @ cosine(layout.trend)
    for token in (at.SEASON_1, at.SEASON_2):
        row = parts[token]
        if row[at.AMPLITUDE] > 0.0:
            harmonics = row[at.HARMONICS : at.HARMONICS + 2 * layout.harmonics - 1]
            count = min(layout.harmonics, math.ceil(row[at.PERIOD] / 2.0) - 1)
            phase = math.atan2(row[at.SIN_PHASE], row[at.COS_PHASE])
            turn = np.exp(1j * (2.0 * math.pi * t / row[at.PERIOD] + phase))
            x = x + row[at.AMPLITUDE] * _season(harmonics[: 2 * count - 1], turn)
    x = x + _noise(parts[at.LEVEL], rng)
    return put_events(x, parts[at.EVENTS])


def cosine(count: int) -> FloatArray:
    """The trend's cosines over a window."""
    return at.cosine_basis(1, count, WINDOW)


def _noise(level: FloatArray, rng: np.random.Generator) -> FloatArray:
    white = rng.standard_normal(WINDOW)
    rho = math.tanh(level[at.COLOUR])
    gain = math.sqrt(1.0 - rho * rho)
    white[1:] *= gain
    coloured = lfilter([1.0], [1.0, -rho], white)
    knots = level[at.ENVELOPE : at.ENVELOPE + at.ENVELOPE_KNOTS]
    envelope = np.exp(
        np.interp(np.linspace(0.0, 1.0, WINDOW), np.linspace(0.0, 1.0, len(knots)), knots)
    )
    return level[at.NOISE] * envelope * coloured
