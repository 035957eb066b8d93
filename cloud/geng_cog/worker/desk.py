"""The desk: questions in, replies out, batch by batch. Knows no network."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from geng_edge import Condition, Generator
from geng_edge.errors import GengError, MessageError
from geng_edge.wire import codes
from geng_edge.wire.answer import Answer
from geng_edge.wire.condition import Accepted, Ask, Rejected, Reply
from geng_edge.wire.fingerprint import fingerprint

log = logging.getLogger("geng_cog.worker")

_MOST_REMEMBERED = 32 * 2**20  # bytes of conditions


class Answering(Protocol):
    """What the desk asks: a Cog-LLM, or anything that answers like one."""

    def answer(self, tasks: Sequence[str], seed: int = 0) -> list[Answer]:
        """One answer for each task, in order; the same for the same task and seed."""


class Desk:
    """Turns questions into replies. Share it between threads: one batch is answered at a time.

    Attributes:
        fingerprint: Of the f that makes the conditions.
        counts: Replies by ``accepted`` or their code, and ``batches`` and ``recalled``.
        turn: Held while a batch is answered. Who must know when its turn has come takes it first.
    """

    def __init__(self, answering: Answering, generator: Generator, worker: str) -> None:
        """Take what answers, and the model whose f makes conditions.

        Args:
            answering: What answers.
            generator: Needs the extra ``text``.
            worker: Our id.
        """
        self.worker = worker
        self.fingerprint = fingerprint(generator)
        self.counts: Counter[str] = Counter()
        self._answering, self._generator = answering, generator
        self.turn = threading.RLock()
        self._known: OrderedDict[tuple[str, int], Accepted] = OrderedDict()

    def reply(self, questions: Sequence[Ask]) -> list[Reply]:
        """One reply for each question, in order. Raises nothing: what fails is rejected.

        What was answered lately is given again without asking the model, so that a question that
        comes twice costs little.
        """
        if not questions:
            return []
        with self.turn:
            self.counts["batches"] += 1
            replies = self._replies(questions)
        for reply in replies:
            self.counts[reply.code if isinstance(reply, Rejected) else "accepted"] += 1
        return replies

    def _replies(self, questions: Sequence[Ask]) -> list[Reply]:
        fresh: dict[int, list[str]] = {}
        for question in questions:
            key = (question.task, question.seed)
            tasks = fresh.setdefault(question.seed, [])
            if self._foreign(question) or question.task in tasks:
                continue
            if key in self._known:
                self._known.move_to_end(key)
                self.counts["recalled"] += 1
            else:
                tasks.append(question.task)
        refused: dict[tuple[str, int], Rejected] = {}
        for seed, tasks in fresh.items():
            for task, made in zip(tasks, self._answers(tasks, seed), strict=True):
                if isinstance(made, Rejected):
                    refused[task, seed] = made
                else:
                    self._known[task, seed] = made
        replies = [self._one(question, refused) for question in questions]
        self._forget()
        return replies

    def _forget(self) -> None:
        """The answers longest not asked for, until the rest is small enough."""
        size = sum(map(_size, self._known.values()))
        while size > _MOST_REMEMBERED:
            _, oldest = self._known.popitem(last=False)
            size -= _size(oldest)

    def _one(self, question: Ask, refused: dict[tuple[str, int], Rejected]) -> Reply:
        if self._foreign(question):
            return Rejected(
                question.transaction,
                codes.FOREIGN_MODEL,
                f"model at hand is of text expert {question.fingerprint}; it must be of "
                f"{self.fingerprint}, this worker's",
                self.worker,
            )
        key = (question.task, question.seed)
        return replace(refused.get(key) or self._known[key], transaction=question.transaction)

    def _foreign(self, question: Ask) -> bool:
        return question.fingerprint not in (None, self.fingerprint)

    def _answers(self, tasks: list[str], seed: int) -> list[Reply]:
        """Each task answered; where a batch fails, one by one, so that one task spoils no other."""
        if not tasks:
            return []
        try:
            answers = self._answering.answer(tasks, seed=seed)
            if len(answers) != len(tasks):
                raise RuntimeError(f"{len(answers)} answers to {len(tasks)} tasks")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001  whatever it is, the worker goes on
            if len(tasks) > 1:
                return [self._answers([task], seed)[0] for task in tasks]
            return [self._failed(error)]
        return [self._encoded(task, said) for task, said in zip(tasks, answers, strict=True)]

    def _encoded(self, task: str, said: Answer) -> Reply:
        try:
            conditions = tuple(
                Condition.from_text(channel.description, said.interval, self._generator)
                for channel in said.channels
            )
            return Accepted("", replace(said, task=task), conditions, self.fingerprint, self.worker)
        except Exception as error:  # noqa: BLE001  as above
            return self._failed(error)

    def _failed(self, error: Exception) -> Rejected:
        if isinstance(error, GengError):
            return Rejected("", codes.UNANSWERABLE, str(error), self.worker)
        log.error("answering failed", exc_info=error)
        return Rejected("", codes.INTERNAL, "the worker failed; its log says why", self.worker)


def check_fresh(arrived: float, life: float) -> None:
    """Refuse a question whose asker waits no longer.

    Args:
        arrived: When it came, of the monotonic clock.
        life: Seconds that it is waited for from then.

    Raises:
        MessageError: ``expired``.
    """
    waited = time.monotonic() - arrived
    if waited > life:
        raise MessageError(
            f"question waited {waited:.1f} s here; it must be answered within {life:g} s",
            codes.EXPIRED,
        )


def _size(reply: Accepted) -> int:
    return sum(condition.array.nbytes for condition in reply.conditions)
