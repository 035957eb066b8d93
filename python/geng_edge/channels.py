"""Several channels of one device, generated together: each obeys its text, pairs correlate as asked.

A latent is drawn for each channel by its own text. What texts do not speak of is then shared out
between them: phase and wave of seasons of the same period, the wander, and what drives the noise. How
much of each is shared is searched for until the correlations of the finished series are the asked
ones; limits, periods, trends and events are not touched, so some correlations cannot be had (two
rising channels do not correlate at -1), and what was reached is said.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from geng_edge import recorded
from geng_edge.condition import Condition, check_text
from geng_edge.errors import ArgumentError
from geng_edge.request import MAX_SEED, Request, check_between
from geng_edge.series import DEFAULT_START, Series

if TYPE_CHECKING:
    from geng_edge.generator import Generator

FloatArray: TypeAlias = npt.NDArray[np.float64]
Array: TypeAlias = npt.NDArray[np.float32]
Pairs: TypeAlias = Mapping[tuple[str, str], float]

MOST_CHANNELS = 16
#: Between channels of which nothing is said.
UNRELATED = 0.0
#: Sum of squared distances to the asked correlations at which the search ends, a pair.
_NEAR_ENOUGH = 0.02**2
_FIRST_STEP, _LAST_STEP, _RESTARTS = 0.5, 0.02, 4
#: A round that leaves more than this share of the distance is followed by smaller steps.
_GAIN = 0.95
_TURN = math.pi
#: How much larger or smaller wander may become, so that it weighs enough beside trend and season.
_MOST_GROWTH = 6.0
#: Seasons within this share of one another's period have the same phase to share.
_SAME_PERIOD = 0.02
# The latent's layout, as cpp/src/model/latent_layout.h has it.
_LEVEL, _SEASON, _TREND, _RESIDUAL = 0, 1, 3, 5
#: Columns of the level token: log of the noise's size, then its colour and envelope.
_NOISE, _MAKE = 3, slice(4, 13)
_PERIOD, _COS, _SIN, _AMPLITUDE, _HARMONICS = 0, 1, 2, 3, slice(4, 31)
_ABSENT = 0.004
#: Logarithm of a period for each unit of its column in the default frame.
_LOG_PERIOD = 1.2
#: The same of the noise's standard deviation.
_LOG_NOISE = 1.5

_FEWEST_STEPS = 32
_NAME = re.compile(r"[A-Za-z][\w .-]{0,39}")
_PAIR = re.compile(
    r"(?:correlation\s+(?:of|between)\s+)?(?P<a>[A-Za-z][\w .-]*?)\s+and\s+(?P<b>[A-Za-z][\w .-]*?)"
    r"\s*(?:correlate\s*(?:at|by)?|correlation|is|:|=)?\s*(?P<r>[-+\u2212]?\d*\.?\d+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Device:
    """What is asked of a device.

    Attributes:
        texts: The description of each channel by its name, in order; 2 to 16 of them.
        correlations: What pairs of names are to correlate at, -1 to 1.

    Raises:
        ArgumentError: A name, a text or a correlation is none, or a pair names no channel.
    """

    texts: Mapping[str, str]
    correlations: Pairs

    def __post_init__(self) -> None:
        if not 2 <= len(self.texts) <= MOST_CHANNELS:
            raise ArgumentError(
                f"device has {len(self.texts)} channels; it must have 2 to {MOST_CHANNELS}"
            )
        for name, text in self.texts.items():
            if not _NAME.fullmatch(name):
                raise ArgumentError(
                    f"channel is named {name[:60]!r}; a name must be up to 40 letters, digits, "
                    "blanks, dots or hyphens"
                )
            check_text(text)
        for (a, b), value in self.correlations.items():
            for name in (a, b):
                if name not in self.texts:
                    raise ArgumentError(
                        f"correlation names channel {name[:60]!r}; it must be one of "
                        f"{', '.join(self.texts)}"
                    )
            if a == b:
                raise ArgumentError(f"correlation pairs {a} with itself; it must pair two channels")
            check_between(f"correlation of {a} and {b}", value, -1.0, 1.0)

    @classmethod
    def parse(cls, text: str) -> Device:
        """Read ``temperature: daily cycle, 10 to 30; humidity: ...; temperature and humidity -0.7``.

        Clauses are parted by semicolons or lines: a channel's name, a colon and its description, or two
        names and their correlation.

        Raises:
            ArgumentError: A clause is neither.
        """
        texts: dict[str, str] = {}
        pairs: dict[tuple[str, str], float] = {}
        for clause in re.split(r"[;\n]", text):
            words = clause.strip()
            if not words:
                continue
            pair = _PAIR.fullmatch(words.rstrip("."))
            name, colon, described = words.partition(":")
            if pair:
                value = float(pair["r"].replace("\u2212", "-"))
                pairs[pair["a"].strip(), pair["b"].strip()] = value
            elif colon and described.strip():
                if name.strip() in texts:
                    raise ArgumentError(
                        f"channel {name.strip()!r} is described twice; once must do"
                    )
                texts[name.strip()] = described.strip()
            else:
                raise ArgumentError(
                    f"{words[:60]!r} is no channel; it must be 'name: description', or 'name and "
                    "name' with their correlation"
                )
        return cls(texts, pairs)

    def matrix(self) -> FloatArray:
        """Asked correlations ``(channels, channels)``.

        Raises:
            ArgumentError: No series can have them all.
        """
        names = list(self.texts)
        asked = np.full((len(names), len(names)), UNRELATED)
        np.fill_diagonal(asked, 1.0)
        for (a, b), value in self.correlations.items():
            i, j = names.index(a), names.index(b)
            asked[i, j] = asked[j, i] = value
        if np.linalg.eigvalsh(asked)[0] < -1e-6:
            raise ArgumentError(
                "correlations contradict each other; they must be such that series can have them all"
            )
        return asked


@dataclass(frozen=True, eq=False)
class Joint:
    """Series of a device.

    Attributes:
        series: ``(count * channels, length)``, labelled ``<channel>_<row>``.
        asked: Correlations, ``(channels, channels)``.
        reached: The same of each row, ``(count, channels, channels)``.
    """

    series: Series
    asked: FloatArray
    reached: FloatArray

    @property
    def worst(self) -> float:
        """Largest distance between an asked correlation and one that was reached."""
        return float(np.abs(self.reached - self.asked).max())


def generate(
    generator: Generator,
    device: Device,
    count: int = 1,
    *,
    length: int = 512,
    seed: int = 0,
    interval: float = 1.0,
    start: str = DEFAULT_START,
    correlations: npt.ArrayLike | None = None,
) -> Joint:
    """Draw the channels of a device together.

    Cost: that of each channel alone, and some hundred decodings of them all: half a second a row for
    three channels of 512 steps on one slow core.

    Args:
        generator: The model. Its extra ``text`` is needed.
        device: What is asked.
        count: Rows to draw; row i uses ``seed + i``.
        length, seed, interval, start: As for :meth:`geng_edge.generator.Generator.generate`.
        correlations: ``(channels, channels)`` in place of the device's, such as those of a recording.

    Raises:
        ArgumentError: A setting or a correlation is out of range. Nothing was computed.
        NotFiniteError: The model produced NaN or infinity.
    """
    asked = device.matrix() if correlations is None else np.asarray(correlations, dtype=np.float64)
    request = Request(count, length, seed=seed).settled(generator.distilled)
    if request.chained:
        raise ArgumentError(f"length is {length}; it must be at most 4096 for several channels")
    if asked.shape != (len(device.texts),) * 2:
        raise ArgumentError(f"correlations have shape {asked.shape}; it must be square, by channel")
    conditions = [Condition.from_text(t, interval, generator) for t in device.texts.values()]
    rows = [
        _Row.drawn(
            generator, conditions, replace(request, seed=(seed + i) % (MAX_SEED + 1)), asked
        ).tuned(asked)
        for i in range(count)
    ]
    labels = tuple(f"{name}_{i}" for i in range(count) for name in device.texts)
    series = Series(np.concatenate(rows), interval, start=start, labels=labels)
    return Joint(series, asked, np.stack([np.corrcoef(row) for row in rows]))


def recorded_correlations(path: str | os.PathLike[str], names: Sequence[str]) -> FloatArray:
    """How the columns of a recording correlate, over the steps where both have a value.

    Args:
        path: A CSV or JSON file.
        names: Its columns.

    Raises:
        ArgumentError: The file has no such column, or a column that does not vary.
    """
    columns = np.stack([recorded.load(path, name).values for name in names])
    out = np.eye(len(names))
    for i, j in combinations(range(len(names)), 2):
        both = np.isfinite(columns[[i, j]]).all(axis=0)
        x, y = columns[i, both], columns[j, both]
        if len(x) < _FEWEST_STEPS or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
            raise ArgumentError(
                f"{names[i]} and {names[j]} of {os.fspath(path)} have {len(x)} steps in common; they "
                f"must have {_FEWEST_STEPS}, and vary"
            )
        out[i, j] = out[j, i] = float(np.corrcoef(x, y)[0, 1])
    return out


@dataclass(frozen=True, eq=False)
class _Row:
    """One draw of every channel, before anything is shared.

    Attributes:
        generator, conditions, request: What it was drawn with.
        raw: Latents in the default frame, ``(channels, tokens, width)``.
        white: What drives the noise, ``(channels, length)``.
        likeness: For a channel, an earlier one whose details it shares most, and how much.
        groups: The channel whose season each channel's phase follows, itself where none.
    """

    generator: Generator
    conditions: Sequence[Condition]
    request: Request
    raw: Array
    white: FloatArray
    likeness: Mapping[int, tuple[int, float]]
    groups: tuple[int, ...]

    @classmethod
    def drawn(
        cls,
        generator: Generator,
        conditions: Sequence[Condition],
        request: Request,
        asked: FloatArray,
    ) -> _Row:
        seed, settings = request.seed, request.settings()
        model = generator.model
        # Channel k draws from a stream of its own: the same seed for all would tie what is shared.
        latents = [
            model.sample_latent(c.array, 1, **{**settings, "seed": _stream(seed, k)})
            for k, c in enumerate(conditions)
        ]
        raw = np.concatenate(
            [model.restate(z, c.array, request.length)
             for z, c in zip(latents, conditions, strict=True)]
        )  # fmt: skip
        white = np.random.default_rng((7, seed)).standard_normal((len(raw), request.length))
        # A stretch of white noise correlates a little by chance; what is shared says how much.
        white -= white.mean(axis=1, keepdims=True)
        nearest = [int(np.abs(asked[k, :k]).argmax()) for k in range(1, len(raw))]
        likeness = {k: (j, abs(float(asked[k, j]))) for k, j in enumerate(nearest, 1)}
        return cls(generator, conditions, request, raw, white, likeness, _groups(raw))

    def tuned(self, asked: FloatArray) -> Array:
        """The series ``(channels, length)`` whose correlations are nearest to the asked ones.

        A pattern search (Hooke and Jeeves 1961) over the correlations of the details, and over the size
        of each channel's wander, and over phase and wave of each season beside the one it follows.
        """
        pairs = list(combinations(range(len(self.raw)), 2))
        seasonal = np.flatnonzero(self.raw[1:, _SEASON, _AMPLITUDE] >= _ABSENT) + 1
        towards = np.array([asked[k, self.groups[k]] for k in seasonal])  # 1 to itself
        alike = np.minimum(np.abs(towards), 1.0)
        at = np.concatenate(
            [
                [asked[pair] for pair in pairs],
                np.zeros(len(self.raw)),
                np.arccos(alike) / _TURN,
                alike,
            ]
        )

        def tried(where: FloatArray) -> tuple[float, Array]:
            details = np.eye(len(self.raw))
            for pair, value in zip(pairs, where, strict=False):
                details[pair] = details[pair[::-1]] = value
            grown, rest = np.split(where[len(pairs) :], [len(self.raw)])
            ahead, share = rest.reshape(2, -1)
            seasons = {
                int(k): (math.copysign(1.0, value), float(a) * _TURN, float(abs(b)))
                for k, value, a, b in zip(seasonal, towards, ahead, share, strict=True)
            }
            x = self._rendered(details, _MOST_GROWTH**grown, seasons)
            apart = np.corrcoef(x.astype(np.float64)) - asked
            return float(np.square(apart).sum()) / 2.0, x

        enough = _NEAR_ENOUGH * len(pairs)
        best, series = _search(tried, at, enough)
        rng = np.random.default_rng((9, self.request.seed))
        for _ in range(_RESTARTS):
            if best <= enough:
                break
            # Phases have local optima: elsewhere, and with more wander to work with.
            start = np.clip(at + rng.uniform(-1.0, 1.0, len(at)), -1.0, 1.0)
            start[len(pairs) : len(pairs) + len(self.raw)] = 0.5
            found, x = _search(tried, start, enough)
            if found < best:
                best, series = found, x
        return series

    def _rendered(
        self,
        details: FloatArray,
        growth: FloatArray,
        seasons: Mapping[int, tuple[float, float, float]],
    ) -> Array:
        """The series, for correlations of details, their growth, and sign, lead and share of seasons."""
        share = _factor(details)
        raw = self.raw.copy()
        # Wander: the cosines of trend and residual. The slope makes up for what they change.
        wander = np.concatenate(
            [self.raw[:, _TREND, 1:], self.raw[:, _RESIDUAL:].reshape(len(raw), -1)], axis=1
        ).astype(np.float64)
        sizes = np.linalg.norm(wander, axis=1, keepdims=True)
        mixed = share @ (wander / np.maximum(sizes, 1e-12))
        for k, (leader, weight) in self.likeness.items():
            # Details of different make, one all noise and the other all wander, cannot correlate.
            noise = self.raw[[k, leader], _LEVEL, _NOISE]
            like = sizes[leader] * math.exp(_LOG_NOISE * float(noise[0] - noise[1]))
            sizes[k] = sizes[k] ** (1.0 - weight) * max(like[0], 1e-12) ** weight
            make = self.raw[leader, _LEVEL, _MAKE] - self.raw[k, _LEVEL, _MAKE]
            raw[k, _LEVEL, _MAKE] += weight * make
        sizes *= growth[:, None]
        mixed *= sizes / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-12)
        bends = raw.shape[2] - 1
        slopes = (wander - mixed)[:, :bends] @ _slope_of_cosines(bends)
        raw[:, _TREND, 0] += slopes
        raw[:, _TREND, 1:] = mixed[:, :bends]
        raw[:, _RESIDUAL:] = mixed[:, bends:].reshape(raw[:, _RESIDUAL:].shape)
        for k, (sign, ahead, alike) in seasons.items():
            leader = self.raw[self.groups[k], _SEASON]
            angle = math.atan2(leader[_SIN], leader[_COS]) + ahead
            raw[k, _SEASON, _COS], raw[k, _SEASON, _SIN] = math.cos(angle), math.sin(angle)
            own, its = (_unit(row[_HARMONICS]) for row in (self.raw[k, _SEASON], leader))
            raw[k, _SEASON, _HARMONICS] = sign * (alike * its + math.sqrt(1 - alike**2) * own)
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
    at = start
    best, found = tried(at)
    step = _FIRST_STEP
    while best > enough and step >= _LAST_STEP:
        before = best
        for i in range(len(at)):
            for sign in (1.0, -1.0):
                there = at.copy()
                there[i] = max(-1.0, min(1.0, there[i] + sign * step))
                figure, x = tried(there)
                if figure < best:
                    best, found, at = figure, x, there
                    break
        if best >= before * _GAIN:
            step /= 2.0
    return best, found


def _unit(x: Array) -> Array:
    return np.asarray(x / max(float(np.linalg.norm(x)), 1e-12))


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
        has = row[_SEASON, _AMPLITUDE] >= _ABSENT
        apart = np.abs(raw[:k, _SEASON, _PERIOD] - row[_SEASON, _PERIOD]) * _LOG_PERIOD
        same = np.flatnonzero((apart < _SAME_PERIOD) & (raw[:k, _SEASON, _AMPLITUDE] >= _ABSENT))
        leaders.append(leaders[same[0]] if has and len(same) else k)
    return tuple(leaders)
