"""Series whose features are known because they were built in, to hold the analyser against.

Nothing here shares code with the composer or the decoder: trends are drawn in closed form, waves
keep their sharp edges, spikes come in three shapes. A draw is kept only when every feature it
claims is detectable in principle (see :data:`LEAST`); what counts is measured on the finished
series, relative to its full range.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from geng_edge.claims import Claims, Event

FloatArray = npt.NDArray[np.float64]

TASKS = {1: "trend", 2: "periodic", 3: "anomaly", 4: "mixed"}
WAVES = ("sine", "square", "triangle", "sawtooth", "pulse", "daytime", "double peak", "bursts")


@dataclass(frozen=True)
class Least:
    """The least that must be there of a feature for its claim to count, as shares of the range."""

    trend: float = 0.35  # change over the window
    season: float = 0.15  # peak to peak
    season_to_noise: float = 0.25  # variance of the season over that of white noise
    season_to_red: float = 1.0  # the same over red noise, which has cycles of its own
    bump: float = 0.25  # height of a spike, depth of a dip
    bump_to_noise: float = 6.0  # the same in standard deviations of the noise
    shift: float = 0.20
    shift_to_noise: float = 2.5
    dropout: float = 0.10  # gap between the flat values and everything else
    red_noise: float = 0.06  # most that red noise may have: it wanders like a trend


LEAST = Least()


@dataclass(frozen=True)
class Known:
    """A series and what is true of it.

    Attributes:
        x: Float64 ``[length]``, in units of the claims.
        claims: All features; ``trend`` is None where a level shift makes the word ambiguous.
        task: 1 trend, 2 periodic, 3 anomaly, 4 mixed.
    """

    x: FloatArray
    claims: Claims
    task: int


def draw(rng: np.random.Generator, task: int, length: int = 512) -> Known:
    """Draw one series of ``task`` (1 to 4), ``length`` steps long, in a random physical range."""
    while True:
        known = _attempt(rng, task, length)
        if known is not None:
            return known


def _attempt(rng: np.random.Generator, task: int, n: int) -> Known | None:
    u = np.linspace(0.0, 1.0, n)
    trend, change = _trend(rng, u, {1: 0.67, 2: 0.3, 3: 0.3, 4: 0.67}[task])
    periodic = rng.random() < {1: 0.3, 2: 0.75, 3: 0.5, 4: 0.8}[task]
    parts = _seasons(rng, n) if periodic else []
    season = sum((p[1] for p in parts), np.zeros(n))
    noise, colour = _noise(rng, n)
    kinds = _event_kinds(rng, 0.0 if task in (1, 2) else 0.75)
    before = trend + season + noise
    after, events = _with_events(rng, before, kinds)
    span = float(np.ptp(after))
    std = float(noise.std())
    if not _detectable(span, change, parts, std, colour, after - before, events, before):
        return None
    low, scale = _physical(rng)
    x = low + (after - after.min()) / span * scale
    direction = "none" if change == 0.0 else ("up" if change > 0.0 else "down")
    shifted = any(e.kind == "shift" for e in events)
    claims = Claims(
        trend=None if shifted else direction,
        periodic=periodic,
        periods=tuple(p[0] for p in parts),
        low=float(x.min()),
        high=float(x.max()),
        mean=float(x.mean()),
        noise_std=std / span * scale,
        colour=colour if std > 0.0 else None,
        events=tuple(events),
        length=n,
    )
    return Known(x, claims, task)


def _detectable(
    span: float,
    change: float,
    parts: list[tuple[float, FloatArray]],
    std: float,
    colour: str,
    added: FloatArray,
    events: list[Event],
    before: FloatArray,
) -> bool:
    if span == 0.0 or std / span > (LEAST.red_noise if colour == "red" else 0.15):
        return False
    if change != 0.0 and abs(change) / span < LEAST.trend:
        return False
    if parts:
        least = LEAST.season_to_red if colour == "red" else LEAST.season_to_noise
        if np.ptp(parts[0][1]) / span < LEAST.season or parts[0][1].var() < least * std**2:
            return False
    size = float(np.abs(added).max())
    for event in events:
        if event.kind in ("spike", "dip"):
            if size < max(LEAST.bump * span, LEAST.bump_to_noise * std):
                return False
        elif event.kind == "shift":
            if size < max(LEAST.shift * span, LEAST.shift_to_noise * std):
                return False
        elif before.min() - (before + added).min() < LEAST.dropout * span:
            return False
    return True


def _physical(rng: np.random.Generator) -> tuple[float, float]:
    scale = 10.0 ** rng.uniform(-3.0, 5.0)
    return float(scale * rng.normal(0.0, 3.0)), float(scale)


def _trend(rng: np.random.Generator, u: FloatArray, chance: float) -> tuple[FloatArray, float]:
    """A monotone curve and its change over the window, in any scale near 1."""
    if rng.random() >= chance:
        return np.zeros_like(u), 0.0
    rate = rng.uniform(2.0, 5.0)
    middle, share = rng.uniform(0.3, 0.7), rng.uniform(0.15, 0.85)
    steep = rng.uniform(7.0, 12.0)
    curves: tuple[Callable[[], FloatArray], ...] = (
        lambda: u,
        lambda: u,
        lambda: np.expm1(rate * u) / math.expm1(rate),
        lambda: np.expm1(-rate * u) / math.expm1(-rate),
        lambda: np.interp(u, [0.0, middle, 1.0], [0.0, share, 1.0]),
        lambda: 1.0 / (1.0 + np.exp(-steep * (u - middle))),
    )
    curve = curves[int(rng.integers(len(curves)))]()
    curve = (curve - curve[0]) / (curve[-1] - curve[0])
    change = float(rng.choice([-1.0, 1.0]) * math.exp(rng.uniform(math.log(0.4), math.log(2.0))))
    return change * curve, change


def _seasons(rng: np.random.Generator, n: int) -> list[tuple[float, FloatArray]]:
    """One or two (period, series), the dominant one first."""
    period = math.exp(rng.uniform(math.log(8.0), math.log(min(170.0, n / 3.0))))
    if rng.random() < 0.5:
        period = float(round(period))
    size = math.exp(rng.uniform(math.log(0.25), math.log(1.5)))
    names = WAVES if period >= 16.0 else WAVES[:4]
    parts = [(period, size * _wave(rng, names[int(rng.integers(len(names)))], period, n))]
    if rng.random() < 0.2:
        ratio = rng.uniform(3.5, 8.0)
        second = period * ratio if period * ratio <= n / 3.0 else period / ratio
        if second >= 8.0:
            wave = _wave(rng, "sine", second, n)
            strength = rng.uniform(0.25, 0.6) * parts[0][1].std() / wave.std()
            parts.append((second, strength * wave))
    return parts


def _wave(rng: np.random.Generator, name: str, period: float, n: int) -> FloatArray:
    """``n`` steps of a wave that swings by about 1."""
    phase = (np.arange(n) / period + rng.random()) % 1.0
    if name == "sine":
        return 0.5 * np.sin(2.0 * np.pi * phase)
    if name == "square":
        return (phase < rng.uniform(0.35, 0.65)).astype(np.float64)
    if name == "triangle":
        return 1.0 - 2.0 * np.abs(phase - 0.5)
    if name == "sawtooth":
        return phase if rng.random() < 0.5 else 1.0 - phase
    if name == "daytime":
        return np.maximum(np.sin(2.0 * np.pi * phase), 0.0)
    if name == "pulse":
        wide = max(rng.uniform(0.06, 0.2), 2.0 / period)
        return (phase < wide).astype(np.float64)
    if name == "double peak":
        first, second = rng.uniform(0.05, 0.08), rng.uniform(0.06, 0.1)
        late = rng.uniform(0.5, 0.75) * _hump(phase, rng.uniform(0.58, 0.72), second)
        return _hump(phase, 0.28, first) + late
    quick = np.cos(2.0 * np.pi * float(rng.integers(3, 6)) * phase)
    return _hump(phase, 0.5, rng.uniform(0.1, 0.15)) * (0.5 + 0.5 * quick)


def _hump(phase: FloatArray, centre: float, width: float) -> FloatArray:
    return np.exp(-0.5 * ((phase - centre) / width) ** 2)


def _noise(rng: np.random.Generator, n: int) -> tuple[FloatArray, str]:
    red = rng.random() < 0.25
    most = 0.1 if red else 0.25
    std = 0.0 if rng.random() < 0.1 else math.exp(rng.uniform(math.log(0.003), math.log(most)))
    white = rng.standard_normal(n)
    if not red:
        return std * white, "white"
    rho = rng.uniform(0.5, 0.9)
    coloured = np.empty(n)
    coloured[0] = white[0]
    for i in range(1, n):
        coloured[i] = rho * coloured[i - 1] + math.sqrt(1.0 - rho * rho) * white[i]
    return std * coloured, "red"


def _event_kinds(rng: np.random.Generator, chance: float) -> tuple[str, ...]:
    if rng.random() >= chance:
        return ()
    kind = ("spike", "dip", "shift", "dropout")[int(rng.integers(4))]
    return (kind, kind) if kind in ("spike", "dip") and rng.random() < 0.15 else (kind,)


def _with_events(
    rng: np.random.Generator, x: FloatArray, kinds: tuple[str, ...]
) -> tuple[FloatArray, list[Event]]:
    """``x`` with events added, and their claims."""
    n = len(x)
    t = np.arange(n, dtype=np.float64)
    events: list[Event] = []
    out = x.copy()
    size = float(np.ptp(x)) * math.exp(rng.uniform(math.log(0.3), math.log(1.5)))
    shorter = min(1.0, n / 512)  # what is short beside the window is shorter in a shorter one
    width = max(1, round(int(rng.integers(1, 13)) * shorter))
    for kind in kinds:
        edge = 0.2 if kind == "shift" else 0.04
        position = float(rng.uniform(edge, 1.0 - edge))
        if any(abs(position - e.position) < 0.12 for e in events):
            break
        place = round(position * (n - 1))
        event = Event(kind, place / (n - 1))
        if kind in ("spike", "dip"):
            shapes = 3 if kind == "spike" else 2  # a flat dip could not be told from a dropout
            sign = 1.0 if kind == "spike" else -1.0
            out += sign * size * _bump(t - place, width, int(rng.integers(shapes)))
        elif kind == "shift":
            event = replace(event, direction=int(rng.choice([-1, 1])))
            rise = np.clip((t - place) / rng.uniform(0.1, 2.0), -50.0, 50.0)
            out += event.direction * size / (1.0 + np.exp(-rise))
        else:
            long = max(4, round(int(rng.integers(4, 60)) * shorter))
            out[place : place + long] = x.min() - size * rng.uniform(0.3, 1.0)
        events.append(event)
    return out, events


def _bump(t: FloatArray, width: int, shape: int) -> FloatArray:
    """A bump of height 1, ``width`` steps wide at half its height, around ``t = 0``."""
    if width == 1:
        return (t == 0.0).astype(np.float64)
    if shape == 0:
        return np.exp(-0.5 * (t / (width / 2.355)) ** 2)
    if shape == 1:
        return np.maximum(1.0 - np.abs(t) / width, 0.0)
    return (np.abs(t) <= width / 2.0).astype(np.float64)
