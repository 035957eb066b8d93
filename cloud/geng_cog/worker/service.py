"""The worker on a broker: shares the questions of a subscription with every other worker.

A question is acknowledged to the broker when the broker has taken the answer. A worker that is killed
has acknowledged nothing of what it held: the broker keeps it in the session of our name and hands it to
the next process of that name; and a gateway that hears nothing asks again, which may reach any worker.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from geng_cog.worker.desk import Desk, check_fresh
from geng_edge.errors import ArgumentError, BrokerError, MessageError
from geng_edge.mqtt.broker import Broker
from geng_edge.mqtt.link import Link
from geng_edge.mqtt.messages import Incoming, Outgoing
from geng_edge.wire import codec, codes, topics
from geng_edge.wire.condition import (
    MOST_ASK_BYTES,
    Ask,
    Rejected,
    Reply,
    check_transaction,
    peek_transaction,
)

log = logging.getLogger("geng_cog.worker")

CONTENT_TYPE = "application/json"
STATUS_SCHEMA = "geng/v1/cloud/status"
METRICS_SCHEMA = "geng/v1/cloud/metrics"


@dataclass(frozen=True)
class Settings:
    """How a worker works.

    Attributes:
        worker: Our id; the session that outlives us has its name.
        most_batch: Questions answered together.
        linger: Seconds that the first question of a batch waits for others.
        session_expiry: Seconds that the broker keeps for us what a killed worker held.
        delivery: Seconds for the broker to take a batch of answers.
        metrics_every: Seconds between two reports.
    """

    worker: str
    most_batch: int = 16
    linger: float = 0.01
    session_expiry: int = 60
    delivery: float = 15.0
    metrics_every: float = 10.0


class Service:
    """Takes questions, batches them, publishes replies, reports."""

    def __init__(self, broker: Broker, desk: Desk, settings: Settings) -> None:
        topics.check_id(settings.worker, "worker")
        self.desk, self.settings = desk, settings
        self.counts: Counter[str] = Counter()
        self._began = time.monotonic()
        self._reported = 0.0
        status = topics.cloud_status(settings.worker)
        self.link = Link(
            broker,
            client_id=f"geng-cog-{settings.worker}",
            subscriptions=[topics.all_asks()],
            will=Outgoing(status, self._status("offline"), retain=True),
            birth=Outgoing(status, self._status("online"), retain=True),
            session_expiry=settings.session_expiry,
            inbox=4 * settings.most_batch,
            most_payload=MOST_ASK_BYTES,
        )

    def run(self, stopped: Callable[[], bool]) -> None:
        """Work until ``stopped()`` says so, looking every half second.

        Raises:
            BrokerError: The broker says that it will never let us in, or the link is dead.
        """
        with self.link:
            while not stopped():
                problem = self.link.problem
                if problem is not None and problem.facts.get("final"):
                    raise problem
                if not self.link.alive():
                    raise BrokerError(
                        "the link to the broker died; the worker must be started again"
                    )
                batch = self._gather()
                if batch:
                    self._serve(batch)
                self._report()

    def _gather(self) -> list[Incoming]:
        """What arrives within the linger of the first, up to a batch."""
        first = self.link.receive(0.5)
        if first is None:
            return []
        batch = [first]
        until = time.monotonic() + self.settings.linger
        while len(batch) < self.settings.most_batch:
            more = self.link.receive(max(0.0, until - time.monotonic()))
            if more is None:
                break
            batch.append(more)
        return batch

    def _serve(self, batch: list[Incoming]) -> None:
        read = [self._read(incoming) for incoming in batch]
        replies = iter(self.desk.reply([q for q in read if isinstance(q, Ask)]))
        messages: list[tuple[Incoming, Outgoing]] = []
        for incoming, question in zip(batch, read, strict=True):
            reply = next(replies) if isinstance(question, Ask) else question
            gateway = topics.asker(incoming.topic)
            if reply is None or gateway is None:
                self.counts["dropped"] += 1
                self.link.acknowledge(incoming)
            else:
                messages.append((incoming, _answer(gateway, reply)))
        self._deliver(messages)

    def _read(self, incoming: Incoming) -> Ask | Rejected | None:
        """The question, or its rejection, or None where nobody can be told."""
        self.counts["asked"] += 1
        self.counts["duplicates"] += incoming.duplicate
        transaction = None
        try:
            question = Ask.from_bytes(incoming.payload, incoming.size)
            transaction = question.transaction
            _check(incoming, question)
        except MessageError as error:
            self.counts[error.code] += 1
            transaction = transaction or _transaction_of(incoming)
            if transaction is None:
                return None
            return Rejected(transaction, error.code, str(error), self.settings.worker)
        return question

    def _deliver(self, messages: list[tuple[Incoming, Outgoing]]) -> None:
        """Publish, then acknowledge. What the broker will never take is acknowledged as well."""
        try:
            self.link.publish_all([outgoing for _, outgoing in messages], self.settings.delivery)
        except BrokerError as error:
            if len(messages) > 1:
                for each in messages:
                    self._deliver([each])
                return
            log.warning("%s", error)
            smaller = self._too_large(messages[0][1], error)
            if smaller is not None:
                self._deliver([(messages[0][0], smaller)])
                return
            self.counts["undelivered"] += 1
            if not error.facts.get("final"):
                return
        for incoming, _ in messages:
            self.link.acknowledge(incoming)

    def _too_large(self, answer: Outgoing, error: BrokerError) -> Outgoing | None:
        """What goes in place of an answer that is larger than the broker takes; None where it is not that."""
        if "size" not in error.facts or answer.correlation is None:
            return None
        sentence = (
            f"answer is {error.facts['size']} bytes; the cloud's broker takes at most "
            f"{error.facts['most']}"
        )
        transaction = answer.correlation.decode("ascii")
        rejected = Rejected(transaction, codes.TOO_LARGE, sentence, self.settings.worker)
        smaller = replace(answer, payload=rejected.to_bytes())
        return smaller if len(smaller.payload) < len(answer.payload) else None

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._reported < self.settings.metrics_every or not self.link.connected:
            return
        self._reported = now
        message = Outgoing(
            topics.cloud_metrics(self.settings.worker),
            codec.encode({"schema": METRICS_SCHEMA, **self.metrics()}),
            qos=0,
            content_type=CONTENT_TYPE,
        )
        try:
            self.link.publish(message, 1.0)
        except BrokerError as error:
            log.info("%s", error)

    def metrics(self) -> dict[str, object]:
        """Counters since the start, by name."""
        return {
            "worker": self.settings.worker,
            "seconds": round(time.monotonic() - self._began, 1),
            "connections": self.link.connections,
            "messages": dict(self.counts),
            "replies": dict(self.desk.counts),
        }

    def _status(self, state: str) -> bytes:
        return codec.encode(
            {
                "schema": STATUS_SCHEMA,
                "state": state,
                "worker": self.settings.worker,
                "fingerprint": self.desk.fingerprint,
            }
        )


def _answer(gateway: str, reply: Reply) -> Outgoing:
    try:
        payload = reply.to_bytes()
    except MessageError as error:
        reply = Rejected(reply.transaction, error.code, str(error), reply.worker)
        payload = reply.to_bytes()
    return Outgoing(
        topics.answer(gateway),
        payload,
        correlation=reply.transaction.encode(),
        content_type=CONTENT_TYPE,
    )


def _check(incoming: Incoming, question: Ask) -> None:
    gateway = topics.asker(incoming.topic)
    if incoming.response_topic not in (None, topics.answer(gateway or "")):
        raise MessageError(
            f"response topic is {incoming.response_topic!r}; it must be {topics.answer('<id>')} "
            "with the asker's id",
            codes.RESPONSE_TOPIC,
        )
    life = question.lifetime if incoming.expiry is None else incoming.expiry
    check_fresh(incoming.arrived, life)


def _transaction_of(incoming: Incoming) -> str | None:
    """By which the asker knows its question, where the question itself is refused."""
    try:
        return check_transaction((incoming.correlation or b"").decode("ascii"))
    except (ArgumentError, UnicodeDecodeError):
        return peek_transaction(incoming.payload)
