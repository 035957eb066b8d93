"""Stage two: an example guides the details of what a text asks for (GenG, two-stage guidance).

The example's window is read by the series encoder E_y; its latent is held in the sampler under the
noise of each step (replacement, Song et al. 2021), and what drove its noise partly drives the new
one. The text comes first: its numbers stand in place of the example's, and where the outcome breaks
a claim of the text, the tokens that the claim is about are left to the text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from geng_edge import layout as at
from geng_edge.analysis.analyser import analyse
from geng_edge.claims import spanned
from geng_edge.claims_reader import read_claims
from geng_edge.errors import ArgumentError, CancelledError
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


@dataclass(frozen=True, eq=False)
class Reference:
    """An example series, read by the series encoder.

    Attributes:
        values: Float32 ``(window,)``.
        raw: Its latent in the default frame, ``(tokens, width)``.
        innovations: What drove its noise, ``(window,)``.
    """

    values: npt.NDArray[np.float32]
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
        x = np.ascontiguousarray(values, dtype=np.float32)
        if x.shape != (window,):
            raise ArgumentError(
                f"reference has shape {x.shape}; it must be ({window},), the model's window"
            )
        if not np.isfinite(x).all():
            step = int(np.argmin(np.isfinite(x)))
            raise ArgumentError(f"reference is {x[step]} at step {step}; it must be finite")
        if np.ptp(x.astype(np.float64)) <= 1e-6 * max(1e-30, float(np.abs(x).max())):
            raise ArgumentError(f"reference is {x[0]:g} at every step; it must vary")
        raw = generator.model.encode_series(x[None])
        return cls(x, raw[0], generator.model.innovations(raw, x[None])[0])

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
            series = generator.model.reconstruct(self.raw[None], request.length, white)
            return np.repeat(series, request.count, axis=0)
        # A limit or a mean that stands alone is nothing that less of the example would mend.
        claims = spanned(read_claims(generator, condition, request.length, interval))
        latent = generator.model.express(self.raw[None], condition.array, request.length)[0]
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
