"""What a backend is: something that writes statements for tasks, within a grammar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from geng_cog.stated import Stated


@dataclass(frozen=True)
class Written:
    """One statement as text.

    Attributes:
        text: The statement, ``end`` included or not.
        certainty: Mean probability of the words of the quantity under the grammar, 0 to 1; None where
            the backend does not tell.
    """

    text: str
    certainty: float | None = None


class Backend(Protocol):
    """Writes statements. Names itself, so that an answer can be traced."""

    name: str

    def write(
        self, tasks: Sequence[str], stated: Sequence[Stated], seed: int, temperature: float
    ) -> list[Written]:
        """Write one statement for each task.

        Args:
            tasks: As the user wrote them.
            stated: What each states of times; the text must say the same.
            seed: Same seed, same tasks, same model: the same text.
            temperature: 0 takes the likeliest token each time.
        """
        ...
