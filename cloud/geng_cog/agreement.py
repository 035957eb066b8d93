"""Agreement: what several statements for one task have in common (self-consistency, Wang et al. 2023).

One writing of a small model is a guess; what most of several writings say is a better one. Values, periods
and waves are settled by majority, limits by their medians; times, trend and anomalies stay those of the first
writing, because the task binds them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from geng_cog.plausible import doubts, faults
from geng_cog.statement import Statement
from geng_edge.wire.answer import ChannelClaims

Word = TypeVar("Word", bound=Hashable)


def agreed(statements: Sequence[Statement]) -> tuple[int, Statement]:
    """What the statements agree on.

    Args:
        statements: One or more, of one task, the likeliest first.

    Returns:
        The number of the statement that it is made from, the first with the channels of the majority, and
        that statement with what the others of the same channels settle; unchanged where that would be
        impossible or more doubtful.
    """
    label = _most(_channels(s) for s in statements)
    alike = [s for s in statements if _channels(s) == label]
    first = alike[0]
    settled = tuple(
        _settled([s.channels[i] for s in alike], first) for i in range(len(first.channels))
    )
    found = replace(first, channels=settled)
    worse = faults(found) or len(doubts(found)) > len(doubts(first))
    return statements.index(first), first if worse else found


def _channels(statement: Statement) -> tuple[tuple[str, str], ...]:
    return tuple((c.quantity, c.unit) for c in statement.channels)


def _settled(claims: Sequence[ChannelClaims], statement: Statement) -> ChannelClaims:
    first = claims[0]
    periods = _most(c.periods for c in claims if all(p <= statement.span for p in c.periods))
    wave = _most(c.wave for c in claims if bool(c.periods) == bool(periods))
    low, high = _middle([c.low for c in claims]), _middle([c.high for c in claims])
    if low >= high:
        low, high = first.low, first.high
    noise = _most(c.noise for c in claims)
    return replace(first, periods=periods, wave=wave, low=low, high=high, noise=noise)


def _most(words: Iterable[Word]) -> Word:
    """The commonest; of equals the one that came first."""
    return Counter(words).most_common(1)[0][0]


def _middle(values: Sequence[float]) -> float:
    """The median, as one of the values: each was written as a number that can be written."""
    return sorted(values)[len(values) // 2]
