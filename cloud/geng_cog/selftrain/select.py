"""The stage ``select``: keep the best candidates, not too many of one quantity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from geng_cog.selftrain.candidates import Candidate


@dataclass(frozen=True)
class Bar:
    """What a candidate must reach.

    Attributes:
        grade: Least expected grade of the first round, 1 to 5.
        rise: By which it rises each round, up to ``most``.
        each: Most candidates kept of one quantity.
    """

    grade: float = 3.0
    rise: float = 0.25
    most: float = 4.2
    each: int = 24

    def of_round(self, round_: int) -> float:
        """Least expected grade of a round, counted from 1."""
        return min(self.grade + self.rise * (round_ - 1), self.most)


def select(candidates: Sequence[Candidate], round_: int, bar: Bar = Bar()) -> list[Candidate]:  # noqa: B008
    """The candidates that pass every check and reach the round's grade, the best first.

    Args:
        candidates: Scored ones.
        round_: Counted from 1; a later round asks for more.
        bar: How much.
    """
    least = bar.of_round(round_)
    good = [c for c in candidates if c.passed and (c.grade or 0.0) >= least]
    good.sort(key=lambda c: (-(c.grade or 0.0), c.document, c.task))
    taken: Counter[str] = Counter()
    seen: set[str] = set()
    kept = []
    for c in good:
        if taken[c.named] < bar.each and c.task not in seen:
            taken[c.named] += 1
            seen.add(c.task)
            kept.append(c)
    return kept
