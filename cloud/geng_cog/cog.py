"""Cog-LLM: a task in words becomes answers that the edge can generate from.

    task -> stated times -> backend writes a statement within the grammar -> checked -> Answer

The description of each channel is rendered from the claims, so that both say the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from geng_cog.backends.protocol import Backend, Written
from geng_cog.describe import describe
from geng_cog.following import unfollowed
from geng_cog.knowledge import Scenario, by_label, scenarios
from geng_cog.named import read_quantities
from geng_cog.plausible import faults
from geng_cog.reasoning import reasoned
from geng_cog.stated import read_stated
from geng_cog.statement import Statement, parse
from geng_cog.vocabulary import content_words, known_words
from geng_edge.errors import ArgumentError
from geng_edge.request import MAX_SEED, check_whole
from geng_edge.wire.answer import MOST_REASONING, Answer, Channel

BACKENDS = ("embedded", "transformers", "openai")
MOST_TASKS = 4096
#: Below this probability of the quantity an answer is called unsure. Chosen on the tuning set.
LEAST_CERTAINTY = 0.35


class Cog:
    """Answers tasks. Holds one backend; share it, but call it from one thread at a time.

    Example:
        >>> from geng_cog.cog import Cog
        >>> cog = Cog.load()
        >>> answer = cog.answer(["temperature sensor in a family home, one week, every 10 minutes"])[0]
        >>> answer.steps, answer.channels[0].claims.periods
        (1008, (86400.0,))
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @classmethod
    def load(cls, backend: str = "embedded", **settings: Any) -> Cog:
        """Load a backend by its name.

        Args:
            backend: ``embedded``, ``transformers`` or ``openai``.
            settings: Of the backend: ``folder`` of the embedded one, ``model`` of transformers,
                ``url`` and ``model`` of openai; each class says more.

        Raises:
            ArgumentError: There is no such backend.
            MissingExtraError: A package that it needs is not installed.
            ModelFileError: Its model is missing or not whole.
        """
        made: Backend
        if backend == "embedded":
            from geng_cog.backends.embedded import EmbeddedBackend

            made = EmbeddedBackend(**settings)
        elif backend == "transformers":
            from geng_cog.backends.hub import TransformersBackend

            made = TransformersBackend(**settings)
        elif backend == "openai":
            from geng_cog.backends.openai import OpenAIBackend

            made = OpenAIBackend(**settings)
        else:
            raise ArgumentError(
                f"backend is {backend!r}; it must be one of {', '.join(BACKENDS)}", name="backend"
            )
        return cls(made)

    def answer(
        self, tasks: Sequence[str], seed: int = 0, *, temperature: float = 0.0
    ) -> list[Answer]:
        """Answer tasks, all in one go.

        Cost of the embedded backend: 0.4 s of one core for one task and 11 s for 64 of them, 0.12 and
        0.6 s without votes; loading takes 2 to 3 s, most of it the import of torch.

        Args:
            tasks: 1 to 4096 texts of 1 to 2000 characters.
            seed: Of the draws; at temperature 0 only votes are drawn.
            temperature: 0 takes the likeliest token each time, or what the embedded backend's votes
                agree on; up to 2.

        Returns:
            One answer for each task, in their order.

        Raises:
            ArgumentError: A task is no task, or states times that cannot be.
            BrokerError: The endpoint of the backend cannot be reached or answers nonsense.
        """
        check_whole("seed", seed, 0, MAX_SEED)
        check_whole("tasks", len(tasks), 1, MOST_TASKS)
        if not 0.0 <= temperature <= 2.0:
            raise ArgumentError(
                f"temperature is {temperature}; it must be 0 to 2", name="temperature"
            )
        stated = [read_stated(task) for task in tasks]
        written = self.backend.write(list(tasks), stated, seed, temperature)
        return [settled(task, text) for task, text in zip(tasks, written, strict=True)]


def settled(task: str, written: Written) -> Answer:
    """The answer that a written statement makes.

    Raises:
        ArgumentError: It does not parse, or says what cannot be.
    """
    statement = parse(written.text)
    wrong = faults(statement)
    if wrong:
        raise ArgumentError(f"the answer is impossible: {wrong[0]}")
    known, left = is_sure(task, written.certainty), unfollowed(task, statement)
    said = [reasoned(task, statement), *([] if known else [_analogy(task, statement)]), *left]
    reasoning = " ".join(said)[:MOST_REASONING]
    channels: list[Channel] = []
    names: set[str] = set()
    for claims in statement.channels:
        name = _name(claims.quantity, names)
        channels.append(Channel(name, describe(claims), claims))
    return Answer(
        task, reasoning, known and not left, statement.span, statement.interval, tuple(channels)
    )


def is_sure(task: str, certainty: float | None) -> bool:
    """Whether the answer is more than a guess: its words are known and its quantity is likely.

    Where the task names neither quantity nor device, unknown words leave nothing to be certain of.
    """
    known = content_words(task) <= known_words()
    if not known and not read_quantities(task):
        return False
    if certainty is None:
        return known
    return certainty >= LEAST_CERTAINTY and (known or certainty >= 1.0 - LEAST_CERTAINTY / 2.0)


def _analogy(task: str, statement: Statement) -> str:
    near = nearest(task, statement)
    if near is None:
        return "Nothing like it is known here, so this is a guess."
    return f"No such device is known here: this is by analogy with {near.said} {near.where}."


def nearest(task: str, statement: Statement) -> Scenario | None:
    """The known scenario of the same quantity that shares most words with the task."""
    claims = statement.channels[0]
    kind = by_label().get(f"{claims.quantity} [{claims.unit}]")
    words = content_words(task)
    same = [s for s in scenarios("train") if kind is not None and s.kind.key == kind.key]
    if not same:
        return None
    middle = (claims.low + claims.high) / 2.0

    def likeness(s: Scenario) -> tuple[int, float]:
        shared = len(words & content_words(f"{s.device} {s.place}"))
        return shared, -abs((s.low[0] + s.low[1] + s.span[0]) / 2.0 - middle)

    return max(same, key=likeness)


def _name(quantity: str, taken: set[str]) -> str:
    """A channel name of letters, digits, blanks, dots or hyphens, not yet taken."""
    plain = re.sub(r"[^\w .-]", " ", quantity).strip()[:36]
    name = plain if plain[:1].isalpha() else f"x {plain}"
    for number in range(2, 10):
        if name not in taken:
            break
        name = f"{plain} {number}"
    taken.add(name)
    return name
