"""Real windows for training: described by analysis, encoded by E_y, kept in a cache."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from geng_edge.claims import Claims, Event, by_kind
from geng_export.data.dataset import RealPool
from geng_export.data.describe import describe
from geng_export.data.real import RealWindow, windows
from geng_export.models import layout as at
from geng_export.models import series_encoder
from geng_export.models.layout import Layout
from geng_export.models.series_encoder import SeriesEncoder

log = logging.getLogger(__name__)

#: Domains differ by a hundredfold in what they offer; none may drown the others.
WINDOWS_PER_DOMAIN = 450
WINDOWS_PER_FILE = 60
CHUNK = 64
#: Relative difference under which two periods are one.
SAME_PERIOD = 0.03


def chosen_windows(folder: str, seed: int = 0) -> list[RealWindow]:
    """Training windows of permitted sources, at most so many per file and domain."""
    by_file: dict[str, list[RealWindow]] = defaultdict(list)
    for window in windows(folder, split="train", permitted_only=True):
        by_file[window.file].append(window)
    rng = np.random.default_rng(seed)
    by_domain: dict[str, list[RealWindow]] = defaultdict(list)
    for found in by_file.values():
        keep = rng.permutation(len(found))[:WINDOWS_PER_FILE]
        by_domain[found[0].domain].extend(found[i] for i in keep)
    chosen: list[RealWindow] = []
    for found in by_domain.values():
        keep = rng.permutation(len(found))[:WINDOWS_PER_DOMAIN]
        chosen.extend(found[i] for i in keep)
    return chosen


def analysed_windows(folder: str, layout: Layout, encoder: SeriesEncoder, cache: Path) -> RealPool:
    """The pool of ``folder``, from ``cache`` when it was made before.

    Cost: some 40 ms a window the first time.
    """
    if not cache.exists():
        _describe(folder, layout, encoder, cache)
    with np.load(cache, allow_pickle=False) as kept:
        rows = json.loads(str(kept["claims"]))
        structures = kept["structures"]
    agreed = [borne_out(_claims(row), s) for row, s in zip(rows, structures, strict=True)]
    return RealPool(slots_by_kind(structures), tuple(agreed))


def borne_out(claims: Claims, structure: npt.NDArray[np.float32]) -> Claims:
    """The claims that the encoded structure shows as well; the rest is left unsaid.

    Analyser and encoder look at a real window in different ways. A description that speaks of an
    event which the latent carries in its residual would teach the bridge not to listen.
    """
    kinds = {
        at.EVENT_KINDS[int(row[: len(at.EVENT_KINDS)].argmax())]
        for row in (structure[at.EVENTS, : at.EVENT_WIDTH], structure[at.EVENTS, at.EVENT_WIDTH :])
    } - {"none"}
    said = {event.kind for event in claims.events or ()}
    seasons = structure[[at.SEASON_1, at.SEASON_2]]
    encoded = [float(s[at.PERIOD]) for s in seasons if s[at.AMPLITUDE] > at.AMPLITUDE_FLOOR]
    same = len(encoded) == len(claims.periods) and all(
        abs(a / b - 1.0) < SAME_PERIOD for a, b in zip(encoded, claims.periods, strict=True)
    )
    return replace(
        claims,
        events=by_kind(claims.events) if claims.events is not None and said == kinds else None,
        periodic=claims.periodic if same else None,
        periods=claims.periods if same else (),
        noise=None,
        noise_std=None,
        colour=None,
    )


def slots_by_kind(structures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Structures ``[n, tokens, width]`` whose events stand as in :func:`geng_edge.claims.by_kind`.

    The encoder proposes two events in any order.
    """
    ordered = structures.copy()
    rows = ordered[:, at.EVENTS]
    first, second = (
        rows[:, i * at.EVENT_WIDTH :][:, : len(at.EVENT_KINDS)].argmax(axis=1) for i in (0, 1)
    )
    turned = (first > second) & (second > at.EVENT_KINDS.index("none"))
    pair = rows[turned, : 2 * at.EVENT_WIDTH]
    rows[turned, : 2 * at.EVENT_WIDTH] = np.roll(pair, at.EVENT_WIDTH, axis=1)
    return ordered


def _describe(folder: str, layout: Layout, encoder: SeriesEncoder, cache: Path) -> None:
    chosen = chosen_windows(folder)
    structures, claims = [], []
    for start in range(0, len(chosen), CHUNK):
        part = chosen[start : start + CHUNK]
        x = np.stack([w.x for w in part]).astype(np.float64)
        structures.append(series_encoder.encode(encoder, layout, x).astype(np.float32))
        for window, values in zip(part, x, strict=True):
            found = describe(values, window.interval)
            claims.append(found.claims(quantity=window.quantity, unit=window.unit))
        if start % (CHUNK * 10) == 0:
            log.info("analysed %d of %d real windows", start + len(part), len(chosen))
    beside = cache.with_suffix(".tmp.npz")
    text = json.dumps([asdict(c) for c in claims])
    np.savez_compressed(beside, structures=np.concatenate(structures), claims=np.array(text))
    beside.replace(cache)


def _claims(row: dict[str, object]) -> Claims:
    """Claims as JSON wrote them."""
    events = row.pop("events")
    periods = row.pop("periods")
    return Claims(
        **row,  # type: ignore[arg-type]
        periods=tuple(periods),  # type: ignore[arg-type]
        events=None if events is None else tuple(Event(**e) for e in events),  # type: ignore[attr-defined]
    )
