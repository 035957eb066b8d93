"""Spell the numbers of a text as number channels.

Word pieces carry magnitudes badly, so every word piece that belongs to a number also carries
features of the value it spells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from geng_edge.numbers import LARGEST_NUMBER, Number

if TYPE_CHECKING:
    import numpy.typing as npt

NUMBER_WIDTH = 32


def as_written(value: float) -> float:
    """The number that a text spells, of one that came through float32: 6.8 for 6.800000190734863."""
    return float(str(np.float32(value)))


def number_channels(
    numbers: Sequence[Number], offsets: Sequence[tuple[int, int]]
) -> npt.NDArray[np.float32]:
    """Number channels of word pieces.

    Args:
        numbers: From :func:`find_numbers`.
        offsets: Character span of each word piece; ``(0, 0)`` for special ones.

    Returns:
        Float32 ``[tokens, 32]``: zeros but for pieces of a number. Columns: 0 is a number, 1 sign,
        2 log magnitude, 3 time or frequency, 4 steps, 5 percent, 6 has a length in steps, 7 its
        logarithm, 8-9 log distance and sign to the number before, 10 ordinal, 11 whole, 12-19 Fourier
        terms of the magnitude, 20-27 of the steps, and, which no network sees, 28 that it is as far
        below as above (1) or that the series stays there (-1), 29 that something recurs so often,
        30 the value, 31 the steps.
    """
    channels = np.zeros((len(offsets), NUMBER_WIDTH), dtype=np.float32)
    previous: float | None = None
    first = 0
    for ordinal, number in enumerate(numbers):
        row = _row(number, previous, ordinal)
        previous = number.value
        while first < len(offsets) and offsets[first][1] <= number.start:
            first += 1
        for i in range(first, len(offsets)):
            a, b = offsets[i]
            if b > a:
                if a >= number.end:
                    break
                if b > number.start:
                    channels[i] = row
    return channels


def _row(number: Number, previous: float | None, ordinal: int) -> list[float]:
    value = number.value
    magnitude = math.log10(max(abs(value), 1e-12))
    row = [0.0] * NUMBER_WIDTH
    row[0] = 1.0
    row[1] = float((value > 0) - (value < 0))
    row[2] = min(max(magnitude / 6.0, -2.0), 2.0)
    row[3] = float(number.unit in ("time", "frequency"))
    row[4] = float(number.unit == "steps")
    row[5] = float(number.unit == "percent")
    if previous is not None:
        row[8] = math.log10(max(abs(value - previous), 1e-12)) / 6.0
        row[9] = float((value > previous) - (value < previous))
    row[10] = ordinal / 8.0
    row[11] = float(value == math.floor(value))
    for k in range(4):
        angle = 2.0 * math.pi * magnitude * 2**k
        row[12 + 2 * k], row[13 + 2 * k] = math.sin(angle), math.cos(angle)
    if number.steps is not None:
        steps = min(max(number.steps, -LARGEST_NUMBER), LARGEST_NUMBER)
        row[6] = 1.0
        row[7] = math.log2(max(steps, 1e-3)) / 8.0
        for k in range(4):
            angle = 2.0 * math.pi * row[7] * 2**k
            row[20 + 2 * k], row[21 + 2 * k] = math.sin(angle), math.cos(angle)
        row[31] = steps
    row[28] = float(number.both_ways) - float(number.stays)
    row[29] = float(number.recurs)
    row[30] = value
    return row
