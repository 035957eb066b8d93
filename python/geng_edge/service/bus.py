"""The bus: requests in from the broker, answers out to it.

Two threads. *Intake* reads what the link holds, writes it into the ledger in one commit, and only then tells
the broker that it may forget. *Courier* publishes: first what is said in passing (accepted, progress,
rejected, telemetry), then the answers that the ledger owes, in its order, each noted when the broker has it.
One that the broker will not take, or that breaks the connection each time, is given up for those behind it.

What is said in passing may be lost: it waits in memory, bounded, and repeats itself (an asker without an
answer asks again). A request that is refused is not in the ledger; its refusal is said once.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import logging
import threading
from collections.abc import Callable, Sequence

from geng_edge.errors import BrokerError, GengError, MessageError, OutputError
from geng_edge.mqtt.link import Broker, Incoming, Link, Outgoing
from geng_edge.service.answers import Answers, message, named, refusal
from geng_edge.service.ask import Ask, Limits
from geng_edge.service.entries import ANSWERED, ASKED, BUS, Asked, Entry
from geng_edge.service.metrics import Metrics
from geng_edge.service.outbox import Outbox
from geng_edge.service.post import Post, letter, rejection
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
#: Connections lost over one answer alone, after which that answer is what breaks them.
_MOST_LOSSES = 3
_CANCEL_BYTES = 1024
_STATUS = f"{DISCOVERY}/status"


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
        discovery: bool,
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
            discovery: Whether Home Assistant is listened to.
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
        self._doubted = 0  # up to this position one at a time: a batch with it broke a connection
        self._losses: collections.Counter[int] = collections.Counter()
        self._work = threading.Event()
        self._stopping = threading.Event()
        self._link = Link(
            broker,
            client_id=f"geng-edge-{topics.gateway}",
            subscriptions=[topics.ask, topics.cancel, *([_STATUS] if discovery else [])],
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

    @property
    def problem(self) -> BrokerError | None:
        """Why it does not; None while it does."""
        return self._link.problem

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
            self._survives(functools.partial(self._sort, incoming, requests))
        self._admit(requests)
        for incoming in batch:
            self._link.acknowledge(incoming)

    def _sort(self, incoming: Incoming, requests: list[tuple[Asked, Post]]) -> None:
        if incoming.topic == self.topics.ask:
            self._read(incoming, requests)
        elif incoming.topic == self.topics.cancel:
            self._cancel(incoming)
        elif incoming.topic == _STATUS and incoming.payload == b"online":
            self.announce()

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
            transaction = named(found.get("transaction"))
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
        while notices:
            notices = self._publish_notices(notices)

    def _publish_notices(self, notices: Sequence[Outgoing]) -> list[Outgoing]:
        """Publish; returns what is left to publish where one was too large, and nothing was sent."""
        try:
            self._link.publish_all(notices, _PATIENCE)
        except BrokerError as error:
            self.metrics.count("notice_lost")
            if "topic" not in error.facts:
                raise
            # Refused for its topic: whoever asks for such must not keep others' answers back.
            log.info("%s", error)
            if "size" in error.facts:
                return [each for each in notices if each.topic != error.facts["topic"]]
        else:
            self.metrics.count("notice")
        return []

    def _deliver(self) -> bool:
        entries = self.outbox.undelivered(_BATCH)
        if not entries:
            return False
        if len(entries) == 1 or entries[0].position <= self._doubted:
            self._deliver_singly(entries)
            return True
        try:
            letters = [letter(self.topics, entry) for entry in entries]
            self._link.publish_all(letters, _PATIENCE, again=False)
        except BrokerError as error:
            if not ("refused" in error.facts or "lost" in error.facts):
                raise
            log.info("%s", error)
            self._doubted = entries[-1].position
            self._deliver_singly(entries)
        else:
            self.outbox.delivered([entry.position for entry in entries])
            for _ in entries:
                self.metrics.count("delivered")
        return True

    def _deliver_singly(self, entries: Sequence[Entry]) -> None:
        """Where the broker will never take one of them, it is given up, and the others go on."""
        for entry in entries:
            arrived = self._send(entry)
            self.outbox.delivered([entry.position], arrived=arrived)
            self.metrics.count("delivered" if arrived else "given_up")

    def _redeliver(self, name: str) -> None:
        try:
            entry = self.outbox.get(name)
        except MessageError:
            return
        if entry.answer is not None:
            self.metrics.count("redelivered" if self._send(entry) else "given_up")

    def _send(self, entry: Entry) -> bool:
        """Publish one answer, or that it is too large; False where it is given up.

        Raises:
            BrokerError: It was not taken, and is to be tried again.
        """
        try:
            self._publish(entry)
        except BrokerError as error:
            if "lost" in error.facts:
                self._losses[entry.position] += 1
                if self._losses[entry.position] < _MOST_LOSSES:
                    raise
                fault = f"{_MOST_LOSSES} connections to the broker broke over answer {entry.id}"
                with contextlib.suppress(BrokerError):
                    self._reject(entry, MessageError(fault, codes.INTERNAL))
            elif "refused" not in error.facts:
                raise
            log.error("answer to %s is given up: %s", entry.id, error)
            arrived = False
        else:
            arrived = True
        del self._losses[entry.position]
        return arrived

    def _publish(self, entry: Entry) -> None:
        try:
            self._link.publish(letter(self.topics, entry), _PATIENCE, again=False)
        except BrokerError as error:
            if "size" not in error.facts:
                raise
            log.warning("answer to %s is rejected instead: %s", entry.id, error)
            self.metrics.count("answer_too_large")
            sentence = (
                f"answer is {error.facts['size']} bytes; the gateway's broker takes at most "
                f"{error.facts['most']}: ask for fewer or shorter series"
            )
            self._reject(entry, MessageError(sentence, codes.TOO_LARGE))

    def _reject(self, entry: Entry, error: MessageError) -> None:
        self._link.publish(rejection(self.topics, entry, error), _PATIENCE, again=False)
