"""Questions that a description answers: what the claims reader is asked about every text.

Each field has a fixed list of answers, the first of which is what holds when nothing is said.
Numbers are not asked for: the number reader has those.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geng_edge.claims import (
    ANYWHERE,
    COLOURS,
    NOISE_LEVELS,
    TREND_SHAPES,
    TRENDS,
    WAVES,
    Claims,
)

UNSAID = "unsaid"
POSITIONS = tuple(f"{i / 10:.1f}" for i in range(11))
_YES_NO = (UNSAID, "no", "yes")
#: Every field and its answers, in the order of the network's scores.
FIELDS: dict[str, tuple[str, ...]] = {
    "trend": (UNSAID, *TRENDS),
    "trend_shape": (UNSAID, *TREND_SHAPES),
    "periodic": _YES_NO,
    "wave": (UNSAID, *WAVES),
    "anomaly": _YES_NO,
    "spike": ("no", "yes"),
    "dip": ("no", "yes"),
    "shift up": ("no", "yes"),
    "shift down": ("no", "yes"),
    "dropout": ("no", "yes"),
    "position": (UNSAID, *POSITIONS),
    "position2": (UNSAID, *POSITIONS),
    "noise": (UNSAID, *NOISE_LEVELS),
    "colour": (UNSAID, *COLOURS),
}


def answers_of(claims: Claims) -> npt.NDArray[np.int64]:
    """The right answer of every field: int64 ``[fields]``."""
    events = claims.events or ()
    kinds = {
        f"shift {'up' if e.direction > 0 else 'down'}" if e.kind == "shift" else e.kind
        for e in events
    }
    said: dict[str, str | None] = {
        "trend": claims.trend,
        "trend_shape": claims.trend_shape,
        "periodic": None if claims.periodic is None else _yes(claims.periodic),
        "wave": claims.wave,
        "anomaly": None if claims.events is None else _yes(bool(events)),
        "noise": claims.noise,
        "colour": claims.colour,
    }
    for kind in ("spike", "dip", "shift up", "shift down", "dropout"):
        said[kind] = _yes(kind in kinds)
    for name, event in zip(("position", "position2"), events, strict=False):
        if event.tolerance < ANYWHERE:
            said[name] = f"{event.position:.1f}"
    return np.array(
        [FIELDS[name].index(said.get(name) or UNSAID) for name in FIELDS], dtype=np.int64
    )


def _yes(value: bool) -> str:
    return "yes" if value else "no"
