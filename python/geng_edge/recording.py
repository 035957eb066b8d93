"""What a recorder makes of a series: a quantisation step, missing values, irregular stamps."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from geng_edge.request import MAX_SEED, check_between, check_whole

if TYPE_CHECKING:
    import numpy.typing as npt

    from geng_edge.series import Series

MOST_MISSING = 0.9
LONGEST_GAP = 4096
MOST_JITTER = 0.9
# Independent random numbers for each row's gaps and for the stamps, which all rows share.
_GAPS, _STAMPS = 0, 1


@dataclass(frozen=True)
class Recording:
    """How a recorder keeps what it measures.

    Attributes:
        resolution: Quantisation step in the unit of the values: they are rounded to its multiples.
            0 keeps them as they are.
        missing: Share of the values that are lost, 0 to 0.9; NaN in arrays, empty in CSV.
        gap: Steps lost together, 1 to 4096. Gaps fall independently and may join.
        jitter: Most by which a stamp lies before its step, as a share of the interval, 0 to 0.9;
            uniform. The value is the one of that moment, on the straight line between two steps.

    Raises:
        ArgumentError: A setting is out of range.
    """

    resolution: float = 0.0
    missing: float = 0.0
    gap: int = 1
    jitter: float = 0.0

    def __post_init__(self) -> None:
        check_between("resolution", self.resolution, 0.0, 1e30)
        check_between("missing", self.missing, 0.0, MOST_MISSING)
        check_between("jitter", self.jitter, 0.0, MOST_JITTER)
        object.__setattr__(self, "gap", check_whole("gap", self.gap, 1, LONGEST_GAP))

    @property
    def faithful(self) -> bool:
        """Whether it keeps everything as it is."""
        return not (self.resolution or self.missing or self.jitter)


class Recorder:
    """Keeps series, or the blocks of a chain in their order.

    What is lost and how stamps fall depends on ``seed`` and the row alone, not on the size of the
    blocks; row i loses what row 0 of ``seed + i`` does.
    """

    def __init__(self, recording: Recording, count: int, seed: int) -> None:
        self.recording = recording
        seeds = [(seed + i) % (MAX_SEED + 1) for i in range(count)]
        self._gaps = [np.random.default_rng((_GAPS, s)) for s in seeds]
        self._stamps = np.random.default_rng((_STAMPS, seed))
        self._begun = np.zeros((count, recording.gap - 1), dtype=bool)
        self._last: npt.NDArray[np.float64] | None = None

    def keep(self, series: Series) -> Series:
        """The series, or the next block, as it is recorded."""
        if self.recording.faithful:
            return series
        x = series.values.astype(np.float64)
        if self.recording.jitter:
            x, offsets = self._stamped(x, series.interval)
            series = replace(series, offsets=offsets)
        if self.recording.resolution:
            x = np.round(x / self.recording.resolution) * self.recording.resolution
        if self.recording.missing:
            x[self._lost(x.shape[1])] = math.nan
        return replace(series, values=x.astype(np.float32))

    def _stamped(
        self, x: npt.NDArray[np.float64], interval: float
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Values at stamps that lie before their steps, and by how many seconds (negative)."""
        early = self.recording.jitter * self._stamps.random(size=(x.shape[1],))
        if self._last is None:
            early[0] = 0.0  # nothing is known before the first step
            self._last = x[:, 0]
        before = np.column_stack([self._last, x[:, :-1]])
        self._last = x[:, -1]
        return x + early * (before - x), -early * interval

    def _lost(self, steps: int) -> npt.NDArray[np.bool_]:
        """Steps that fall into a gap: each begins with the chance that makes ``missing`` the share."""
        gap = self.recording.gap
        chance = -math.expm1(math.log1p(-self.recording.missing) / gap)
        drawn = np.stack([rng.random(steps) < chance for rng in self._gaps])
        begun = np.column_stack([self._begun, drawn])
        self._begun = begun[:, begun.shape[1] - (gap - 1) :]
        seen = np.cumsum(np.pad(begun, ((0, 0), (1, 0))), axis=1)
        return np.asarray(seen[:, gap:] > seen[:, :-gap])
