"""What goes over a link: messages to send, and messages that came."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

#: Seconds that a message is worth delivering, at most: a week.
LONGEST_EXPIRY = 604_800


@dataclass(frozen=True)
class Outgoing:
    """A message to publish.

    Everything below ``retain`` exists in MQTT 5 only; over 3.1.1 it is left out, so what a reader
    must know has to be in the payload as well.

    Attributes:
        topic: Without wildcards.
        payload: The bytes.
        qos: 0 at most once, 1 at least once. (2 is not used: ids make delivery once.)
        retain: Whether the broker keeps it for later subscribers.
        response_topic: Where an answer is wanted.
        correlation: Bytes that an answer repeats.
        expiry: Seconds after which the broker drops it undelivered.
        content_type: MIME type of the payload.
        user: User properties.
    """

    topic: str
    payload: bytes = b""
    qos: int = 1
    retain: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None
    expiry: float | None = None
    content_type: str | None = None
    user: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Incoming:
    """A message that came.

    Attributes:
        topic, qos, retain, response_topic, correlation, expiry, content_type, user: As in
            :class:`Outgoing`; ``expiry`` is what was left of it when the broker sent it.
        payload: The bytes; empty where they were more than the link takes.
        size: Bytes that the payload had.
        duplicate: The broker has sent it before.
        arrived: When, of :func:`time.monotonic`.
        handle: What the link needs to acknowledge it.
    """

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None
    expiry: float | None = None
    content_type: str | None = None
    user: tuple[tuple[str, str], ...] = ()
    size: int = 0
    duplicate: bool = False
    arrived: float = field(default_factory=time.monotonic, compare=False)
    handle: tuple[Any, int] | None = field(default=None, repr=False, compare=False)
