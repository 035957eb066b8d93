"""One connection to a broker, from CONNECT until it breaks. It is not mended but replaced.

paho's own reconnecting is not used: its delays have no jitter, a publish of a caller who gave up would
be sent again, and a network thread that died stays dead. A new client each time leaves nothing behind
but the session that the broker keeps.

Callbacks run on paho's network thread: they store and return, so that keepalive is never late.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from geng_edge.errors import BrokerError, MissingExtraError
from geng_edge.mqtt.broker import Broker
from geng_edge.mqtt.messages import LONGEST_EXPIRY, Incoming, Outgoing

log = logging.getLogger("geng_edge.mqtt")

MOST_USER_PROPERTIES = 16
_OVERHEAD = 65_536  # what topic and properties may add to a payload
_HEADER = 9  # most bytes of a PUBLISH beside topic, properties and payload
_TURN = 0.25  # seconds between two looks at whether the connection still stands
_FAREWELL = 1.0
#: CONNACK codes that trying again does not mend: protocol version, client id, name or password, ACL.
_FINAL = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C})
_OLD_PROTOCOL, _TAKEN_OVER = 0x84, 0x8E


@dataclass(frozen=True)
class Terms:
    """How a link wants its connections.

    Attributes:
        client_id: Known to the broker by it.
        subscriptions: Filters, at QoS 1.
        session_expiry: Seconds that the broker keeps the session of a lost connection; 0 for none.
        keepalive: Seconds of silence after which either side takes the other for dead.
        timeout: Seconds for each step of connecting.
        inbox: Messages that may wait here, or be unacknowledged.
        most_payload: Bytes of a payload; a larger one arrives empty.
        will: What the broker says when the connection breaks.
    """

    client_id: str
    subscriptions: tuple[str, ...]
    session_expiry: int
    keepalive: int
    timeout: float
    inbox: int
    most_payload: int
    will: Outgoing | None


class Connection:
    """One paho client and its network thread."""

    def __init__(
        self, broker: Broker, terms: Terms, inbox: queue.Queue[Incoming], version: int
    ) -> None:
        self.broker, self.terms, self.inbox, self.version = broker, terms, inbox, version
        #: Whether there was no room for a message that the broker will send again.
        self.owed = False
        #: Whether another client of our id threw us out.
        self.taken = False
        #: Whether it broke, and was not ended by us; what the broker said of it, empty for nothing.
        self.broken, self.reason = False, ""
        #: Bytes of a packet that the broker takes; None where it does not say (3.1.1 never does).
        self.most_packet: int | None = None
        self._acknowledged = threading.Event()
        self._granted = threading.Event()
        self._gone = threading.Event()
        self._problem: BrokerError | None = None
        self._refusals: dict[int, str] = {}
        self._thread: threading.Thread | None = None
        self._client = self._make_client()

    def open(self) -> None:
        """Connect and subscribe; returns when the broker has granted every subscription.

        Raises:
            BrokerError: It did not. ``facts["final"]`` where trying again is of no use.
        """
        name = f"broker {self.broker}"
        clean: dict[str, Any] = {}
        if self.version == 5:
            clean = {
                "clean_start": self.terms.session_expiry == 0,
                "properties": self._connect_properties(),
            }
        try:
            self._client.connect(
                self.broker.host, self.broker.port, keepalive=self.terms.keepalive, **clean
            )
        except (OSError, ValueError) as error:  # ValueError: a host that is no name
            why = getattr(error, "strerror", None) or error
            raise BrokerError(
                f"{name} cannot be reached: {why}; it must accept a connection",
                final=isinstance(error, ssl.SSLCertVerificationError),
            ) from error
        self._client.loop_start()
        self._await(self._acknowledged, f"{name} did not answer within {self.terms.timeout:g} s")
        if self.terms.subscriptions:
            filters = [(name, 1) for name in self.terms.subscriptions]
            self._client.subscribe(filters)
            self._await(
                self._granted, f"{name} granted no subscription in {self.terms.timeout:g} s"
            )

    @property
    def stands(self) -> bool:
        """Whether messages go through; False for ever once it broke."""
        thread = self._thread
        return not self._gone.is_set() and thread is not None and thread.is_alive()

    def publish(self, messages: Sequence[Outgoing], until: float) -> bool:
        """Publish and wait until the broker has them.

        Args:
            messages: In order.
            until: When to give up, of :func:`time.monotonic`.

        Returns:
            False where the connection broke before; any of them may have arrived.

        Raises:
            BrokerError: The broker refused one, or the time is up. Or one is larger than the broker
                takes, ``facts["size"]``; nothing was sent then. ``facts["refused"]`` where
                the same message would be refused again.
        """
        packets = [(message, self._publish_properties(message)) for message in messages]
        for message, properties in packets:
            self._check_size(message, properties)
        sent = []
        for message, properties in packets:
            info = self._client.publish(
                message.topic,
                message.payload,
                message.qos,
                message.retain,
                properties=properties,
            )
            sent.append((message, info))
        try:
            return all(self._taken(message, info, until) for message, info in sent)
        finally:
            for _, info in sent:
                self._refusals.pop(info.mid, None)

    def _taken(self, message: Outgoing, info: Any, until: float) -> bool:
        """Whether the broker took one message, as soon as that is known."""
        while not _is_published(info):
            if not self.stands or info.rc != 0:
                return False
            left = until - time.monotonic()
            if left <= 0:
                raise BrokerError(
                    f"broker {self.broker} did not take a message on {message.topic} in time; "
                    "it must",
                    topic=message.topic,
                )
            with contextlib.suppress(RuntimeError, ValueError):
                info.wait_for_publish(min(_TURN, left))
        refusal = self._refusals.get(info.mid)
        if refusal is not None:
            raise BrokerError(
                f"broker {self.broker} refuses a message on {message.topic}: {refusal}; "
                "its access rules must allow it",
                topic=message.topic,
                final=True,
                refused=True,
            )
        return True

    def _check_size(self, message: Outgoing, properties: Any) -> None:
        if self.most_packet is None:  # as it always is over 3.1.1, where there are no properties
            return
        size = _HEADER + len(message.topic.encode()) + len(properties.pack()) + len(message.payload)
        if size > self.most_packet:
            raise BrokerError(
                f"message on {message.topic} is {size} bytes; broker {self.broker} takes at most "
                f"{self.most_packet}",
                topic=message.topic,
                size=size,
                most=self.most_packet,
                final=True,
                refused=True,
            )

    def acknowledge(self, mid: int, qos: int) -> None:
        """Tell the broker that a message of this connection is dealt with."""
        if self.stands:
            self._client.ack(mid, qos)

    def close(self, farewell: Sequence[Outgoing] = ()) -> None:
        """Say goodbye if the broker still listens; returns within about two seconds."""
        if self.stands:
            with contextlib.suppress(BrokerError):
                self.publish(farewell, time.monotonic() + _FAREWELL)
            self._client.disconnect()
            self._gone.wait(_FAREWELL)
        self._gone.set()
        # loop_stop joins without a deadline, so the loop gets a dead socket first, and we our own.
        with contextlib.suppress(OSError, AttributeError):
            self._client.socket().shutdown(socket.SHUT_RDWR)
        stopper = threading.Thread(target=self._client.loop_stop, daemon=True)
        stopper.start()
        stopper.join(_FAREWELL)
        with contextlib.suppress(OSError, AttributeError):
            self._client.socket().close()
        # paho closes its inner sockets when it is freed: at once, without a cycle through us.
        for name in ("connect", "disconnect", "subscribe", "publish", "message"):
            setattr(self._client, f"on_{name}", None)

    def _await(self, event: threading.Event, sentence: str) -> None:
        until = time.monotonic() + self.terms.timeout
        while not event.wait(0.05) and self._problem is None and not self._gone.is_set():
            if time.monotonic() > until:
                raise BrokerError(f"{sentence}; it must")
        if self._problem is not None:
            raise self._problem
        if not event.is_set():
            raise BrokerError(f"broker {self.broker} closed the connection; it must stay open")

    def _make_client(self) -> Any:
        from paho.mqtt import client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        terms = self.terms
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=terms.client_id,
            clean_session=None if self.version == 5 else terms.session_expiry == 0,
            protocol=mqtt.MQTTv5 if self.version == 5 else mqtt.MQTTv311,
            reconnect_on_failure=False,
        )
        client.manual_ack_set(True)
        client.max_queued_messages_set(1000)
        client.connect_timeout = terms.timeout
        if self.broker.tls is not None:
            client.tls_set_context(self.broker.tls)
        if self.broker.username is not None:
            client.username_pw_set(self.broker.username, self.broker.password)
        if terms.will is not None:
            will = terms.will
            properties = self._publish_properties(will, will=True)
            client.will_set(will.topic, will.payload, will.qos, will.retain, properties=properties)
        client.on_socket_open = _without_delay
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    def _connect_properties(self) -> Any:
        properties = _properties("CONNECT")
        properties.SessionExpiryInterval = self.terms.session_expiry
        # The broker stops sending where we would have to throw away.
        properties.ReceiveMaximum = self.terms.inbox
        properties.MaximumPacketSize = self.terms.most_payload + _OVERHEAD
        return properties

    def _publish_properties(self, message: Outgoing, *, will: bool = False) -> Any:
        if self.version != 5:
            return None
        properties = _properties("WILLMESSAGE" if will else "PUBLISH")
        if message.response_topic is not None:
            properties.ResponseTopic = message.response_topic
        if message.correlation is not None:
            properties.CorrelationData = message.correlation
        if message.expiry is not None:
            properties.MessageExpiryInterval = int(min(max(1, message.expiry), LONGEST_EXPIRY))
        if message.content_type is not None:
            properties.ContentType = message.content_type
        if message.user:
            properties.UserProperty = list(message.user)
        return properties

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, more: Any) -> None:
        self._thread = threading.current_thread()
        self.most_packet = getattr(more, "MaximumPacketSize", None)
        if reason.is_failure:
            self._problem = BrokerError(
                f"broker {self.broker} refuses the connection: {reason}; name, password, "
                "certificate and client id must be ones that it knows",
                reason=str(reason),
                final=reason.value in _FINAL,
                old=reason.value == _OLD_PROTOCOL,
            )
        self._acknowledged.set()

    def _on_disconnect(self, _client: Any, _data: Any, flags: Any, reason: Any, _more: Any) -> None:
        log.debug("connection to %s ended: %s", self.broker, reason)
        self.taken = reason.value == _TAKEN_OVER
        if flags.is_disconnect_packet_from_server:
            self.reason = str(reason)
        self.broken = bool(self.reason) or reason.is_failure
        self._gone.set()

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, reasons: Any, _more: Any) -> None:
        for name, reason in zip(self.terms.subscriptions, reasons, strict=False):
            if reason.is_failure:
                self._problem = BrokerError(
                    f"broker {self.broker} refuses the subscription {name}: {reason}; "
                    "its access rules must allow it",
                    topic=name,
                    final=True,
                )
        self._granted.set()

    def _on_publish(self, _client: Any, _data: Any, mid: int, reason: Any, _more: Any) -> None:
        if reason.is_failure:
            self._refusals[mid] = str(reason)

    def _on_message(self, client: Any, _data: Any, message: Any) -> None:
        try:
            incoming = self._read(message)
        except UnicodeDecodeError:
            client.ack(message.mid, message.qos)  # no topic of ours; it may go
            return
        try:
            self.inbox.put_nowait(incoming)
        except queue.Full:
            self.owed = self.owed or incoming.qos > 0

    def _read(self, message: Any) -> Incoming:
        size = len(message.payload)
        more = message.properties
        user = getattr(more, "UserProperty", None) or ()
        return Incoming(
            topic=message.topic,
            payload=bytes(message.payload) if size <= self.terms.most_payload else b"",
            qos=message.qos,
            retain=bool(message.retain),
            response_topic=getattr(more, "ResponseTopic", None),
            correlation=getattr(more, "CorrelationData", None),
            expiry=getattr(more, "MessageExpiryInterval", None),
            content_type=getattr(more, "ContentType", None),
            user=tuple((str(k), str(v)) for k, v in user[:MOST_USER_PROPERTIES]),
            size=size,
            duplicate=bool(message.dup),
            handle=(self, message.mid),
        )


def check_available() -> None:
    """Refuse to go on without paho.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import paho.mqtt.client  # noqa: F401  only whether it is there
    except ImportError as error:
        raise MissingExtraError(
            "paho-mqtt is not installed; a broker needs it: pip install 'geng-edge[mqtt]'",
            extra="mqtt",
        ) from error


def _is_published(info: Any) -> bool:
    with contextlib.suppress(RuntimeError, ValueError):  # what paho could not send it will not say
        return bool(info.is_published())
    return False


def _properties(packet: str) -> Any:
    from paho.mqtt import packettypes, properties

    make: Any = properties.Properties  # published without types
    return make(getattr(packettypes.PacketTypes, packet))


def _without_delay(_client: Any, _data: Any, opened: Any) -> None:
    # Small packets that wait for the acknowledgement of the one before cost 40 ms each way.
    with contextlib.suppress(OSError, AttributeError):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
