"""Stage two: an example guides the details of what a text asks for (GenG, two-stage guidance).

The example's window is read by the series encoder E_y; its latent is held in the sampler under the
noise of each step (replacement, Song et al. 2021), and what drove its noise partly drives the new
one. The text comes first: its numbers stand in place of the example's, and where the outcome breaks
a claim of the text, the tokens that the claim is about are left to the text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_edge import layout as at
from geng_edge.analysis.analyser import analyse
from geng_edge.claims import spanned
from geng_edge.claims_reader import read_claims
from geng_edge.errors import ArgumentError, CancelledError
from geng_edge.recorded import BEYOND
from geng_edge.request import MAX_SEED
from geng_edge.verify import Check, checks, merit

if TYPE_CHECKING:
    import numpy.typing as npt

    from geng_edge.claims import Claims
    from geng_edge.condition import Condition
    from geng_edge.generator import Generator, Progress
    from geng_edge.request import Request

#: Tokens of a latent that a broken claim leaves to the text.
_TOKENS_OF = {
    "trend": (at.TREND,),
    "period": (at.SEASON, at.SEASON_2),
    "period2": (at.SEASON, at.SEASON_2),
    "periodic": (at.SEASON, at.SEASON_2),
    "anomaly": (at.EVENTS,),
}
#: Standard deviations beyond which what drives the noise is an event of the example's own.
_EVENT = 4.0
#: Least range that varies, as a share of the largest value, of float32 and of float64.
_LEAST_RANGE = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-12}


@dataclass(frozen=True, eq=False)
class Reference:
    """An example series, read by the series encoder.

    Attributes:
        values: ``(window,)``, float32 where the caller's are, else float64.
        centre: Their mean.
        scale: A power of two near their range.
        raw: Latent of ``(values - centre) / scale`` in the default frame, ``(tokens, width)``: the
            encoder reads float32, which has no digits left for what varies on a high level.
        innovations: What drove its noise, ``(window,)``.
    """

    values: npt.NDArray[np.floating[Any]]
    centre: float
    scale: float
    raw: npt.NDArray[np.float32]
    innovations: npt.NDArray[np.float32]

    @classmethod
    def of(cls, generator: Generator, values: npt.ArrayLike) -> Reference:
        """Read an example.

        Cost: some milliseconds.

        Args:
            generator: A model with a series encoder.
            values: ``(window,)``, finite, not constant; in the unit that the text speaks of.

        Raises:
            ArgumentError: They are something else, or the model has no series encoder.
        """
        window = generator.model.window
        x = np.asarray(values)
        x = np.array(x, dtype=np.float32 if x.dtype == np.float32 else np.float64)
        if x.shape != (window,):
            raise ArgumentError(
                f"reference has shape {x.shape}; it must be ({window},), the model's window"
            )
        if not np.isfinite(x).all():
            step = int(np.argmin(np.isfinite(x)))
            raise ArgumentError(f"reference is {x[step]} at step {step}; it must be finite")
        if not np.abs(x).max() < BEYOND:
            step = int(np.argmax(np.abs(x)))
            raise ArgumentError(
                f"reference is {x[step]:g} at step {step}; it must be below {BEYOND:g}"
            )
        exact = x.astype(np.float64)
        if np.ptp(exact) <= _LEAST_RANGE[x.dtype] * float(np.abs(exact).max()):
            raise ArgumentError(f"reference is {x[0]:g} at every step; it must vary")
        centre, scale = float(exact.mean()), math.ldexp(1.0, math.frexp(np.ptp(exact))[1])
        shape = ((exact - centre) / scale).astype(np.float32)[None]
        raw = generator.model.encode_series(shape)
        return cls(x, centre, scale, raw[0], generator.model.innovations(raw, shape)[0])

    def guide(
        self,
        generator: Generator,
        condition: Condition,
        request: Request,
        interval: float,
        progress: Progress | None = None,
    ) -> npt.NDArray[np.float32]:
        """Series ``(count, window)`` that do what the text says the way the example does it.

        Cost: up to four times that of stage one, and about 10 ms of analysis for each try.

        Args:
            generator: The one that read the example.
            condition: What is asked.
            request: Settled; its strength is above 0 and its length the window.
            interval: Seconds between two steps.
            progress: Called with (series done, series) after each; return False to stop.

        Raises:
            CancelledError: ``progress`` returned False.
            NotFiniteError: The model produced NaN or infinity.
        """
        if request.strength == 1.0:
            white = self.innovations[None]
            shape = generator.model.reconstruct(self.raw[None], request.length, white)
            series = self.centre + self.scale * shape.astype(np.float64)
            return np.repeat(series.astype(np.float32), request.count, axis=0)
        # A limit or a mean that stands alone is nothing that less of the example would mend.
        claims = spanned(read_claims(generator, condition, request.length, interval))
        raw = self._in_its_unit()[None]
        latent = generator.model.express(raw, condition.array, request.length)[0]
        rows = []
        for i in range(request.count):
            one = replace(request, count=1, seed=(request.seed + i) % (MAX_SEED + 1))
            rows.append(self._row(generator, condition, one, latent, claims))
            if progress is not None and progress(i + 1, request.count) is False:
                raise CancelledError(
                    f"sampling was cancelled after series {i + 1} of {request.count}"
                )
        return np.stack(rows)

    def _row(
        self,
        generator: Generator,
        condition: Condition,
        request: Request,
        latent: npt.NDArray[np.float32],
        claims: Claims,
    ) -> npt.NDArray[np.float32]:
        """The first try that breaks no claim, or else the one that breaks fewest.

        Each try has less of the example: all of it; not what the claims are about that broke; nor
        what drove its noise; nothing. From half the strength on its latent is held to the end, or
        its phase would drift; below, it is let go the earlier the less it is to say.
        """
        model = generator.model
        let_go = round(max(0.0, 1.0 - 2.0 * request.strength) * model.train_steps) - 1
        kept: tuple[tuple[int, float], npt.NDArray[np.float32]] | None = None
        freed: set[int] = set()
        for follow in (request.strength, request.strength, 0.0, None):
            release = np.full(latent.shape, let_go, np.int32)
            release[sorted(freed)] = model.train_steps - 1
            white = self._without_events() if at.EVENTS in freed else self.innovations
            guide = None if follow is None else (latent, release, white, follow)
            x = model.sample(condition.array, 1, reference=guide, **request.settings())[0]
            found = checks(analyse(x, claims.interval), claims)
            if kept is None or merit(found) > kept[0]:
                kept = (merit(found), x)
            if all(check.held for check in found):
                break
            freed |= _about_broken(found)
        assert kept is not None
        return kept[1]

    def _in_its_unit(self) -> npt.NDArray[np.float32]:
        """The latent of the values themselves: range and lowest value are all that differ."""
        raw = self.raw.copy()
        level, span = raw[at.LEVEL], float(np.ptp(self.values.astype(np.float64)))
        level[at.RANGE] = math.log(span / at.RANGE_CENTRE) / at.RANGE_SPREAD
        level[at.LOW] = math.asinh(float(self.values.min()) / span)
        return np.clip(raw, -at.LARGEST, at.LARGEST)

    def _without_events(self) -> npt.NDArray[np.float32]:
        """The innovations without those that are too large to be noise."""
        white = self.innovations
        deviation = 1.4826 * float(np.median(np.abs(white - np.median(white))))
        most = _EVENT * max(deviation, 1e-6)
        return np.clip(white, -most, most)


def _about_broken(found: tuple[Check, ...]) -> set[int]:
    """The tokens that the broken claims are about; limits and mean hold by construction."""
    broken = (check.claim for check in found if not check.held)
    return {token for claim in broken for token in _TOKENS_OF.get(claim, ())}
