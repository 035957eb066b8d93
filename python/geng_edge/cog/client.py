"""Asking the cloud what a series looks like, and making do with what it said last time."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from typing import final

from geng_edge.cog.kept import Answers, Kept
from geng_edge.errors import ArgumentError, BrokerError, GengError, MessageError
from geng_edge.mqtt.link import Broker, Incoming, Link, Outgoing
from geng_edge.wire import codes, topics
from geng_edge.wire.condition import (
    MOST_ANSWER_BYTES,
    SHORTEST_LIFE,
    Accepted,
    Ask,
    Rejected,
    new_transaction,
    read_reply,
)

CONTENT_TYPE = "application/json"
#: Seconds of silence after which a question is asked again; doubled each time.
_PATIENCE, _MOST_PATIENCE = 3.0, 20.0
#: Seconds that an unreachable broker is waited for, with an answer kept and without.
_REACH_WITH_ANSWER, _REACH = 3.0, 10.0
_TURN = 0.25
_RETRIED = (codes.BUSY, codes.INTERNAL)


@final
class Asker:
    """Asks over one link, one question at a time; share it between threads.

    Args:
        broker: Where.
        gateway: Our id, the one that the broker's access rules know.
        client_id: Of the connection; made up by default.
    """

    def __init__(self, broker: Broker, gateway: str, client_id: str | None = None) -> None:
        topics.check_id(gateway)
        self.gateway = gateway
        self.dropped = 0
        self._topic = topics.answer(gateway)
        self._lock = threading.Lock()
        self.link = Link(
            broker,
            client_id=client_id or f"geng-edge-{gateway}-{new_transaction()[:8]}",
            subscriptions=[self._topic],
            most_payload=MOST_ANSWER_BYTES,
            inbox=16,
        )

    def __enter__(self) -> Asker:
        self.link.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    def ask(self, question: Ask, deadline: float, patience: float = _PATIENCE) -> Accepted:
        """Ask, and ask again while nothing comes, until the deadline.

        Args:
            question: Its transaction makes one question of all attempts.
            deadline: Seconds from now.
            patience: Seconds of silence before it is asked again.

        Raises:
            BrokerError: The broker cannot be reached or refuses us, or no answer came in time.
            MessageError: The cloud rejects the task, or answers what the wire does not allow.
        """
        with self._lock:
            return self._ask(question, time.monotonic() + deadline, patience)

    def _ask(self, question: Ask, until: float, patience: float) -> Accepted:
        problem: GengError | None = None
        again, connection = 0.0, -1
        while (left := until - time.monotonic()) > 0:
            now = time.monotonic()
            if now >= again or (self.link.connected and self.link.connections != connection):
                try:
                    self.link.ready(left)
                    # Read before asking: a break after this line is one to ask again for.
                    connection = self.link.connections
                    self._send(question, until - time.monotonic())
                except BrokerError as error:
                    if error.facts.get("final") or time.monotonic() >= until:
                        raise
                again = time.monotonic() + patience
                patience = min(2 * patience, _MOST_PATIENCE)
            incoming = self.link.receive(min(_TURN, max(0.0, until - time.monotonic())))
            if incoming is None:
                continue
            reply = None
            try:
                reply = self._read(incoming, question)
            except MessageError as error:
                if incoming.correlation == question.transaction.encode():
                    raise
                problem = error
            finally:
                self.link.acknowledge(incoming)
            if isinstance(reply, Accepted):
                return reply
            if reply is not None:
                problem = MessageError(f"the cloud rejects the task: {reply.sentence}", reply.code)
                if reply.code not in _RETRIED:
                    raise problem
                again = min(again, time.monotonic() + random.uniform(0.5, 1.5))
        if problem is not None:
            raise problem
        raise BrokerError(
            f"broker {self.link.broker} brought no answer in time; a worker must be there to give one",
            transaction=question.transaction,
        )

    def _send(self, question: Ask, left: float) -> None:
        asked = Outgoing(
            topics.ask(self.gateway),
            question.to_bytes(),
            response_topic=self._topic,
            correlation=question.transaction.encode(),
            expiry=question.lifetime,
            content_type=CONTENT_TYPE,
        )
        self.link.publish(asked, max(0.0, left))

    def _read(self, incoming: Incoming, question: Ask) -> Accepted | Rejected | None:
        """The reply to this question; None where it is to another."""
        other = incoming.correlation not in (None, question.transaction.encode())
        reply = None if other else read_reply(incoming.payload, incoming.size)
        if reply is None or reply.transaction != question.transaction:
            self.dropped += 1  # of a neighbour process, or come twice
            return None
        if isinstance(reply, Accepted):
            if reply.answer.task != question.task:
                raise MessageError("answer is to another task; it must be to ours", codes.SCHEMA)
            if question.fingerprint is not None:
                reply.check_model(question.fingerprint)
        return reply


@dataclass(frozen=True)
class Fetched:
    """An answer and where it is from.

    Attributes:
        reply: The answer with its conditions.
        age: Seconds that it was kept; None where the cloud just gave it.
        reason: Why the cloud did not; empty where it did.
    """

    reply: Accepted
    age: float | None = None
    reason: str = ""


def fetch(
    task: str,
    *,
    fingerprint: str,
    gateway: str,
    broker: Broker | None,
    deadline: float = 60.0,
    seed: int = 0,
    answers: Answers | None = None,
) -> Fetched:
    """A condition for a task: from the cloud, or, where it is gone, as it was answered before.

    Args:
        task: What is wanted, as the user wrote it.
        fingerprint: Of the f of the model at hand (:mod:`geng_edge.wire.fingerprint`).
        gateway: Our id.
        broker: Where to ask; None asks nobody and looks on the disk alone.
        deadline: Seconds from now, for all of it; at most the longest lifetime of a question. A broker
            that cannot be reached costs ten of them at most, three where an answer is kept.
        seed: Another one for another answer.
        answers: Where they are kept; at home by default.

    Raises:
        ArgumentError: The task or the gateway's id is none, or the deadline is no time.
        BrokerError: No cloud and no kept answer.
        MessageError: The cloud rejects the task or answers for another model.
    """
    answers = answers if answers is not None else Answers.at_home()
    question = Ask(task, seed=seed, lifetime=max(deadline, SHORTEST_LIFE), fingerprint=fingerprint)
    topics.check_id(gateway)
    if deadline <= 0:
        raise ArgumentError(f"deadline is {deadline:g}; it must be more than 0 seconds")
    kept = answers.recall(task, fingerprint, seed)
    if broker is None:
        return _made_do(kept, BrokerError("no broker is asked and no answer to this task is kept"))
    try:
        with Asker(broker, gateway) as asker:
            began = time.monotonic()
            asker.link.ready(min(deadline, _REACH if kept is None else _REACH_WITH_ANSWER))
            reply = asker.ask(question, deadline - (time.monotonic() - began))
    except BrokerError as error:
        return _made_do(kept, error)
    except MessageError as error:
        if error.code not in _RETRIED:
            raise
        return _made_do(kept, error)
    answers.keep(reply, seed)
    return Fetched(reply)


def _made_do(kept: Kept | None, error: GengError) -> Fetched:
    if kept is None:
        raise error
    return Fetched(kept.reply, kept.age, str(error))
