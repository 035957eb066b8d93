"""The local HTTP API, behind :mod:`geng_edge.walls`.

One thread samples for all callers, so a larger server would add weight to a Pi and no speed.

======  =======================  ======================================================================
method  path                     answer
======  =======================  ======================================================================
POST    /v1/sample               the series, once it is done; with ``?wait=0`` 202 and where to look
GET     /v1/sample/TRANSACTION   the series, 202 while it is not done; ``?wait=SECONDS`` waits
DELETE  /v1/sample/TRANSACTION   cancelled
POST    /v1/conditions           the condition of ``{"text": ..., "interval": ..., "length": ...}`` as .npy
GET     /v1/sensors              the virtual sensors
DELETE  /v1/sensors/NAME         removed
GET     /healthz                 200 where everything works, 503 where not, and what
GET     /metrics                 for Prometheus
======  =======================  ======================================================================
"""

from __future__ import annotations

import threading
import time
import urllib.parse
from typing import TYPE_CHECKING, final

from geng_edge import walls
from geng_edge.errors import ArgumentError, GengError, MessageError
from geng_edge.service.answers import JSON, message, named, refusal
from geng_edge.service.entries import ASKED
from geng_edge.service.metrics import CONTENT_TYPE
from geng_edge.walls import Reply, Walls
from geng_edge.wire import codes

if TYPE_CHECKING:
    from geng_edge.service.gateway import Gateway

_STATUS = walls.STATUS | {
    codes.GONE: 410, codes.TAKEN: 409, codes.UNANSWERABLE: 501, "broker": 502, "cancelled": 409,
    "missing_extra": 501, "not_finite": 500, "output": 507,
}  # fmt: skip


@final
class Server(walls.Server):
    """The server of a gateway."""

    def __init__(
        self,
        gateway: Gateway,
        host: str = "127.0.0.1",
        port: int = 8080,
        walls: Walls | None = None,
    ) -> None:
        """Bind.

        Args:
            gateway: What is served.
            host, port, walls: As for :class:`geng_edge.walls.Server`.

        Raises:
            ArgumentError: The address cannot be had.
        """
        super().__init__(_Handler, host, port, walls or Walls())
        self.gateway = gateway
        #: Some slots stay free of waiting callers, so that /healthz is answered in any rush.
        self.waiters = threading.BoundedSemaphore(max(1, self.walls.connections * 3 // 4))

    def refused(self, code: str) -> None:
        """To the gateway's metrics."""
        self.gateway.metrics.refused("http", code)


@final
class _Handler(walls.Handler):
    server: Server
    server_version = "geng-edge"
    statuses = _STATUS

    def route(self) -> Reply:
        parts = urllib.parse.urlsplit(self.path)
        wait = self._wait(parts.query)
        gateway = self.server.gateway
        match self.command, parts.path.strip("/").split("/"):
            case "GET", ["healthz"]:
                healthy, facts = gateway.health()
                return Reply.of(facts, 200 if healthy else 503)
            case "GET", ["metrics"]:
                return Reply(200, gateway.metrics.text(), CONTENT_TYPE)
            case "POST", ["v1", "sample"]:
                return self._sample(wait)
            case "GET", ["v1", "sample", name]:
                return self._answer(name, wait or 0.0)
            case "DELETE", ["v1", "sample", name]:
                return Reply.of({"transaction": name, "cancelled": gateway.worker.cancel(name)})
            case "POST", ["v1", "conditions"]:
                return self._condition()
            case "GET", ["v1", "sensors"]:
                return Reply.of({"sensors": gateway.sensors.to_list()})
            case "DELETE", ["v1", "sensors", name]:
                return Reply.of({"sensor": name, "removed": gateway.sensors.remove(name)})
            case _:
                raise MessageError(
                    f"{self.command} {parts.path[:80]} is not here; it must be /v1/sample, "
                    "/v1/conditions, /v1/sensors, /healthz or /metrics",
                    codes.UNKNOWN,
                )

    def _wait(self, query: str) -> float | None:
        try:
            found = urllib.parse.parse_qs(query, max_num_fields=8).get("wait")
            if found is None:
                return None
            seconds = float(found[0])
        except ValueError:
            seconds = -1.0
        if not 0.0 <= seconds <= self.server.walls.wait:
            raise ArgumentError(
                f"query is {query[:60]!r}; it must be wait=SECONDS, 0 to {self.server.walls.wait:g}"
            )
        return seconds

    def _body(self) -> bytes:
        return self.body(self.server.gateway.limits.payload)

    def _sample(self, wait: float | None) -> Reply:
        entry = self.server.gateway.ask_http(self._body())
        if wait is None:
            wait = min(entry.deadline - time.time() + 1.0, self.server.walls.wait)
        return self._answer(entry.id, wait)

    def _answer(self, name: str, wait: float) -> Reply:
        worker = self.server.gateway.worker
        entry = worker.outbox.get(name)
        if wait > 0 and self.server.waiters.acquire(blocking=False):
            try:
                entry = worker.wait(name, time.monotonic() + wait)
            finally:
                self.server.waiters.release()
        facts = (("X-Geng-Transaction", entry.id), ("X-Geng-Position", str(entry.position)))
        if entry.state == ASKED:
            where = ("Location", f"/v1/sample/{entry.id}")
            body = message(entry.id, "accepted", position=entry.position)
            return Reply(202, body, JSON, (*facts, where))
        if entry.answer is None:
            raise MessageError(f"answer of {name} is no longer kept", codes.GONE)
        status = _STATUS.get(entry.code, 400) if entry.code else 200
        return Reply(status, entry.answer, entry.content_type, facts)

    def _condition(self) -> Reply:
        array, facts = self.server.gateway.condition(self._body())
        headers = tuple((f"X-Geng-{key.capitalize()}", value) for key, value in facts.items())
        return Reply(200, array, "application/octet-stream", headers)

    def refusal(self, error: GengError) -> bytes:
        return refusal(error, named(error.facts.get("transaction"))) + b"\n"

    def sent(self, reply: Reply) -> None:
        """Note that a caller has its answer."""
        collected = dict(reply.headers).get("X-Geng-Transaction")
        if collected is not None and reply.status != 202:
            self.server.gateway.collected(collected)
