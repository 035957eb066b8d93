"""What stands in the ledger: requests, their answers, and how much of both it holds."""

from __future__ import annotations

from dataclasses import dataclass

#: States of an entry, in their order.
ASKED, ANSWERED, DELIVERED = "asked", "answered", "delivered"
#: Roads that an answer goes.
BUS, HTTP = "mqtt", "http"
#: Times a request may be begun and not be done, before it is taken for what brings the process down.
MOST_TRIES = 3


@dataclass(frozen=True)
class Bounds:
    """How much the outbox holds.

    Attributes:
        rows: Entries, answered ones included.
        size: Bytes of requests and answers together, reserved room included.
        waiting: Entries that are not answered yet: the queue.
        uncollected: Seconds after which an answer that no HTTP caller came for counts as delivered.
    """

    rows: int = 20_000
    size: int = 64 * 2**20
    waiting: int = 256
    uncollected: float = 600.0


@dataclass(frozen=True)
class Asked:
    """A request as it is admitted.

    Attributes:
        id: The caller's name for it.
        road: ``mqtt`` or ``http``: where the answer goes.
        body: What the worker reads again after a restart.
        digest: sha256 of everything that makes it this request.
        deadline: Seconds since the epoch.
        reserve: Bytes that are kept for its answer.
        topic, correlation: Where on the bus the answer goes.
    """

    id: str
    road: str
    body: bytes
    digest: bytes
    deadline: float
    reserve: int
    topic: str = ""
    correlation: bytes | None = None


@dataclass(frozen=True)
class Answered:
    """An answer as it is stored; ``code`` is empty for a result."""

    position: int
    answer: bytes
    content_type: str
    code: str = ""


@dataclass(frozen=True)
class Entry:
    """One row of the ledger. ``code`` is empty for a result; body and answer are None once dropped."""

    position: int
    id: str
    road: str
    body: bytes | None
    topic: str
    correlation: bytes | None
    asked: float
    deadline: float
    state: str
    tries: int
    code: str
    content_type: str
    answer: bytes | None
