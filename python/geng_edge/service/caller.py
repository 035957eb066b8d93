"""The other side: asking a gateway over a broker, and taking each answer once.

It keeps the two rules that the outbox's promise asks of others (:mod:`geng_edge.service.outbox`): what is not
answered is asked again, unchanged, and a second answer to the same transaction is dropped. It keeps what it
knows in memory; a receiver that must not forget when it ends itself writes the transaction to its disk
together with what it does with the answer, before it takes the next.
"""

from __future__ import annotations

import collections
import time
from dataclasses import dataclass
from typing import Any, final

from geng_edge.errors import BrokerError, MessageError
from geng_edge.mqtt.link import Broker, Incoming, Link, Outgoing
from geng_edge.service.answers import ANSWER_SCHEMA
from geng_edge.service.ask import SCHEMA
from geng_edge.service.topics import Topics
from geng_edge.wire import codec, codes
from geng_edge.wire.condition import new_transaction

_MOST_ANSWER = 64 * 2**20
_REMEMBERED = 100_000
#: Seconds of silence after which a request is sent again, doubled each time up to the second figure.
_FIRST_SILENCE, _LONGEST_SILENCE = 2.0, 30.0
_TURN = 0.25


@dataclass(frozen=True)
class Result:
    """One answer.

    Attributes:
        transaction: Of the request.
        code: Empty for a series; else why there is none.
        payload: The series in the format asked for, or the rejection.
        content_type: Of the payload.
        position: Place in the gateway's ledger.
    """

    transaction: str
    code: str
    payload: bytes
    content_type: str = ""
    position: int = 0


@dataclass
class _Open:
    payload: bytes
    again: float
    silence: float


@final
class Caller:
    """Asks one gateway over MQTT 5, and hands out each answer once. A context manager, for one thread."""

    def __init__(self, broker: Broker, gateway: str, client_id: str | None = None) -> None:
        """Prepare; entering connects.

        Args:
            broker: Where.
            gateway: Id of the gateway.
            client_id: Of this caller; with the same one its session outlasts its process.
        """
        self.topics = Topics(gateway)
        self.duplicates = self.sent = 0
        self._open: dict[str, _Open] = {}
        self._had: collections.OrderedDict[str, None] = collections.OrderedDict()
        self._way = self.topics.answer(client_id or f"caller-{new_transaction()[:12]}", "+")
        self._back = self._way[:-1] + "all"
        self._link = Link(
            broker,
            client_id=f"geng-{self._way.rsplit('/', 2)[1]}",
            subscriptions=[self._way],
            session_expiry=3600,
            most_payload=_MOST_ANSWER,
        )

    def __enter__(self) -> Caller:
        self._link.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._link.close()

    @property
    def waiting(self) -> int:
        """Requests without an answer."""
        return len(self._open)

    def ask(self, **request: Any) -> str:
        """Send a request; see :mod:`geng_edge.service.ask` for its keys.

        Returns:
            Its transaction.
        """
        request = {"schema": SCHEMA, "transaction": new_transaction(), **request}
        name = str(request["transaction"])
        waiting = _Open(codec.encode(request), 0.0, _FIRST_SILENCE)
        self._open[name] = waiting
        self._send(name, waiting)
        return name

    def answer(self, deadline: float) -> Result | None:
        """The next answer, whichever request it is of.

        Args:
            deadline: Seconds from now.

        Returns:
            None where none came by then.
        """
        until = time.monotonic() + deadline
        while True:
            now = time.monotonic()
            for name, waiting in self._open.items():
                if waiting.again <= now:
                    self._send(name, waiting)
            incoming = self._link.receive(min(_TURN, max(0.0, until - now)))
            if incoming is not None:
                result = self._taken(incoming)
                self._link.acknowledge(incoming)
                if result is not None:
                    return result
            elif now >= until:
                return None

    def _send(self, name: str, waiting: _Open) -> None:
        waiting.again = time.monotonic() + waiting.silence
        waiting.silence = min(2 * waiting.silence, _LONGEST_SILENCE)
        message = Outgoing(
            self.topics.ask,
            waiting.payload,
            1,
            response_topic=self._back,
            correlation=name.encode(),
        )
        try:
            self._link.publish(message, _TURN)
        except BrokerError as error:
            if error.facts.get("final"):
                raise
            return  # it is asked again after the silence
        self.sent += 1

    def _taken(self, incoming: Incoming) -> Result | None:
        """The answer in a message; None for what is said in passing, and for a second one."""
        said = dict(incoming.user)
        name, status = said.get("transaction", ""), said.get("status", "")
        if status not in ("result", "rejected"):
            return None
        if name not in self._open:
            self.duplicates += name in self._had
            return None
        code = ""
        if status == "rejected":
            try:
                found = codec.decode(incoming.payload, _MOST_ANSWER, ANSWER_SCHEMA)
            except MessageError:
                return None  # of no gateway
            code = str(found.get("code"))
            if code == codes.BUSY:
                return None  # it is asked again after the silence
        del self._open[name]
        self._had[name] = None
        if len(self._had) > _REMEMBERED:
            self._had.popitem(last=False)
        position = said.get("position", "")
        place = int(position) if position.isdecimal() and len(position) < 20 else 0
        return Result(name, code, incoming.payload, incoming.content_type or "", place)
