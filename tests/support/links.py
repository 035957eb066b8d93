"""What tests of links share."""

from __future__ import annotations

import time
from collections.abc import Callable

from geng_edge.mqtt.link import Broker, Link


def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


def link_to(url: str, name: str = "pi-7", **settings: object) -> Link:
    settings = {
        "subscriptions": [f"test/{name}/#"],
        "timeout": 2.0,
        "longest_delay": 0.3,
        **settings,
    }
    broker = settings.pop("broker", None) or Broker.parse(url)
    return Link(broker, client_id=name, **settings)  # type: ignore[arg-type]
