"""The reasoning of an answer, told in names that its task or its claims know.

Of a data centre the language model may begin "Dough temperature and relative humidity in a data
centre": the name of another thing's quantity, where the claims have the right one.
"""

from __future__ import annotations

import functools

from geng_cog.knowledge import scenarios
from geng_cog.statement import Statement
from geng_cog.vocabulary import content_words


def reasoned(task: str, statement: Statement) -> str:
    """The reasoning, quantities in its first words by a name that the task or the claims have.

    What begins otherwise than ``Quantity and quantity ...``, one for each channel, is left as it is.
    """
    text, named, at = statement.reasoning, [], 0
    for number, claims in enumerate(statement.channels):
        if number:
            if not text.startswith(" and ", at):
                return text
            at += len(" and ")
        said = _name_at(text, at)
        if said is None:
            return text
        at += len(said)
        ours = content_words(said) <= content_words(task) | content_words(claims.quantity)
        named.append(said if ours else claims.quantity)
    first = named[0]
    if not first[1:2].isupper():  # pH
        first = first[:1].upper() + first[1:]
    return " and ".join([first, *named[1:]]) + text[at:]


def _name_at(text: str, at: int) -> str | None:
    """The longest name of a quantity that stands there, as it is spelled in the knowledge."""
    rest = text[at:].lower()
    for name in _names():
        if rest.startswith(name.lower()) and not rest[len(name) : len(name) + 1].isalnum():
            return name
    return None


@functools.cache
def _names() -> tuple[str, ...]:
    return tuple(sorted({s.said for s in scenarios("train")}, key=len, reverse=True))
