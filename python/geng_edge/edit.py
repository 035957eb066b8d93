"""Editing: a text says what is to be different about a series; everything else stays as it is.

The series encoder E_y reads the series, the bridge draws a latent for the text, and the tokens that
the text's claims are about are taken from there: the trend, the seasons, one event. What drove the
series' noise drives it again, so that outside the edit the values are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_edge import layout as at
from geng_edge.analysis.analyser import analyse
from geng_edge.claims import Claims, spanned
from geng_edge.claims_reader import read_claims
from geng_edge.completion import complete, range_of, rounded
from geng_edge.errors import ArgumentError
from geng_edge.request import MAX_SEED, Request
from geng_edge.verify import Check, checks, merit

if TYPE_CHECKING:
    import numpy.typing as npt

    from geng_edge.condition import Condition
    from geng_edge.generator import Generator
    from geng_edge.reference import Reference

#: Anomalies may hide others, and a trend: how often they are looked for.
PASSES = 6
#: By this much larger an event is tried the next time.
GROWTH = 0.25
#: Tries, each with a seed of its own, for an edit that shows; the first that does is kept.
TRIES = 8


@dataclass(frozen=True)
class Edited:
    """An edited series.

    Attributes:
        values: ``(window,)``, float32 where the series is, else float64 and what changed rounded to a
            millionth of the range or less.
        checks: What was asked, beside what the result shows.
    """

    values: npt.NDArray[np.floating[Any]]
    checks: tuple[Check, ...]

    @property
    def held(self) -> bool:
        """Whether everything that was asked shows."""
        return all(check.held for check in self.checks)


def edit(
    generator: Generator,
    reference: Reference,
    condition: Condition,
    *,
    interval: float = 1.0,
    seed: int = 0,
) -> Edited:
    """Change what the text states, and nothing else.

    A text may state a trend, a period or that there is none, one event or that there is none,
    limits (low and high) and a mean between them; a limit or a mean alone is only checked. It says
    how the series is to be, not what to take away: "no trend" rather than "remove the trend".

    Cost: up to eight times that of one series and its analysis, 20 ms each on one slow core.

    Args:
        generator: The one that read the series.
        reference: The series.
        condition: The text.
        interval: Seconds between two steps.
        seed: Of the first try.

    Raises:
        ArgumentError: The text states nothing that could be edited.
        NotFiniteError: The model produced NaN or infinity.
    """
    length = len(reference.values)
    stated = read_claims(generator, condition, length, interval)
    # "a dip to 3" is read as a lone limit: nothing that the whole series should be moved for.
    claims = spanned(stated)
    if not checks(analyse(reference.values, interval), claims):
        raise ArgumentError(
            "text states nothing to edit; it must state a trend, a period, an event or both limits"
        )
    best: Edited | None = None
    for k in range(TRIES):
        request = Request(length=length, seed=(seed + k) % (MAX_SEED + 1))
        request = request.settled(generator.distilled)
        latent = generator.model.sample_latent(condition.array, 1, **request.settings())
        drawn = generator.model.restate(latent, condition.array, length)[0]
        # What did not show the last time is drawn larger.
        drawn[at.EVENTS, at.SIZES] *= 1.0 + GROWTH * k
        raw = _merged(reference.raw, drawn, claims)
        x = _rendered(generator, reference, raw, claims)
        if claims.events == ():
            x = _without_anomalies(x, request.seed)
        if claims.trend == "none":
            x = _without_line(x)
        values = _kept(reference.values, _moved(x, claims))
        tried = Edited(values, checks(analyse(values, interval), claims))
        if best is None or merit(tried.checks) > merit(best.checks):
            best = tried
        if best.held:
            break
    assert best is not None
    return Edited(best.values, checks(analyse(best.values, interval), stated))


def _merged(
    raw: npt.NDArray[np.float32], drawn: npt.NDArray[np.float32], claims: Claims
) -> npt.NDArray[np.float32]:
    """The latent of the series with what is claimed from the one drawn for the text."""
    merged = raw.copy()
    if claims.trend in ("up", "down"):
        merged[at.TREND] = drawn[at.TREND]
    if claims.periodic is not None:
        merged[at.SEASON : at.SEASON_2 + 1] = drawn[at.SEASON : at.SEASON_2 + 1]
    if claims.events:
        own, new = (row[at.EVENTS, : at.EVENT_SLOTS * at.EVENT_WIDTH].reshape(-1, at.EVENT_WIDTH)
                    for row in (merged, drawn))  # fmt: skip
        own[_free_slot(own)] = new[_shown_slot(new)]
    return merged


def _free_slot(events: npt.NDArray[np.float32]) -> int:
    """The slot with least to lose: one without an event, else the smaller event's."""
    sizes = np.where(events[:, 0] >= events[:, 1:5].max(axis=1), 0.0, np.abs(events[:, 7]) + 1e-6)
    return int(np.argmin(sizes))


def _shown_slot(events: npt.NDArray[np.float32]) -> int:
    """The slot that surely holds an event."""
    return int(np.argmax(events[:, 1:5].max(axis=1) - events[:, 0]))


def _rendered(
    generator: Generator,
    reference: Reference,
    raw: npt.NDArray[np.float32],
    claims: Claims,
) -> npt.NDArray[np.float64]:
    """The latent driven by the series' own noise, and what of the series no latent holds."""
    changed, same = generator.model.reconstruct(
        np.stack([raw, reference.raw]),
        len(reference.values),
        np.stack([reference.innovations] * 2),
    )
    change = reference.scale * (changed.astype(np.float64) - same)
    if claims.events and claims.trend is None and claims.periodic is None:
        # D_y keeps the mean; here it is the steps away from the event that stay.
        change -= change[-1] if claims.events[0].position < 0.1 else change[0]
    return np.asarray(reference.values + change)


def _without_anomalies(x: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    """What anomalies cover is drawn anew from what surrounds it; level shifts are taken back."""
    for again in range(PASSES):
        found = analyse(x).events
        if not found:
            break
        x = x.copy()
        covered = np.zeros(len(x), dtype=np.bool_)
        steps = np.arange(len(x))
        for event in found:
            place = event.position * (len(x) - 1)
            if event.kind == "shift":
                rise = np.clip((steps - place) / max(event.width, 1.0) + 0.5, 0.0, 1.0)
                x -= event.size * rise
                covered |= np.abs(steps - place) <= event.width
            elif event.kind == "dropout":
                covered |= (steps >= place - 1.0) & (steps <= place + event.width)
            else:
                covered |= np.abs(steps - place) <= (1.5 + 0.5 * again) * event.width + 1.0
        x[covered] = np.nan
        x = complete(x, seed=seed)[0].astype(np.float64)
    return x


def _without_line(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The series less the change that its analysis finds from end to end; its mean stays."""
    for _ in range(PASSES):
        found = analyse(x)
        if found.trend == "none":
            break
        x = x - found.change * np.linspace(-0.5, 0.5, len(x))
    return x


def _moved(x: npt.NDArray[np.float64], claims: Claims) -> npt.NDArray[np.float64]:
    """Laid between the limits that are asked, and to the mean as far as those leave it free."""
    if claims.low is not None and claims.high is not None:
        span = float(np.ptp(x))
        share = (x - x.min()) / span if span > 0.0 else np.full(len(x), 0.5)
        if claims.mean is not None:
            share = _bent(share, (claims.mean - claims.low) / (claims.high - claims.low))
        x = claims.low + share * (claims.high - claims.low)
    return x


def _kept(
    own: npt.NDArray[np.floating[Any]], x: npt.NDArray[np.float64]
) -> npt.NDArray[np.floating[Any]]:
    """What a series became, in its own type; of float64, what did not change has every digit it had."""
    if own.dtype == np.float32:
        return x.astype(np.float32)
    scale = range_of(x)
    return np.where(rounded(x - own, scale) == 0.0, own, rounded(x, scale))


def _bent(share: npt.NDArray[np.float64], mean: float) -> npt.NDArray[np.float64]:
    """``share ** g`` with the g that gives the mean: the bend of the decoder's own calibration."""
    low, high = -5.0, 5.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (
            (middle, high) if float((share ** np.exp(middle)).mean()) > mean else (low, middle)
        )
    return np.asarray(share ** np.exp((low + high) / 2.0))
