"""The stage ``select``: keep the best candidates, not too many of one quantity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from geng_cog.selftrain.candidates import Candidate


@dataclass(frozen=True)
class Bar:
    """How many are kept.

    Attributes:
        best: Share of the candidates that pass every check, those of the highest grades, that the
            first round keeps.
        fall: By which the share falls each round; ``least`` is its end.
        each: Most candidates kept of one quantity.
    """

    best: float = 1.0
    fall: float = 0.05
    least: float = 0.5
    each: int = 24

    def of_round(self, round_: int) -> float:
        """Share kept in a round, counted from 1."""
        return max(self.best - self.fall * (round_ - 1), self.least)


#: What the published figures were made with.
BAR = Bar()


def select(candidates: Sequence[Candidate], round_: int, bar: Bar = BAR) -> list[Candidate]:
    """The candidates that pass every check and are graded best, the best first.

    Args:
        candidates: Scored ones.
        round_: Counted from 1; a later round is stricter.
        bar: How much.
    """
    good = [c for c in candidates if c.passed]
    good.sort(key=lambda c: (-c.merit, c.document, c.task))
    good = good[: round(bar.of_round(round_) * len(good))]
    taken: Counter[str] = Counter()
    seen: set[str] = set()
    kept = []
    for c in good:
        if taken[c.named] < bar.each and c.task not in seen:
            taken[c.named] += 1
            seen.add(c.task)
            kept.append(c)
    return kept
