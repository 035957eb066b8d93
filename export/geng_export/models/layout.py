"""Where each quantity of a series lives inside its latent.

A latent is ``[tokens, width]``. The first five tokens have a fixed meaning (level, two seasons,
trend, events); the rest carry the residual. The same table is written into the model file, so
that the device reads it instead of assuming it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LEVEL, SEASON_1, SEASON_2, TREND, EVENTS = range(5)
STRUCTURE_TOKENS = 5

# Columns of the level token.
RANGE, LOW, MEAN, NOISE, COLOUR, ENVELOPE = 0, 1, 2, 3, 4, 5
ENVELOPE_KNOTS = 8

# Columns of a season token.
PERIOD, COS_PHASE, SIN_PHASE, AMPLITUDE, HARMONICS = 0, 1, 2, 3, 4

# Columns of one event; the second event follows EVENT_WIDTH columns later.
EVENT_KINDS = ("none", "spike", "dip", "shift", "dropout")
EVENT_POSITION, EVENT_LOG_WIDTH, EVENT_SIZE = 5, 6, 7
EVENT_WIDTH = 8
#: Steps of the window that widths of events are stated for; they are shorter in a shorter one.
EVENT_WINDOW = 512
#: Values that a dropout keeps, where it has as many: fewer would not be told from noise.
SHORTEST_DROPOUT = 4.0
EVENTS_PER_SERIES = 2

#: Below these a season or a noise counts as absent (in units of the range).
AMPLITUDE_FLOOR = 0.004
NOISE_FLOOR = 0.0015


@dataclass(frozen=True)
class Layout:
    """Sizes of a latent.

    Attributes:
        tokens: Tokens of a latent.
        width: Numbers in a token; at least ``3 + 2 * harmonics`` and ``trend + 1``.
        harmonics: Harmonics of a season, the fundamental included.
        trend: Cosine coefficients of the trend, beside its slope.
        residual_total: Cosine coefficients of the residual, the ones after the trend's.
        window: Steps of the series it was trained on.
    """

    tokens: int = 10
    width: int = 32
    harmonics: int = 14
    trend: int = 31
    residual_total: int = 160
    window: int = 512

    @property
    def residual_tokens(self) -> int:
        """Tokens that carry the residual."""
        return self.tokens - STRUCTURE_TOKENS

    @property
    def residual_per_token(self) -> int:
        """Residual coefficients in one token."""
        return -(-self.residual_total // self.residual_tokens)


@lru_cache(maxsize=64)
def cosine_basis(first: int, count: int, length: int) -> FloatArray:
    """Cosines ``first .. first + count - 1`` of the DCT-II, each with unit mean square.

    Returns:
        Float64 ``[count, length]``.
    """
    k = np.arange(first, first + count, dtype=np.float64)[:, None]
    t = np.arange(length, dtype=np.float64)[None, :]
    basis = np.sqrt(2.0) * np.cos(np.pi * k * (t + 0.5) / length)
    basis.setflags(write=False)
    return basis
