"""Agreement: what several statements for one task have in common (self-consistency, Wang et al. 2023).

One writing of a small model is a guess; what most of several writings say is a better one. Times, periods and
trend hang together, for a record shows some periods and not others: they are taken from the writing whose
choices of them most others share. Then every word is settled by majority, limits by their medians; times and
anomalies stay those of that writing.
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
        The number of the statement that it is made from, of those with the channels of the majority the
        one that most others back, and that statement with what the others of the same channels settle;
        unchanged where that would be impossible or more doubtful.
    """
    label = _most(_channels(s) for s in statements)
    alike = [s for s in statements if _channels(s) == label]
    backing = Counter(choice for s in alike for choice in _choices(s))
    first = max(alike, key=lambda s: sum(backing[choice] for choice in _choices(s)))
    ahead = [first, *(s for s in alike if s is not first)]  # where as many say the one as the other
    settled = tuple(
        _settled([s.channels[i] for s in ahead], first) for i in range(len(first.channels))
    )
    found = replace(first, channels=settled)
    worse = faults(found) or len(doubts(found)) > len(doubts(first))
    return statements.index(first), first if worse else found


def _channels(statement: Statement) -> tuple[tuple[str, str], ...]:
    return tuple((c.quantity, c.unit) for c in statement.channels)


def _choices(statement: Statement) -> list[tuple[Hashable, ...]]:
    """What one writing chose that another may have chosen too, each with the name of what it is."""
    return [
        ("span", statement.span),
        ("interval", statement.interval),
        *(("periods", i, c.periods) for i, c in enumerate(statement.channels)),
        *(("trend", i, c.trend) for i, c in enumerate(statement.channels)),
    ]


def _settled(claims: Sequence[ChannelClaims], statement: Statement) -> ChannelClaims:
    first = claims[0]
    periods = _most(c.periods for c in claims if all(p <= statement.span for p in c.periods))
    wave = _most(c.wave for c in claims if bool(c.periods) == bool(periods))
    low, high = _middle([c.low for c in claims]), _middle([c.high for c in claims])
    if low >= high:
        low, high = first.low, first.high
    noise, trend = _most(c.noise for c in claims), _most(c.trend for c in claims)
    return replace(first, trend=trend, periods=periods, wave=wave, low=low, high=high, noise=noise)


def _most(words: Iterable[Word]) -> Word:
    """The commonest; of equals the one that came first."""
    return Counter(words).most_common(1)[0][0]


def _middle(values: Sequence[float]) -> float:
    """The median, as one of the values: each was written as a number that can be written."""
    return sorted(values)[len(values) // 2]
