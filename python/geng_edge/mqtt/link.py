"""A link: messages to and from a broker, over connections that come and go.

One thread keeps a connection standing: it opens one, watches it and its network thread, and when
either is dead opens the next after a random delay (full jitter: a thousand gateways whose broker comes
back do not all knock at once). Every call takes a deadline, in seconds from now.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import final

from geng_edge.errors import ArgumentError, BrokerError
from geng_edge.mqtt.broker import Broker
from geng_edge.mqtt.connection import Connection, Terms, check_available
from geng_edge.mqtt.messages import Incoming, Outgoing

__all__ = ["Broker", "Incoming", "Link", "Outgoing"]

log = logging.getLogger("geng_edge.mqtt")

_FIRST_DELAY, _LONGEST_DELAY = 0.5, 30.0
_TURN = 0.1
#: Seconds after which a connection that breaks counts as one that worked.
_A_WHILE = 1.0
#: Turns that the inbox stays empty before what it had no room for is asked for again.
_SETTLED = 5
#: Seconds without a sign of the keeper after which a link counts as dead.
_SILENCE = 60.0
_MOST_INBOX = 65_535


@final
class Link:
    """A broker as a place to publish to and receive from. A context manager.

    Entering starts connecting and does not wait. ``publish`` and ``receive`` may be called from any
    thread, but from no callback.

    Example:
        >>> from geng_edge.mqtt.link import Broker, Link, Outgoing
        >>> broker = Broker.parse("mqtt://broker.local")
        >>> with Link(broker, client_id="pi-7", subscriptions=["geng/v1/edge/pi-7/#"]) as link:
        ...     link.publish(Outgoing("geng/v1/edge/pi-7/hello", b"{}"), 5.0)  # doctest: +SKIP
        ...     message = link.receive(1.0)                                    # doctest: +SKIP
    """

    def __init__(
        self,
        broker: Broker,
        *,
        client_id: str,
        subscriptions: Sequence[str] = (),
        will: Outgoing | None = None,
        birth: Outgoing | None = None,
        session_expiry: int = 0,
        keepalive: int = 30,
        timeout: float = 5.0,
        inbox: int = 64,
        most_payload: int = 8 * 2**20,
        longest_delay: float = _LONGEST_DELAY,
    ) -> None:
        """Prepare; nothing connects yet.

        Args:
            broker: Where.
            client_id: Unique at this broker: a second link of the same id throws the first out,
                which then stops where the broker says why (mosquitto 2.0 does not).
            subscriptions: Filters, at QoS 1, subscribed anew on each connection.
            will: What the broker publishes when the connection breaks, and we when the link closes.
            birth: What is published on each new connection, after the subscriptions.
            session_expiry: Seconds that the broker keeps what comes for us while we are away. 0: none.
            keepalive: Seconds; half as much again passes before a silent side counts as dead.
            timeout: Seconds for each step of connecting.
            inbox: Messages that wait for ``receive`` or are unacknowledged, at most.
            most_payload: Bytes; a larger payload arrives empty, with its ``size``.
            longest_delay: Seconds between two attempts to connect, at most.

        Raises:
            ArgumentError: The inbox is no number of messages.
            MissingExtraError: ``paho-mqtt`` is not installed.
        """
        check_available()
        if not 1 <= inbox <= _MOST_INBOX:
            raise ArgumentError(f"inbox is {inbox}; it must be 1 to {_MOST_INBOX}")
        self.broker = broker
        self.terms = Terms(client_id, tuple(subscriptions), session_expiry, keepalive, timeout,
                           inbox, most_payload, will)  # fmt: skip
        self.connections = 0
        self._birth = birth
        self._longest_delay = longest_delay
        self._inbox: queue.Queue[Incoming] = queue.Queue(inbox)
        self._version = broker.version or 5
        self._connection: Connection | None = None
        self._problem: BrokerError | None = None
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._sign = time.monotonic()
        self._keeper = threading.Thread(target=self._keep, name=f"link {client_id}", daemon=True)

    def __enter__(self) -> Link:
        self._keeper.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Publish the will as a goodbye, disconnect, stop. Takes a few seconds at most."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        if self._keeper.is_alive():
            self._keeper.join(3 * self.terms.timeout)

    @property
    def connected(self) -> bool:
        """Whether the broker has granted everything and still listens."""
        connection = self._connection
        return connection is not None and connection.stands

    @property
    def problem(self) -> BrokerError | None:
        """Why there is no connection; None while there is one."""
        return None if self.connected else self._problem

    def alive(self) -> bool:
        """Whether the link still works at being connected: what a watchdog asks."""
        return self._keeper.is_alive() and time.monotonic() - self._sign < _SILENCE

    def ready(self, deadline: float) -> None:
        """Wait until connected.

        Args:
            deadline: Seconds from now.

        Raises:
            BrokerError: It is not by then, or the broker says that it never will be (a wrong
                password, an unknown certificate).
        """
        self._wait(time.monotonic() + deadline)

    def publish(self, message: Outgoing, deadline: float, *, again: bool = True) -> None:
        """Publish one message; see :meth:`publish_all`."""
        self.publish_all((message,), deadline, again=again)

    def publish_all(
        self, messages: Sequence[Outgoing], deadline: float, *, again: bool = True
    ) -> None:
        """Publish; returns when the broker has acknowledged every one.

        Where a connection breaks meanwhile, all are published again over the next: receivers know
        a message of QoS 1 by its id.

        Args:
            messages: In order.
            deadline: Seconds from now.
            again: False where the caller must know of a connection that broke meanwhile, because one
                of the messages may be what breaks it.

        Raises:
            ArgumentError: A topic holds a wildcard, or a QoS is not 0 or 1. Nothing was sent.
            BrokerError: The broker refused one (``facts["refused"]``), or the time is up, or, with
                ``again`` False, the connection broke (``facts["lost"]``); some may have been
                delivered. Or one is larger than the broker takes (``facts["size"]``), and nothing
                was sent.
        """
        for message in messages:
            if not message.topic or any(c in message.topic for c in "+#\0"):
                raise ArgumentError(f"topic is {message.topic!r}; it must have no + or #")
            if message.qos not in (0, 1):
                raise ArgumentError(f"qos is {message.qos}; it must be 0 or 1")
        until = time.monotonic() + deadline
        while not (connection := self._wait(until)).publish(messages, until):
            time.sleep(_TURN)  # until it is known how it ended
            if connection.broken and not again:
                raise BrokerError(
                    f"{self._lost(connection)}; it must take what it is sent", lost=True
                )

    def receive(self, deadline: float) -> Incoming | None:
        """The next message.

        Args:
            deadline: Seconds from now; 0 looks only.

        Returns:
            None where none came by then. Acknowledge it when its work is stored, or the broker
            sends it again to the next connection of this client id.
        """
        try:
            return self._inbox.get(timeout=deadline) if deadline > 0 else self._inbox.get_nowait()
        except queue.Empty:
            return None

    def acknowledge(self, incoming: Incoming) -> None:
        """Tell the broker that a message is dealt with.

        It is told to the connection that brought it, which may still be opening: what the broker kept
        for us comes before the subscriptions are granted. Of a connection that is gone nothing is
        acknowledged, and the broker delivers that message again.
        """
        if incoming.handle is not None and incoming.qos:
            opened, mid = incoming.handle
            opened.acknowledge(mid, incoming.qos)

    def _wait(self, until: float) -> Connection:
        while True:
            connection = self._connection
            if connection is not None and connection.stands:
                return connection
            problem = self._problem
            if problem is not None and problem.facts.get("final"):
                raise problem
            left = until - time.monotonic()
            if self._closing.is_set() or left <= 0:
                raise problem or BrokerError(
                    f"broker {self.broker} was not reached in time; it must accept a connection"
                )
            with self._changed:
                self._changed.wait(min(left, _TURN))

    def _keep(self) -> None:
        attempt = 0
        while not self._closing.is_set():
            self._sign = time.monotonic()
            try:
                attempt = 0 if self._open_and_watch() else attempt + 1
            except BrokerError as error:
                self._problem = error
                log.info("%s", error)
                attempt += 1
            except Exception as error:  # paho's or ours: the link goes on, and says so
                self._problem = BrokerError(f"link to {self.broker} failed: {error!r}; see the log")
                log.exception("link to %s failed", self.broker)
                attempt += 1
            if self._closing.is_set() or (self._problem and self._problem.facts.get("taken")):
                return
            longest = min(self._longest_delay, _FIRST_DELAY * 2.0 ** min(attempt, 16))
            self._closing.wait(random.uniform(0.0, longest))

    def _open_and_watch(self) -> bool:
        """One connection from its beginning to its end; whether it stood for a while."""
        connection = Connection(self.broker, self.terms, self._inbox, self._version)
        try:
            try:
                connection.open()
            except BrokerError as error:
                if error.facts.get("old") and self._version == 5 and self.broker.version is None:
                    log.info("broker %s speaks no MQTT 5; trying 3.1.1", self.broker)
                    self._version = 3
                    return True
                raise
            self._announce(connection)
            self.connections += 1
            self._connection, self._problem = connection, None
            with self._changed:
                self._changed.notify_all()
            began = time.monotonic()
            self._watch(connection)
            stood = time.monotonic() - began > _A_WHILE
            if connection.taken:
                # Coming back would throw the other out, and it us, for ever.
                raise BrokerError(
                    f"another client came to broker {self.broker} as {self.terms.client_id}; "
                    "each must have a name of its own",
                    final=True,
                    taken=True,
                )
            if not self._closing.is_set():
                self._problem = BrokerError(self._lost(connection))
                if not stood:
                    guess = (f"; another client may be {self.terms.client_id} too, or the broker "
                             "refuses what it was sent")  # fmt: skip
                    log.warning("%s, at once%s", self._problem, "" if connection.reason else guess)
            return stood
        finally:
            self._connection = None
            goodbye = (self.terms.will,) if self.terms.will is not None else ()
            connection.close(goodbye if self._closing.is_set() else ())

    def _announce(self, connection: Connection) -> None:
        if self._birth is None:
            return
        try:
            connection.publish((self._birth,), time.monotonic() + self.terms.timeout)
        except BrokerError as error:
            # Why there is no link: whoever publishes meets it, and must not take it for his message's.
            raise BrokerError(str(error), final=bool(error.facts.get("final"))) from error

    def _lost(self, connection: Connection) -> str:
        said = f": the broker says {connection.reason}" if connection.reason else ""
        return f"connection to broker {self.broker} is lost{said}"

    def _watch(self, connection: Connection) -> None:
        """Return when the connection is dead, or of no more use."""
        empty = 0
        while connection.stands and not self._closing.wait(_TURN):
            self._sign = time.monotonic()
            # A broker that heeds no receive maximum (3.1.1) sends more than fits. It sends what was
            # dropped again over the next connection, once the acknowledgements of the rest are out.
            empty = empty + 1 if connection.owed and self._inbox.empty() else 0
            if empty > _SETTLED:
                return
