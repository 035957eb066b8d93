"""Several channels of one device, generated together: each obeys its text, pairs correlate as asked.

A latent is drawn for each channel by its own text. What texts do not speak of is then shared out
between them: phase and wave of seasons of the same period, the wander, and what drives the noise. How
much of each is shared is searched for until the correlations of the finished series are the asked
ones; limits, periods, trends and events are not touched, so some correlations cannot be had (two
rising channels do not correlate at -1), and what was reached is said.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, combinations_with_replacement
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from geng_edge import recorded
from geng_edge.condition import Condition, check_interval, check_text
from geng_edge.errors import ArgumentError, CancelledError
from geng_edge.request import MAX_SEED, Request, check_between
from geng_edge.series import DEFAULT_START, Series, moments_of
from geng_edge.sharing import correlated, nearest
from geng_edge.sharing import correlations as correlations_of

if TYPE_CHECKING:
    from geng_edge.generator import Generator, Progress

FloatArray: TypeAlias = npt.NDArray[np.float64]
Array: TypeAlias = npt.NDArray[np.float32]
Pairs: TypeAlias = Mapping[tuple[str, str], float]

MOST_CHANNELS = 16
#: Between channels of which nothing is said.
UNRELATED = 0.0
#: How far a correlation of a recording may be moved so that series can have them all.
_MOST_MOVED = 0.05
#: What rounding to float32 may make of a correlation.
_ROUNDING = 1e-6
_FEWEST_STEPS = 32
_LONGEST_PAIR = 160
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
            pair = _PAIR.fullmatch(words.rstrip(".")) if len(words) <= _LONGEST_PAIR else None
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
        return check_correlations(asked, names)


def check_correlations(asked: npt.ArrayLike, names: Sequence[str]) -> FloatArray:
    """Correlations ``(channels, channels)`` that series can have, as float64.

    Raises:
        ArgumentError: They are no square of numbers by channel, one is not -1 to 1, a channel does not
            correlate with itself at 1, two say different things of a pair, or no series can have them all.
    """
    found = _correlations(asked, names)
    if not _possible(found):
        raise ArgumentError(
            "correlations contradict each other; they must be such that series can have them all"
        )
    return found


def _correlations(asked: npt.ArrayLike, names: Sequence[str]) -> FloatArray:
    """Correlations each of which can be had alone."""
    try:
        found = np.asarray(asked, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError("correlations are no numbers; they must be, by channel") from error
    if found.shape != (len(names),) * 2:
        raise ArgumentError(f"correlations have shape {found.shape}; it must be square, by channel")
    most = 1.0 + _ROUNDING
    for (i, a), (j, b) in combinations_with_replacement(enumerate(names), 2):
        there, back = found[i, j], found[j, i]
        check_between(f"correlation of {a} and {b}", there, -most, most)
        if i == j and there < 1.0 - _ROUNDING:
            raise ArgumentError(f"correlation of {a} with itself is {there:g}; it must be 1")
        if not abs(there - back) <= _ROUNDING:
            raise ArgumentError(
                f"correlations of {a} and {b} are {there:g} and {back:g}; they must be the same"
            )
    return found


def _possible(correlations: FloatArray) -> bool:
    """Whether series can have them all."""
    return bool(np.linalg.eigvalsh(correlations)[0] >= -_ROUNDING)


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
    conditions: Sequence[Condition] = (),
    progress: Progress | None = None,
) -> Joint:
    """Draw the channels of a device together.

    Cost: that of each channel alone, and some hundred decodings of them all: half a second a row for
    three channels of 512 steps on one slow core.

    Args:
        generator: The model. Its extra ``text`` is needed where no conditions are given.
        device: What is asked.
        count: Rows to draw; row i uses ``seed + i``.
        length, seed, interval, start: As for :meth:`geng_edge.generator.Generator.generate`.
        correlations: ``(channels, channels)`` in place of the device's, such as those of a recording.
        conditions: One for each channel, in place of those of its text.
        progress: Called with (rows done, rows), many times a row; return False to stop.

    Raises:
        ArgumentError: A setting or a correlation is out of range. Nothing was computed.
        NotFiniteError: The model produced NaN or infinity.
        CancelledError: ``progress`` returned False.
    """
    names = list(device.texts)
    asked = device.matrix() if correlations is None else check_correlations(correlations, names)
    request = Request(count, length, seed=seed).settled(generator.distilled)
    check_interval(interval)
    moments_of(start, interval, 1, request.length - 1)
    if request.chained:
        raise ArgumentError(f"length is {length}; it must be at most 4096 for several channels")
    if not conditions:
        texts = device.texts.values()
        conditions = [Condition.from_text(t, interval, generator, length) for t in texts]
    if len(conditions) != len(device.texts):
        raise ArgumentError(
            f"conditions are {len(conditions)}; they must be one for each of {len(device.texts)}"
        )
    for condition in conditions:
        generator.check(condition)

    def go_on(done: int) -> None:
        if progress is not None and progress(done, count) is False:
            raise CancelledError(f"drawing was cancelled after row {done} of {count}")

    rows = []
    for i in range(count):
        own = replace(request, seed=(seed + i) % (MAX_SEED + 1))
        rows.append(correlated(generator, list(conditions), own, asked, partial(go_on, i)))
    go_on(count)
    labels = tuple(f"{name}_{i}" for i in range(count) for name in names)
    series = Series(np.concatenate(rows), interval, start=start, labels=labels)
    return Joint(series, asked, np.stack([correlations_of(row) for row in rows]))


def recorded_correlations(path: str | os.PathLike[str], names: Sequence[str]) -> FloatArray:
    """How the columns of a recording correlate, over the steps where both have a value.

    Where gaps make pairs contradict each other a little, the nearest correlations that series can have.

    Args:
        path: A CSV or JSON file.
        names: Its columns.

    Raises:
        ArgumentError: The file has no such column, columns of several lengths, or one that does not
            vary; or pairs contradict each other by more than 0.05.
    """
    found = [recorded.load(path, name).values for name in names]
    if len({len(x) for x in found}) > 1:
        raise ArgumentError(
            f"{os.fspath(path)} has series of several lengths; they must be as long"
        )
    columns = np.stack(found)
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
    if _possible(out):
        return out
    # Each pair is of other steps, so together they may be what no series has.
    near = nearest(out)
    moved = float(np.abs(near - out).max())
    if moved > _MOST_MOVED:
        raise ArgumentError(
            f"correlations of {os.fspath(path)} contradict each other by {moved:.2f}, each pair being of "
            f"other steps; it must be at most {_MOST_MOVED:g}. Name columns with more steps in common"
        )
    return near
