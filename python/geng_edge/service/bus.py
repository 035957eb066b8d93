"""The bus: requests in from the broker, answers out to it.

Two threads. *Intake* reads what the link holds, writes it into the ledger in one commit, and only then tells
the broker that it may forget. *Courier* publishes: first what is said in passing (accepted, progress,
rejected, telemetry), then the answers that the ledger owes, in its order, each noted when the broker has it.

What is said in passing may be lost: it waits in memory, bounded, and repeats itself (an asker without an
answer asks again). A request that is refused is not in the ledger; its refusal is said once.
"""

from __future__ import annotations

import collections
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from geng_edge.errors import BrokerError, GengError, MessageError, OutputError
from geng_edge.mqtt.link import Broker, Incoming, Link, Outgoing
from geng_edge.service.answers import JSON, Answers, message, refusal
from geng_edge.service.ask import Ask, Limits
from geng_edge.service.entries import ANSWERED, ASKED, BUS, Asked, Entry
from geng_edge.service.metrics import Metrics
from geng_edge.service.outbox import Outbox
from geng_edge.service.topics import DISCOVERY, Topics
from geng_edge.wire import codec, codes, fields
from geng_edge.wire.condition import check_transaction

log = logging.getLogger("geng_edge.service")

CANCEL_SCHEMA = "geng/v1/series/cancel"
_TURN = 0.25
_PATIENCE = 5.0
_SESSION = 86_400
_MOST_INBOX = 32
_MOST_NOTICES = 512
_MOST_AGAIN = 256
_BATCH = 16
_CANCEL_BYTES = 1024


@dataclass(frozen=True)
class Post:
    """Where an answer goes on the bus: the response topic of MQTT 5, or the topic of its status."""

    topic: str
    correlation: bytes | None

    def outgoing(
        self,
        topics: Topics,
        transaction: str,
        status: str,
        payload: bytes,
        content_type: str = JSON,
        qos: int = 1,
        position: int = 0,
    ) -> Outgoing:
        """The message; its properties say of MQTT 5 what the topic says of 3.1.1."""
        user = (("transaction", transaction), ("status", status), ("position", str(position)))
        return Outgoing(
            self.topic or topics.answer(transaction, status),
            payload,
            qos,
            correlation=self.correlation,
            content_type=content_type,
            user=user,
        )


class Bus:
    """One gateway's life on a broker."""

    def __init__(
        self,
        broker: Broker,
        topics: Topics,
        outbox: Outbox,
        answers: Answers,
        limits: Limits,
        metrics: Metrics,
        *,
        birth: dict[str, object],
    ) -> None:
        """Prepare; :meth:`start` connects.

        Args:
            broker: Where.
            topics: Of this gateway.
            outbox: The ledger.
            answers: Checks what needs the model to be checked.
            limits: Of a request.
            metrics: Counts.
            birth: What is said of this gateway while it is online.
        """
        self.topics, self.outbox, self.answers = topics, outbox, answers
        self.limits, self.metrics = limits, metrics
        self.asked: Callable[[], None] = lambda: None
        self.cancel: Callable[[str], bool] = lambda _name: False
        self.announce: Callable[[], None] = lambda: None
        self.check_replay: Callable[[str], None] = lambda _name: None
        self._notices: collections.deque[Outgoing] = collections.deque()
        self._again: collections.deque[str] = collections.deque(maxlen=_MOST_AGAIN)
        self._connections = 0
        self._work = threading.Event()
        self._stopping = threading.Event()
        self._link = Link(
            broker,
            client_id=f"geng-edge-{topics.gateway}",
            subscriptions=[topics.ask, topics.cancel, f"{DISCOVERY}/status"],
            will=Outgoing(topics.status, codec.encode({"state": "offline"}), 1, retain=True),
            birth=Outgoing(
                topics.status, codec.encode({"state": "online", **birth}), 1, retain=True
            ),
            session_expiry=_SESSION,
            inbox=_MOST_INBOX,
            most_payload=limits.payload,
        )
        self._threads = [
            threading.Thread(target=self._loop, args=(turn,), name=name, daemon=True)
            for name, turn in (("intake", self._take_in), ("courier", self._carry_out))
        ]

    def start(self) -> None:
        """Connect, take in, carry out; returns at once."""
        self._link.__enter__()
        for thread in self._threads:
            thread.start()

    def stop(self, deadline: float) -> None:
        """Say goodbye. What is not delivered stays in the ledger."""
        self._stopping.set()
        self._work.set()
        for thread in self._threads:
            thread.join(deadline)
        self._link.close()

    @property
    def connected(self) -> bool:
        """Whether the broker listens."""
        return self._link.connected

    def alive(self) -> bool:
        """Whether everything here still works at its task, connected or not."""
        return self._link.alive() and all(thread.is_alive() for thread in self._threads)

    def say(self, notice: Outgoing) -> None:
        """Have something published in passing; dropped, and counted, where too much waits."""
        if len(self._notices) >= _MOST_NOTICES:
            self.metrics.count("notice_dropped")
            return
        self._notices.append(notice)
        self._work.set()

    def hear(self, entry: Entry, done: int, steps: int) -> None:
        """Tell the asker how far a request is."""
        if entry.road == BUS:
            payload = message(entry.id, "progress", done=done, of=steps)
            self._notice(Post(entry.topic, entry.correlation), entry.id, "progress", payload, 0)

    def wake(self) -> None:
        """There may be an answer to deliver."""
        self._work.set()

    def _notice(
        self, post: Post, transaction: str, status: str, payload: bytes, qos: int = 1
    ) -> None:
        self.say(post.outgoing(self.topics, transaction, status, payload, qos=qos))

    def _loop(self, turn: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            if not self._survives(turn):
                self._stopping.wait(_TURN)

    def _survives(self, turn: Callable[[], None]) -> bool:
        try:
            turn()
        except (BrokerError, OutputError) as error:
            log.info("%s", error)
        except Exception:
            log.exception("the bus goes on after a fault")
        else:
            return True
        return False

    # ----------------------------------------------------------------- intake

    def _take_in(self) -> None:
        first = self._link.receive(_TURN)
        if first is None:
            return
        batch = [first]
        while len(batch) < _MOST_INBOX and (more := self._link.receive(0)) is not None:
            batch.append(more)
        requests: list[tuple[Asked, Post]] = []
        for incoming in batch:
            if incoming.topic == self.topics.ask:
                self._read(incoming, requests)
            elif incoming.topic == self.topics.cancel:
                self._cancel(incoming)
            elif incoming.topic == f"{DISCOVERY}/status" and incoming.payload == b"online":
                self.announce()
        self._admit(requests)
        for incoming in batch:
            self._link.acknowledge(incoming)

    def _read(self, incoming: Incoming, requests: list[tuple[Asked, Post]]) -> None:
        """One message to a request, or to a refusal."""
        post = Post("", incoming.correlation)
        transaction = ""
        try:
            if incoming.response_topic:
                post = Post(
                    self.topics.check_response(incoming.response_topic), incoming.correlation
                )
            if incoming.retain:
                raise MessageError(
                    "request is retained; it must not be, or each start asks it", codes.SCHEMA
                )
            size = incoming.size or len(incoming.payload)
            found = codec.load(incoming.payload, self.limits.payload, size=size)
            transaction = _named(found.get("transaction"))
            ask = Ask.from_dict(found, self.limits)
            self.answers.check(ask)
            if ask.replay is not None:
                self.check_replay(ask.replay.sensor)
            requests.append((ask.asked(BUS, post.topic, post.correlation), post))
        except GengError as error:
            self.metrics.refused(BUS, error.code)
            self._notice(post, transaction, "rejected", refusal(error, transaction))

    def _admit(self, requests: Sequence[tuple[Asked, Post]]) -> None:
        if not requests:
            return
        try:
            found = self.outbox.ask([asked for asked, _ in requests])
        except OutputError as error:
            log.error("%s", error)
            found = [MessageError(str(error), error.code)] * len(requests)
        for (asked, post), entry in zip(requests, found, strict=True):
            if isinstance(entry, MessageError):
                self.metrics.refused(BUS, entry.code)
                self._notice(post, asked.id, "rejected", refusal(entry, asked.id))
            elif entry.state == ASKED:
                payload = message(asked.id, "accepted", position=entry.position)
                self._notice(post, asked.id, "accepted", payload)
            elif entry.state != ANSWERED:
                self._again.append(asked.id)
                self._work.set()
        self.asked()

    def _cancel(self, incoming: Incoming) -> None:
        try:
            found = codec.decode(
                incoming.payload, _CANCEL_BYTES, CANCEL_SCHEMA, size=incoming.size or None
            )
            fields.keys(found, "cancel", ("schema", "transaction"))
            self.cancel(check_transaction(found["transaction"]))
        except GengError as error:
            self.metrics.refused(BUS, error.code)

    # ---------------------------------------------------------------- courier

    def _carry_out(self) -> None:
        self._work.clear()  # before the look: what comes after it wakes again
        if self._link.connections != self._connections:
            self._connections = self._link.connections
            self.announce()  # the broker may have lost what it retained
        self._pass_on()
        carried = self._deliver()
        while self._again and not self._stopping.is_set():
            self._redeliver(self._again[0])
            self._again.popleft()
        if not carried and not self._notices:
            self._work.wait(_TURN)

    def _pass_on(self) -> None:
        notices = [self._notices.popleft() for _ in range(min(len(self._notices), 4 * _BATCH))]
        if not notices:
            return
        try:
            self._link.publish_all(notices, _PATIENCE)
        except BrokerError as error:
            self.metrics.count("notice_lost")
            if "topic" not in error.facts:
                raise
            # Refused for its topic: whoever asks for such must not keep others' answers back.
            log.info("%s", error)
        else:
            self.metrics.count("notice")

    def _deliver(self) -> bool:
        entries = self.outbox.undelivered(_BATCH)
        if not entries:
            return False
        try:
            self._link.publish_all([self._letter(entry) for entry in entries], _PATIENCE)
        except BrokerError as error:
            if "topic" not in error.facts or not error.facts.get("final"):
                raise
            self._deliver_singly(entries)
        else:
            self.outbox.delivered([entry.position for entry in entries])
        for _ in entries:
            self.metrics.count("delivered")
        return True

    def _deliver_singly(self, entries: Sequence[Entry]) -> None:
        """Where the broker will never take one of them, it is given up, and the others go on."""
        for entry in entries:
            arrived = True
            try:
                self._link.publish(self._letter(entry), _PATIENCE)
            except BrokerError as error:
                if "topic" not in error.facts or not error.facts.get("final"):
                    raise
                log.error("answer to %s is given up: %s", entry.id, error)
                arrived = False
            self.outbox.delivered([entry.position], arrived=arrived)

    def _redeliver(self, name: str) -> None:
        try:
            entry = self.outbox.get(name)
        except MessageError:
            return
        if entry.answer is not None:
            self._link.publish(self._letter(entry), _PATIENCE)
            self.metrics.count("redelivered")

    def _letter(self, entry: Entry) -> Outgoing:
        status = "rejected" if entry.code else "result"
        return Post(entry.topic, entry.correlation).outgoing(
            self.topics,
            entry.id,
            status,
            entry.answer or b"",
            entry.content_type,
            position=entry.position,
        )


def _named(value: object) -> str:
    """The transaction of a message that may be refused: empty where it is none."""
    try:
        return check_transaction(value)
    except GengError:
        return ""
