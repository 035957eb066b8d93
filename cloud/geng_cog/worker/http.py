"""The worker over HTTP, for those without a broker: the same messages, one POST each.

The standard library's server is enough: one route computes, and the desk answers one batch at a time.
It speaks no TLS and asks for no name; it is meant for loopback or for a proxy that does both.
"""

from __future__ import annotations

import html
import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any

import geng_edge
from geng_cog.worker.desk import Desk
from geng_edge.errors import ArgumentError, BrokerError, MessageError
from geng_edge.wire import codec, codes
from geng_edge.wire.condition import (
    ANSWER_SCHEMA,
    ASK_SCHEMA,
    MOST_ASK_BYTES,
    Ask,
    Rejected,
    new_transaction,
    peek_transaction,
)

#: HTTP status of a rejection; 500 for a code that is not here.
STATUS = {
    codes.TOO_LARGE: 413,
    codes.NOT_JSON: 400,
    codes.SCHEMA: 400,
    codes.FOREIGN_MODEL: 409,
    codes.UNANSWERABLE: 422,
    codes.BUSY: 503,
}
_MOST_WAITING = 16
_MOST_CONNECTIONS = 64
_PATIENCE = 10.0


class Server(ThreadingHTTPServer):
    """Listens on an address; a context manager that serves from a thread of its own.

    Args:
        address: ``host:port``; port 0 takes a free one.
        desk: What replies.
        counts: Further counters for ``/metrics``, by name.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: str, desk: Desk, counts: Mapping[str, int] | None = None) -> None:
        self.desk, self.counts = desk, counts if counts is not None else {}
        self.waiting = threading.BoundedSemaphore(_MOST_WAITING)
        self.connections = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        host, port = _split(address)
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise BrokerError(
                f"{address} cannot be listened on ({error}); it must be free"
            ) from error

    @property
    def address(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"

    def __enter__(self) -> Server:  # noqa: PYI034  typing.Self needs Python 3.11
        threading.Thread(target=self.serve_forever, name="http", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hang up on connections beyond the bound, whose threads would be without one."""
        if not self.connections.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self.connections.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection, and its place for the next."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no fault of ours, and the library prints nothing."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "geng-cog"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE

    def do_GET(self) -> None:
        routes: dict[str, Callable[[], tuple[str, bytes]]] = {
            "/": lambda: ("text/html; charset=utf-8", page().encode()),
            "/openapi.json": lambda: ("application/json", codec.encode(openapi())),
            "/healthz": self._health,
            "/metrics": self._metrics,
        }
        route = routes.get(self.path.partition("?")[0])
        if route is None:
            self._send(404, "application/json", codec.encode({"error": "no such route; see /"}))
            return
        self._send(200, *route())

    def do_POST(self) -> None:
        if self.path != "/v1/conditions":
            self.close_connection = True
            self._send(404, "application/json", codec.encode({"error": "no such route; see /"}))
            return
        payload = b""
        try:
            payload = self._body()
            question = Ask.from_bytes(payload)
        except MessageError as error:
            transaction = peek_transaction(payload) or new_transaction()
            self._reply(Rejected(transaction, error.code, str(error), self.server.desk.worker))
            return
        if not self.server.waiting.acquire(blocking=False):
            self._reply(Rejected(question.transaction, codes.BUSY,
                f"{_MOST_WAITING} requests wait; try again later", self.server.desk.worker))  # fmt: skip
            return
        try:
            reply = self.server.desk.reply([question])[0]
        finally:
            self.server.waiting.release()
        try:
            sent = reply.to_bytes()
        except MessageError as error:
            self._reply(Rejected(reply.transaction, error.code, str(error), reply.worker))
            return
        if isinstance(reply, Rejected):
            self._reply(reply)
        else:
            self._send(200, "application/json", sent)

    def _body(self) -> bytes:
        """The body, refused before it is read where it is too long or its length is not said."""
        stated = self.headers.get("Content-Length", "")
        if not (stated.isascii() and stated.isdigit() and len(stated) < 16):
            self.close_connection = True
            raise MessageError("body has no length; Content-Length must state it", codes.NOT_JSON)
        if int(stated) > MOST_ASK_BYTES:
            self.close_connection = True
            raise MessageError(
                f"payload is {int(stated)} bytes; it must be at most {MOST_ASK_BYTES}",
                codes.TOO_LARGE,
            )
        return self.rfile.read(int(stated))

    def _reply(self, reply: Rejected) -> None:
        self._send(STATUS.get(reply.code, 500), "application/json", reply.to_bytes())

    def _health(self) -> tuple[str, bytes]:
        desk = self.server.desk
        facts = {"status": "ok", "worker": desk.worker, "fingerprint": desk.fingerprint}
        return "application/json", codec.encode(facts)

    def _metrics(self) -> tuple[str, bytes]:
        counts = dict(self.server.desk.counts)
        lines = ["# TYPE geng_cog_replies_total counter"]
        lines += [f'geng_cog_replies_total{{kind="{k}"}} {n}' for k, n in sorted(counts.items())]
        more = dict(self.server.counts)
        lines += ["# TYPE geng_cog_messages_total counter"] if more else []
        lines += [f'geng_cog_messages_total{{kind="{k}"}} {n}' for k, n in sorted(more.items())]
        return "text/plain; version=0.0.4; charset=utf-8", ("\n".join(lines) + "\n").encode()

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: counters say how much, and a library prints nothing."""


def openapi() -> dict[str, Any]:
    """The description of the routes in OpenAPI 3.1, with the schemas of the wire."""
    schemas = {}
    for name, key in (("condition_ask", "Ask"), ("condition_answer", "Answer")):
        path = resources.files("geng_edge.wire") / "schemas" / f"{name}.json"
        schemas[key] = json.loads(path.read_text(encoding="utf-8"))
    reply = {"application/json": {"schema": {"$ref": ANSWER_SCHEMA}}}
    by_status: dict[int, list[str]] = {}
    for code, status in {**STATUS, codes.INTERNAL: 500}.items():
        by_status.setdefault(status, []).append(f"{code}: {codes.MEANINGS[code]}")
    responses = {
        str(s): {"description": "; ".join(w), "content": reply} for s, w in by_status.items()
    }
    plain = {"200": {"description": "as it says"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "geng-cog",
            "version": geng_edge.__version__,
            "description": "Asks a Cog-LLM what a sensor series looks like; answers with descriptions, "
            "claims and conditions.",
        },
        "paths": {
            "/v1/conditions": {
                "post": {
                    "summary": "Ask for the condition of a task",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": ASK_SCHEMA}}},
                    },
                    "responses": {
                        "200": {"description": "accepted", "content": reply},
                        **responses,
                    },
                }
            },
            "/healthz": {"get": {"summary": "Whether the worker lives", "responses": plain}},
            "/metrics": {"get": {"summary": "Counters, for Prometheus", "responses": plain}},
            "/openapi.json": {"get": {"summary": "This description", "responses": plain}},
        },
        "components": {"schemas": schemas},
    }


def page() -> str:
    """The same description for people; loads nothing from elsewhere."""
    spec = openapi()
    rows = "".join(
        f"<tr><td><code>{verb.upper()} {html.escape(path)}</code></td>"
        f"<td>{html.escape(what['summary'])}</td></tr>"
        for path, verbs in spec["paths"].items()
        for verb, what in verbs.items()
    )
    answers = spec["paths"]["/v1/conditions"]["post"]["responses"]
    told = "".join(
        f"<tr><td>{status}</td><td>{html.escape(facts['description'])}</td></tr>"
        for status, facts in answers.items()
    )
    shown = html.escape(json.dumps(spec["components"]["schemas"], indent=2))
    example = html.escape(
        "curl -d '" + Ask("a living room for a week", "example-1").to_bytes().decode() + "' "
        "http://HOST:PORT/v1/conditions"
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>geng-cog</title>"
        f"<h1>geng-cog {html.escape(spec['info']['version'])}</h1>"
        f"<p>{html.escape(spec['info']['description'])}</p><table>{rows}</table>"
        f"<pre>{example}</pre><h2>Answers to a question</h2><table>{told}</table>"
        f'<h2>Schemas</h2><p><a href="/openapi.json">openapi.json</a></p><pre>{shown}</pre></html>'
    )


def _split(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ArgumentError(f"http is {address!r}; it must be HOST:PORT, such as 127.0.0.1:8080")
    return host.strip("[]"), int(port)
