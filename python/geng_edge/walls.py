"""HTTP behind walls: the standard library's server, for the gateway and for the cloud's worker.

Limits: connections, bytes of head and body, and seconds until both have come; a connection carries one
request, so that what a body hides is never read as the next. A browser's page of another site reaches
nothing: where a server listens on loopback the Host must be this machine, and a body must be declared as
JSON, which such a page may not send unasked.
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
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, final

from geng_edge.errors import ArgumentError, GengError, MessageError
from geng_edge.wire import codes

log = logging.getLogger("geng_edge.walls")

JSON = "application/json"
METHOD = "method"
_HEAD, _CROSS_SITE, _MEDIA_TYPE, _TIMEOUT = "head_too_large", "cross_site", "media_type", "timeout"
#: HTTP status of a code, beside those that a server adds; 400 for any other.
STATUS = {
    codes.BUSY: 503, codes.EXPIRED: 504, codes.FOREIGN_MODEL: 409, codes.INTERNAL: 500,
    codes.TOO_LARGE: 413, codes.UNKNOWN: 404, METHOD: 501, _CROSS_SITE: 403, _HEAD: 431,
    _MEDIA_TYPE: 415, _TIMEOUT: 408,
}  # fmt: skip
#: What the walls refuse, beside :data:`geng_edge.wire.codes.MEANINGS`.
MEANINGS = {
    METHOD: "the method is not known here",
    _CROSS_SITE: "the Host is not this machine",
    _HEAD: "request line and headers are too long",
    _MEDIA_TYPE: "the body is not declared as application/json",
    _TIMEOUT: "the request took too long to come",
}
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


class Server(ThreadingHTTPServer):
    """A server behind walls; :meth:`start` and :meth:`stop`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, handler: type[Handler], host: str, port: int, walls: Walls) -> None:
        """Bind.

        Args:
            handler: Answers.
            host: Where to listen; anything but loopback lets the network in.
            port: 0 takes a free one.
            walls: Limits.

        Raises:
            ArgumentError: The address cannot be had.
        """
        self.host, self.walls = host, walls
        self._slots = threading.BoundedSemaphore(walls.connections)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.1,), name="http", daemon=True
        )
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), handler)
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

    def refused(self, code: str) -> None:
        """Called with the code of each refusal, to count it."""

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
            self.refused(codes.BUSY)
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


@final
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


class Handler(BaseHTTPRequestHandler, ABC):
    """One connection, one request. A server says what its routes are and how a refusal looks."""

    server: Server
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # whoever sends nonsense gets a status line too
    sys_version = ""
    #: HTTP status of a code; 400 for any other.
    statuses: ClassVar[Mapping[str, int]] = STATUS

    @abstractmethod
    def route(self) -> Reply:
        """The answer to ``command`` and ``path``.

        Raises:
            GengError: It is refused.
        """

    @abstractmethod
    def refusal(self, error: GengError) -> bytes:
        """The body of a refusal."""

    def sent(self, reply: Reply) -> None:
        """Called when a reply has gone."""

    def body(self, most: int) -> bytes:
        """The body: JSON of ``most`` bytes at most, refused unread where its head says otherwise.

        Raises:
            MessageError: ``media_type`` or ``too_large``.
            ArgumentError: Its length is not said, or is another.
        """
        kind = (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
        if kind != JSON:
            raise MessageError(
                f"body is {kind[:60] or 'of no type'}; it must be {JSON}", _MEDIA_TYPE
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

    def _refused(self, error: GengError) -> Reply:
        self.server.refused(error.code)
        again = (("Retry-After", "1"),) if error.code == codes.BUSY else ()
        return Reply(self.statuses.get(error.code, 400), self.refusal(error), JSON, again)

    def setup(self) -> None:
        """Read through a wall."""
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
            reply = self._refused(error)
        except TimeoutError:
            sentence = f"request took over {self.server.walls.seconds:g} s; it must take less"
            reply = self._refused(MessageError(sentence, _TIMEOUT))
        self._send(reply)

    def _reply(self) -> Reply:
        if not self.server.allows_host(self.headers.get("Host")):
            raise MessageError("host is not this machine; it must be localhost", _CROSS_SITE)
        try:
            return self.route()
        except (GengError, TimeoutError):
            raise
        except Exception:
            log.exception("%s %.200s met a fault", self.command, self.path)
            return self._refused(MessageError("the server met a fault", codes.INTERNAL))

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
        self.sent(reply)

    def send_error(self, code: int, said: str | None = None, explain: str | None = None) -> None:
        """What the standard library itself refuses, in our form."""
        name = {431: _HEAD, 414: _HEAD, 501: METHOD}.get(int(code), "argument")
        sentence = f"{said or explain or 'request'}; it must be HTTP"
        self._send(self._refused(MessageError(sentence, name)))

    def log_message(self, template: str, *args: Any) -> None:
        """To the log, quietly."""
        log.debug("%s " + template, self.client_address[0], *args)


def _too_long() -> MessageError:
    return MessageError(f"request line is too long; it must be under {_LONGEST_LINE} bytes", _HEAD)
