"""What is sent to an asker on the bus: the message of an answer, and the way it goes."""

from __future__ import annotations

from dataclasses import dataclass

from geng_edge.errors import GengError
from geng_edge.mqtt.messages import Outgoing
from geng_edge.service.answers import JSON, refusal
from geng_edge.service.entries import Entry
from geng_edge.service.topics import Topics


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


def letter(topics: Topics, entry: Entry) -> Outgoing:
    """The answer of the ledger."""
    return Post(entry.topic, entry.correlation).outgoing(
        topics,
        entry.id,
        "rejected" if entry.code else "result",
        entry.answer or b"",
        entry.content_type,
        position=entry.position,
    )


def rejection(topics: Topics, entry: Entry, error: GengError) -> Outgoing:
    """What is sent in place of an answer that does not go; the ledger keeps the answer."""
    return Post(entry.topic, entry.correlation).outgoing(
        topics, entry.id, "rejected", refusal(error, entry.id), position=entry.position
    )
