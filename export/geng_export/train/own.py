"""A user's own series as training data: cut into windows, described, encoded; the last part held back."""

from __future__ import annotations

import logging
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from geng_edge import recorded
from geng_edge.completion import complete
from geng_edge.errors import GengError
from geng_edge.numbers import find_numbers
from geng_export.data.dataset import RealPool
from geng_export.data.describe import describe
from geng_export.data.real import RealWindow
from geng_export.errors import ExportError
from geng_export.models import series_encoder
from geng_export.models.layout import Layout
from geng_export.models.series_encoder import SeriesEncoder
from geng_export.train.real import borne_out, slots_by_kind

log = logging.getLogger(__name__)

#: The last share of every file is held back: later windows, none of which overlaps an earlier one.
HELD_BACK = 0.25
#: Steps between windows: a prime, or windows of hours would begin at three hours of the day, others in
#: training than held back, and whoever tells the hour would tell the real ones.
STRIDE = 61
MOST_WINDOWS, MOST_HELD = 3000, 200
#: Share of a window that may be missing; it is drawn before the window is described.
MOST_MISSING = 0.1
CHUNK = 64
#: Of a file's name: what stands in brackets, dates and other digits.
_NO_WORD = re.compile(r"\([^)]*\)|\[[^\]]*\]|\{[^}]*\}|\d[\d.:TZ-]*")


@dataclass(frozen=True)
class OwnWindows:
    """Windows of a user's folder.

    Attributes:
        train, held: To train on, and held back.
        files: By name of every file: ``train`` and ``held``, how many of its windows these are, and
            ``left_out``, what of it is used nowhere and why; that is empty where nothing is left out.
    """

    train: tuple[RealWindow, ...]
    held: tuple[RealWindow, ...]
    files: dict[str, dict[str, object]]


def own_windows(folder: Path, length: int, column: str | None = None, seed: int = 0) -> OwnWindows:
    """Cut every series of ``folder``.

    Args:
        folder: CSV, .npy or JSON files (:func:`geng_edge.recorded.load`), one series taken of each;
            hidden files and folders in it are no part of it.
        length: Steps of a window.
        column: Which column of each file; the first by default.
        seed: Of the choice, where there are more windows than are used.

    Raises:
        ExportError: There is no such folder, a file is no series, or too little is in them.
    """
    files = _files(folder)
    if not files:
        raise ExportError(f"{folder} has no {', '.join(recorded.FORMATS)}; it must have some")
    train: list[RealWindow] = []
    held: list[RealWindow] = []
    left_out: dict[str, str] = {}
    for path in files:
        try:
            found = recorded.load(path, column)
        except GengError as error:
            raise ExportError(str(error)) from error
        split = int(len(found.values) * (1.0 - HELD_BACK))
        quantity = _quantity(found.title, path.stem)
        flaws: Counter[str] = Counter()
        train += _cut(found, path.name, quantity, 0, split, length, flaws)
        held += _cut(found, path.name, quantity, split, len(found.values), length, flaws)
        left_out[path.name] = _left_out(len(found.values), length, flaws)
    if not train or not held:
        steps = int(np.ceil(length / HELD_BACK))
        raise ExportError(
            f"{folder} has {len(train)} windows to train on and {len(held)} to hold back; its files "
            f"must have {steps} steps or more, and vary"
        )
    rng = np.random.default_rng(seed)
    kept, back = _some(train, MOST_WINDOWS, rng), _some(held, MOST_HELD, rng)
    trained_on, held_back = Counter(w.file for w in kept), Counter(w.file for w in back)
    taken: dict[str, dict[str, object]] = {}
    for name, why in left_out.items():
        taken[name] = {"train": trained_on[name], "held": held_back[name], "left_out": why}
        counts = f"{trained_on[name]} windows to train on, {held_back[name]} held back"
        log.info("%s: %s%s", name, counts, f"; {why}" if why else "")
    return OwnWindows(kept, back, taken)


def _files(folder: Path) -> list[Path]:
    """What is read of ``folder``; what else lies there is named in the log."""
    shown = sorted(p for p in folder.glob("*") if not p.name.startswith("."))
    files = [p for p in shown if p.suffix.lower() in recorded.FORMATS and not p.is_dir()]
    others = [f"{p.name}/" if p.is_dir() else p.name for p in shown if p not in files]
    if others:
        log.info("not read, folders and files of other formats: %s", ", ".join(others))
    return files


def _quantity(title: str, stem: str) -> str:
    """What a series is called in captions, where every number would be read as one of its limits."""
    words = title.replace("_", " ").split()
    spoken = [word for word in words if not find_numbers(word, 1.0)]
    if not spoken:
        spoken = _NO_WORD.sub(" ", stem).replace("_", " ").split()
    return " ".join(spoken).strip(" -.")


def _left_out(steps: int, length: int, flaws: Counter[str]) -> str:
    """Why a file has no windows of a kind, or fewer than its steps allow; "" where it has all."""
    first = int(steps * (1.0 - HELD_BACK))
    said = []
    if first < length:
        needed = math.ceil(length / (1.0 - HELD_BACK))
        said.append(f"{steps} steps; it must have {needed} or more to be trained on")
    elif steps - first < length:
        needed = math.ceil(length / HELD_BACK)
        said.append(f"{steps} steps; it must have {needed} or more for windows to be held back")
    said += [f"{count} windows left out as {flaw}" for flaw, count in flaws.items()]
    return "; ".join(said)


def _some(
    windows: Sequence[RealWindow], most: int, rng: np.random.Generator
) -> tuple[RealWindow, ...]:
    return tuple(windows[i] for i in np.sort(rng.permutation(len(windows))[:most]))


def _cut(
    series: recorded.Recorded,
    file: str,
    quantity: str,
    first: int,
    last: int,
    length: int,
    flaws: Counter[str],
) -> list[RealWindow]:
    """The windows of steps ``first`` to ``last``; those that are no use are counted in ``flaws``."""
    windows = []
    for start in range(first, last - length + 1, STRIDE):
        x = series.values[start : start + length].astype(np.float64)
        missing = ~np.isfinite(x)
        if missing.mean() > MOST_MISSING:
            flaws["missing too much"] += 1
            continue
        if missing.any():
            level = float(np.nanmean(x))  # what is drawn is float32
            with _one_thread():
                x = np.where(missing, complete(x - level, seed=start)[0] + level, x)
        if np.ptp(x) <= 1e-9 * max(1e-30, float(np.abs(x).max())):
            flaws["constant"] += 1
            continue
        windows.append(
            RealWindow(
                x=x,
                interval=series.interval or 1.0,
                quantity=quantity,
                unit=series.unit,
                domain=file,
                source="own",
                licence="own",
                file=file,
            )
        )
    return windows


def _one_thread() -> threadpool_limits:
    # The analyser's matrices are small: BLAS threads that share one wait for each other, for minutes
    # a window where another program has a core.
    return threadpool_limits(limits=1, user_api="blas")


def pool_of(windows: Sequence[RealWindow], layout: Layout, encoder: SeriesEncoder) -> RealPool:
    """The windows as training takes them. Cost: some 40 ms each."""
    structures: list[npt.NDArray[np.float32]] = []
    claims = []
    for start in range(0, len(windows), CHUNK):
        part = windows[start : start + CHUNK]
        x = np.stack([w.x for w in part]).astype(np.float64)
        rows = series_encoder.encode(encoder, layout, x).astype(np.float32)
        structures.append(rows)
        for window, values, row in zip(part, x, rows, strict=True):
            with _one_thread():
                found = describe(values, window.interval)
            said = found.claims(quantity=window.quantity, unit=window.unit)
            claims.append(borne_out(said, row))
        log.info("described %d of %d windows", start + len(part), len(windows))
    return RealPool(slots_by_kind(np.concatenate(structures)), tuple(claims))
