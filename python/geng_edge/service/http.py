"""The local HTTP API: the standard library's server behind limits.

One thread samples for all callers, so a larger server would add weight to a Pi and no speed. Limits:
connections, bytes of head and body, and seconds until both have come; a connection carries one request.
A browser's page of another site reaches nothing: the Host must be this machine and the body declared as
JSON, which such a page may not send unasked.

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

import io
import json
import logging
import socket
import sys
import threading
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, final

from geng_edge.errors import ArgumentError, GengError, MessageError
from geng_edge.service.answers import JSON, message, named, refusal
from geng_edge.service.entries import ASKED
from geng_edge.service.metrics import CONTENT_TYPE
from geng_edge.wire import codes

if TYPE_CHECKING:
    from geng_edge.service.gateway import Gateway

log = logging.getLogger("geng_edge.service")

_HEAD, _METHOD = "head_too_large", "method"
_STATUS = {
    codes.BUSY: 503, codes.EXPIRED: 504, codes.FOREIGN_MODEL: 409, codes.GONE: 410, codes.INTERNAL: 500,
    codes.TAKEN: 409, codes.TOO_LARGE: 413, codes.UNANSWERABLE: 501, codes.UNKNOWN: 404, _HEAD: 431,
    _METHOD: 501, "broker": 502, "cancelled": 409, "cross_site": 403, "media_type": 415,
    "missing_extra": 501, "not_finite": 500, "output": 507, "timeout": 408,
}  # fmt: skip
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_LONGEST_LINE = 8192


@dataclass(frozen=True)
class Walls:
    """What one caller may cost.

    Attributes:
        connections: At once; one more is answered 503 and closed.
        head: Bytes of request line and headers.
        seconds: Until head and body have come, and until an answer has gone.
        wait: Seconds that a caller may wait for a series.
    """

    connections: int = 32
    head: int = 16 * 1024
    seconds: float = 10.0
    wait: float = 300.0


@dataclass(frozen=True)
class Reply:
    """What goes back."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, value: Mapping[str, Any], status: int = 200) -> Reply:
        """An object as JSON."""
        return cls(status, json.dumps(value).encode() + b"\n")


@final
class Server(ThreadingHTTPServer):
    """The server; :meth:`start` and :meth:`stop`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

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
            host: Where to listen; anything but loopback lets the network in.
            port: 0 takes a free one.
            walls: Limits.

        Raises:
            ArgumentError: The address cannot be had.
        """
        self.gateway, self.walls, self.host = gateway, walls or Walls(), host
        self._slots = threading.BoundedSemaphore(self.walls.connections)
        #: Some slots stay free of waiting callers, so that /healthz is answered in any rush.
        self.waiters = threading.BoundedSemaphore(max(1, self.walls.connections * 3 // 4))
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.1,), name="http", daemon=True
        )
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise ArgumentError(
                f"{host}:{port}: {error.strerror or error}; it must be a free address of this machine"
            ) from error

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Serve from a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more."""
        self.shutdown()
        self._thread.join(5.0)
        self.server_close()

    def alive(self) -> bool:
        """Whether the thread that accepts lives."""
        return self._thread.is_alive()

    def allows_host(self, named: str | None) -> bool:
        """Whether a Host header names this server; a page whose name was pointed here does not."""
        if self.host not in _LOOPBACK:
            return True
        try:
            return urllib.parse.urlsplit(f"//{named or ''}").hostname in _LOOPBACK
        except ValueError:
            return False

    def process_request(self, request: Any, client_address: Any) -> None:
        """One more connection, where there is a slot."""
        if not self._slots.acquire(blocking=False):
            self.gateway.metrics.refused("http", codes.BUSY)
            try:
                request.setblocking(False)
                request.send(
                    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
                )
            except OSError:
                pass
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._slots.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """The connection's thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, _request: Any, client_address: Any) -> None:
        """A caller who went away is no fault; anything else is."""
        fault = sys.exc_info()[1]
        if not isinstance(fault, OSError):
            log.error("a caller from %s met a fault", client_address, exc_info=fault)


class _Punctual(io.RawIOBase):
    """A socket to read from until a moment and a number of bytes, however slowly it drips."""

    def __init__(self, connection: socket.socket, seconds: float, most: int) -> None:
        self._connection, self._until, self.left = connection, time.monotonic() + seconds, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        if self.left <= 0:
            raise MessageError("head of the request is too large; it must be smaller", _HEAD)
        self._connection.settimeout(seconds)
        size = self._connection.recv_into(memoryview(buffer)[: self.left])
        self.left -= size
        return size


class _Handler(BaseHTTPRequestHandler):
    """One connection, one request."""

    server: Server
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # whoever sends nonsense gets a status line too
    server_version = "geng-edge"
    sys_version = ""

    def setup(self) -> None:
        super().setup()
        walls = self.server.walls
        self._punctual = _Punctual(self.connection, walls.seconds, walls.head)
        self.rfile = io.BufferedReader(self._punctual, 4096)

    def handle(self) -> None:
        """Read one request, answer it, close."""
        self.close_connection = True
        self.requestline = self.request_version = self.command = ""
        try:
            self.raw_requestline = self.rfile.readline(_LONGEST_LINE)
            if len(self.raw_requestline) == _LONGEST_LINE:
                raise _too_long()
            if not self.raw_requestline or not self.parse_request():
                return
            reply = self._reply()
        except GengError as error:
            reply = self._refusal(error)
        except TimeoutError:
            sentence = f"request took over {self.server.walls.seconds:g} s; it must take less"
            reply = self._refusal(MessageError(sentence, "timeout"))
        self._send(reply)

    def _reply(self) -> Reply:
        if not self.server.allows_host(self.headers.get("Host")):
            raise MessageError("host is not this machine; it must be localhost", "cross_site")
        try:
            return self._route()
        except (GengError, TimeoutError):
            raise
        except Exception:
            log.exception("%s %.200s met a fault", self.command, self.path)
            return self._refusal(MessageError("the gateway met a fault", codes.INTERNAL))

    def _route(self) -> Reply:
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
        most = self.server.gateway.limits.payload
        kind = (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
        if kind != JSON:
            raise MessageError(
                f"body is {kind[:60] or 'of no type'}; it must be {JSON}", "media_type"
            )
        length = self.headers.get("Content-Length") or ""
        if self.headers.get("Transfer-Encoding") or not (length.isdecimal() and len(length) < 20):
            raise ArgumentError("request has no Content-Length; it must have one")
        size = int(length)
        if size > most:
            raise MessageError(
                f"payload is {size} bytes; it must be at most {most}", codes.TOO_LARGE
            )
        self._punctual.left = size
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.rfile.read(size)
        if len(body) < size:
            raise ArgumentError(
                f"payload is {len(body)} bytes; it must be {size}, as its head says"
            )
        return body

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

    def _refusal(self, error: GengError) -> Reply:
        self.server.gateway.metrics.refused("http", error.code)
        again = (("Retry-After", "1"),) if error.code == codes.BUSY else ()
        body = refusal(error, named(error.facts.get("transaction"))) + b"\n"
        return Reply(_STATUS.get(error.code, 400), body, JSON, again)

    def _send(self, reply: Reply) -> None:
        self.connection.settimeout(self.server.walls.seconds)
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Connection", "close")
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)
        collected = dict(reply.headers).get("X-Geng-Transaction")
        if collected is not None and reply.status != 202:
            self.server.gateway.collected(collected)

    def send_error(self, code: int, said: str | None = None, explain: str | None = None) -> None:
        """What the standard library itself refuses, in our form."""
        name = {431: _HEAD, 414: _HEAD, 501: _METHOD}.get(int(code), "argument")
        sentence = f"{said or explain or 'request'}; it must be HTTP"
        self._send(self._refusal(MessageError(sentence, name)))

    def log_message(self, template: str, *args: Any) -> None:
        """To the log, quietly."""
        log.debug("%s " + template, self.client_address[0], *args)


def _too_long() -> MessageError:
    return MessageError(f"request line is too long; it must be under {_LONGEST_LINE} bytes", _HEAD)
