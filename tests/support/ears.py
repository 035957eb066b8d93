"""Listening to a gateway on a broker, and speaking to it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, final

from geng_edge.mqtt.link import Broker, Incoming, Link, Outgoing
from geng_edge.service.gateway import Gateway
from support import broker as brokers
from support.gateways import TEXT, until

ASK = {"schema": "geng/v1/series/ask", "text": TEXT, "length": 64}
BASE = "geng/v1/edge/pi-7"
WAY = f"{BASE}/series/answer/tester/all"


def connected(running: Gateway) -> None:
    """Wait until it listens: before its first session the broker keeps nothing for it."""
    bus = running.bus
    assert bus is not None
    until(lambda: bus.connected)


@final
class Ear:
    """Everything that is said below some filters."""

    def __init__(self, broker: brokers.Mosquitto, *filters: str, version: int = 5) -> None:
        parsed = Broker.parse(broker.url)
        at = Broker(parsed.host, parsed.port, version=version)
        self.link = Link(at, client_id=f"ear-{time.monotonic_ns()}", subscriptions=filters)

    def __enter__(self) -> Ear:
        self.link.__enter__()
        self.link.ready(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    def say(self, topic: str, payload: Any, **options: Any) -> None:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.link.publish(Outgoing(topic, data, **options), 10)

    def hear(self, fits: Callable[[Incoming], bool] = lambda _: True) -> Incoming:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            found = self.link.receive(0.2)
            if found is not None:
                self.link.acknowledge(found)
                if fits(found):
                    return found
        raise AssertionError("nothing that fits was said in time")


def status(incoming: Incoming) -> str:
    return dict(incoming.user).get("status", incoming.topic.rpartition("/")[2])
