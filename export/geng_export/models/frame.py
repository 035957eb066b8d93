"""The frame: the coordinate system in which a latent's physical numbers are expressed.

Word pieces carry magnitudes badly, and a network that had to print "-5 to 5" from its weights
would be off by some per cent. The numbers of the description are in the condition already, so
level, scale, periods and positions are diffused *relative to them*: as a pointer network copies a
word instead of spelling it (Vinyals et al. 2015), the number reader says which number plays which
role, and the latent says how far the series is from it. Without such a number the coordinate has a
wide default, and the bridge decides freely.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from geng_export.models import layout as at

ROLES = (
    "other",
    "low",
    "high",
    "mean",
    "center",
    "amplitude",
    "span",
    "period",
    "period2",
    "position",
    "position2",
    "noise",
    "resolution",
)
FRAME_FEATURES = 16
TIGHT = 0.02
LARGEST_NUMBER = 1e30
#: asinh(level / range) reaches this at a level ten million ranges away from zero.
LARGEST_COORDINATE = 16.0
#: What of a range's logarithm a decoder draws beside an :class:`Anchor`: series differ more in training,
#: which keeps the whole of it, than anybody expects of "around 20 degC".
CALM = 0.2
#: How far a series goes below and above the level at which it stays, as a share of that.
STILL = 0.005


@dataclass(frozen=True)
class RoleValue:
    """The number that plays a role: its value, and its length in steps if it has one (else 0)."""

    value: float
    steps: float = 0.0
    percent: bool = False


@dataclass(frozen=True)
class Anchor:
    """A level that the text states without a range: the series lies so that low = value - share range.

    Attributes:
        value: The level.
        share: 0 where it is the least value, 1 the greatest; None the shape's mean.
        low, high: A limit beside the mean, which with it says the range.
    """

    value: float
    share: float | None
    low: float | None = None
    high: float | None = None


@dataclass
class Frame:
    """Centre and spread of every coordinate that a number of the text can pin down.

    ``range = range_centre * exp(range_spread * r)``, ``low = low_centre + range * low_spread *
    sinh(r)``, and so on; see :func:`to_coordinates`. A range and a low that the text states are their
    centres, whatever r.
    """

    range_centre: float = 10.0
    range_spread: float = 2.5
    low_centre: float = 0.0
    low_spread: float = 1.0
    mean_centre: float = 0.5
    mean_spread: float = 0.15
    noise_centre: float = -3.5
    noise_spread: float = 1.5
    resolution: float = 0.0
    anchor: Anchor | None = None
    period_centre: list[float] = field(default_factory=lambda: [64.0, 64.0])
    period_spread: list[float] = field(default_factory=lambda: [1.2, 1.2])
    position_centre: list[float] = field(default_factory=lambda: [0.5, 0.5])
    position_spread: list[float] = field(default_factory=lambda: [0.3, 0.3])
    has_range: bool = False
    has_level: bool = False
    has_mean: bool = False
    has_noise: bool = False
    has_period: list[bool] = field(default_factory=lambda: [False, False])
    has_position: list[bool] = field(default_factory=lambda: [False, False])

    def features(self) -> npt.NDArray[np.float32]:
        """What the bridge is told of the frame: float32 ``[16]``, bounded."""
        p, s = self.has_period, self.has_position
        return np.array(
            [
                self.has_range,
                self.has_level,
                self.has_mean,
                p[0],
                p[1],
                s[0],
                s[1],
                self.has_noise,
                math.log2(self.period_centre[0] / 64.0) / 3.0 if p[0] else 0.0,
                math.log2(self.period_centre[1] / 64.0) / 3.0 if p[1] else 0.0,
                self.mean_centre if self.has_mean else 0.0,
                self.position_centre[0] if s[0] else 0.0,
                self.position_centre[1] if s[1] else 0.0,
                math.asinh(self.low_centre / self.range_centre) / 4.0 if self.has_level else 0.0,
                math.log(self.range_centre) / 8.0 if self.has_range else 0.0,
                self.noise_centre / 7.0 if self.has_noise else 0.0,
            ],
            dtype=np.float32,
        )


def _usable(role: RoleValue | None) -> bool:
    return role is not None and math.isfinite(role.value) and abs(role.value) <= LARGEST_NUMBER


def settle_both_ways(roles: dict[str, RoleValue], size: RoleValue) -> None:
    """What is as far below as above is so about zero where no level is said: "±2 g" is -2 to 2."""
    if roles.keys() & {"low", "high", "mean", "center"}:
        return
    role = next((name for name, value in roles.items() if value == size), None)
    sized = roles.keys() & {"amplitude", "span"}
    if role in ("amplitude", "span") or (role is None and not sized):
        roles.pop("span", None)
        roles |= {"amplitude": size, "center": RoleValue(0.0, 0.0, False)}


def settle_stays(roles: dict[str, RoleValue], level: RoleValue) -> None:
    """A series that stays at the one level that is said: "constant 5 V" is 4.975 to 5.025.

    It reaches three standard deviations of the noise that is said to either side, or :data:`STILL`.
    """
    levels = {roles[name] for name in ("low", "high", "mean", "center") if name in roles}
    if levels - {level} or roles.keys() & {"amplitude", "span"}:
        return
    reach = 3.0 * _size(roles["noise"], level) if "noise" in roles else 0.0
    roles.pop("low", None)
    roles.pop("high", None)
    reach = reach or STILL * (abs(level.value) or 1.0)
    roles |= {"center": level, "amplitude": RoleValue(reach, 0.0, False)}


def frame_of(roles: Mapping[str, RoleValue], length: int) -> Frame:
    """The frame that the numbers of a description span, for a series of ``length`` steps."""
    known = {name: role for name, role in roles.items() if _usable(role)}
    frame = Frame()
    _set_range(frame, known)
    _set_mean(frame, known)
    if {"period", "period2"} <= known.keys() and known["period"].steps == known["period2"].steps:
        del known["period2"]  # the same length said twice is one cycle
    for i, name in enumerate(("period", "period2")):
        if name in known and 2.0 <= known[name].steps <= 4096.0:
            frame.period_centre[i] = known[name].steps
            frame.period_spread[i] = TIGHT
            frame.has_period[i] = True
    for i, name in enumerate(("position", "position2")):
        if name in known:
            _set_position(frame, i, known[name], length)
    if "noise" in known and frame.has_range and known["noise"].value > 0.0:
        noise = known["noise"]
        share = noise.value / 100.0 if noise.percent else noise.value / frame.range_centre
        frame.noise_centre = min(max(math.log(share), -7.0), 0.0)
        frame.noise_spread = 0.1
        frame.has_noise = True
    if "resolution" in known and known["resolution"].value > 0.0:
        step = known["resolution"].value
        if not frame.has_range or step <= frame.range_centre:
            frame.resolution = step
    return frame


def _set_range(frame: Frame, known: Mapping[str, RoleValue]) -> None:
    if "low" in known and "high" in known and known["low"].value != known["high"].value:
        low, high = sorted((known["low"].value, known["high"].value))
        frame.range_centre, frame.range_spread, frame.has_range = high - low, TIGHT, True
        frame.low_centre, frame.low_spread, frame.has_level = low, TIGHT, True
        return
    middle = known.get("center", known.get("mean"))
    half = _size(known["amplitude"], middle) if "amplitude" in known else 0.0
    if half == 0.0 and "span" in known:
        half = _size(known["span"], middle) / 2.0
    if half > 0.0:
        frame.range_centre, frame.range_spread, frame.has_range = 2.0 * half, TIGHT, True
        if middle is not None:
            frame.low_centre, frame.low_spread = middle.value - half, TIGHT
            frame.has_level = True
        return
    for name, share in (("center", 0.5), ("mean", None), ("low", 0.0), ("high", 1.0)):
        if name in known:
            value = known[name].value
            frame.range_centre, frame.range_spread = max(abs(value), 1.0) * 0.5, 1.0
            frame.low_centre, frame.low_spread = value, 1.0
            limits = {
                side: known[side].value
                for side, sign in (("low", -1.0), ("high", 1.0))
                if name == "mean" and side in known and sign * (known[side].value - value) > 0.0
            }
            frame.anchor = Anchor(value, share, **limits)
            return


def _size(size: RoleValue, middle: RoleValue | None) -> float:
    """How large: "10 %" beside 230 V is a share of it, beside 50 % it is not."""
    if size.percent and middle is not None and not middle.percent:
        return abs(middle.value * size.value / 100.0)
    return abs(size.value)


def _set_mean(frame: Frame, known: Mapping[str, RoleValue]) -> None:
    if "mean" not in known or not (frame.has_range and frame.has_level):
        return
    share = (known["mean"].value - frame.low_centre) / frame.range_centre
    if 0.0 < share < 1.0:
        frame.mean_centre, frame.mean_spread, frame.has_mean = share, TIGHT, True


def _set_position(frame: Frame, i: int, role: RoleValue, length: int) -> None:
    if role.percent:
        share = role.value / 100.0
    elif role.steps > 0.0 or role.value == 0.0:
        share = role.steps / max(length - 1, 1)
    else:
        return
    if 0.0 <= share <= 1.0:
        frame.position_centre[i], frame.position_spread[i] = share, TIGHT
        frame.has_position[i] = True


def to_coordinates(structure: at.FloatArray, frame: Frame) -> at.FloatArray:
    """Structure ``[tokens, width]`` in physical terms -> raw latent in ``frame``.

    A *structure* is laid out like a latent, but its level token holds range, low, mean share and
    log noise, its season tokens the period in steps and its events the position as a share of
    the window: numbers that mean the same in every frame.
    """
    raw = structure.copy()
    span, low, share, noise = structure[at.LEVEL, : at.COLOUR]
    raw[at.LEVEL, at.RANGE] = math.log(max(span, 1e-12) / frame.range_centre) / frame.range_spread
    raw[at.LEVEL, at.LOW] = math.asinh(
        (low - frame.low_centre) / (max(span, 1e-12) * frame.low_spread)
    )
    raw[at.LEVEL, at.MEAN] = (share - frame.mean_centre) / frame.mean_spread
    raw[at.LEVEL, at.NOISE] = (noise - frame.noise_centre) / frame.noise_spread
    for i, token in enumerate((at.SEASON_1, at.SEASON_2)):
        period = structure[token, at.PERIOD]
        absent = structure[token, at.AMPLITUDE] < at.AMPLITUDE_FLOOR
        raw[token, at.PERIOD] = (
            0.0 if absent else math.log(period / frame.period_centre[i]) / frame.period_spread[i]
        )
    for i in range(at.EVENTS_PER_SERIES):
        column = i * at.EVENT_WIDTH
        present = structure[at.EVENTS, column] < 0.5
        raw[at.EVENTS, column + at.EVENT_POSITION] = (
            (structure[at.EVENTS, column + at.EVENT_POSITION] - frame.position_centre[i])
            / frame.position_spread[i]
            if present
            else 0.0
        )
    return np.clip(raw, -LARGEST_COORDINATE, LARGEST_COORDINATE)
