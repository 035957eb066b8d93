"""The worker over HTTP, for those without a broker: the same messages, one POST each.

The desk answers one batch at a time, behind :mod:`geng_edge.walls`. It speaks no TLS and asks for no name;
it is meant for loopback or for a proxy that does both, and that says localhost as Host where it asks there.
"""

from __future__ import annotations

import html
import json
import threading
import time
from collections.abc import Mapping
from importlib import resources
from typing import Any, final

import geng_edge
from geng_cog.worker.desk import Desk, check_fresh
from geng_edge import walls
from geng_edge.errors import ArgumentError, GengError, MessageError
from geng_edge.walls import METHOD, Reply, Walls
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

#: HTTP status of a rejection.
STATUS = walls.STATUS | {codes.NOT_JSON: 400, codes.SCHEMA: 400, codes.UNANSWERABLE: 422}
_MOST_WAITING = 16
_MOST_CONNECTIONS = 64


@final
class Server(walls.Server):
    """Listens on an address; a context manager that serves from a thread of its own."""

    def __init__(
        self,
        address: str,
        desk: Desk,
        counts: Mapping[str, int] | None = None,
        walls: Walls | None = None,
    ) -> None:
        """Bind.

        Args:
            address: ``host:port``; port 0 takes a free one.
            desk: What replies.
            counts: Further counters for ``/metrics``, by name.
            walls: Limits.

        Raises:
            ArgumentError: The address is none, or cannot be had.
        """
        super().__init__(_Handler, *_split(address), walls or Walls(_MOST_CONNECTIONS))
        self.desk, self.counts = desk, counts if counts is not None else {}
        self.waiting = threading.BoundedSemaphore(_MOST_WAITING)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{self.server_address[0]!s}:{self.port}"

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@final
class _Handler(walls.Handler):
    server: Server
    server_version = "geng-cog"
    statuses = STATUS
    #: By which the asker knows its question, once it is read.
    transaction: str | None = None

    def route(self) -> Reply:
        path = self.path.partition("?")[0]
        match self.command, path:
            case "POST", "/v1/conditions":
                return self._condition()
            case "GET", "/":
                return Reply(200, page().encode(), "text/html; charset=utf-8")
            case "GET", "/openapi.json":
                return Reply(200, codec.encode(openapi()))
            case "GET", "/healthz":
                return self._health()
            case "GET", "/metrics":
                return self._metrics()
            case "GET" | "POST", _:
                raise MessageError(f"{path[:80]} is not here; / says what is", codes.UNKNOWN)
            case _:
                raise MessageError(f"method is {self.command[:20]}; it must be GET or POST", METHOD)

    def _condition(self) -> Reply:
        payload = self.body(MOST_ASK_BYTES)
        arrived = time.monotonic()
        try:
            question = Ask.from_bytes(payload)
        except MessageError:
            self.transaction = peek_transaction(payload)
            raise
        self.transaction = question.transaction
        server = self.server
        if not server.waiting.acquire(blocking=False):
            raise MessageError(f"{_MOST_WAITING} requests wait; try again later", codes.BUSY)
        try:
            with server.desk.turn:
                check_fresh(arrived, question.lifetime)
                reply = server.desk.reply([question])[0]
        finally:
            server.waiting.release()
        sent = reply.to_bytes()
        status = self.statuses.get(reply.code, 500) if isinstance(reply, Rejected) else 200
        return Reply(status, sent)

    def refusal(self, error: GengError) -> bytes:
        """As the wire says it, to a question that cannot be read too."""
        transaction = self.transaction or new_transaction()
        return Rejected(transaction, error.code, str(error), self.server.desk.worker).to_bytes()

    def _health(self) -> Reply:
        desk = self.server.desk
        facts = {"status": "ok", "worker": desk.worker, "fingerprint": desk.fingerprint}
        return Reply(200, codec.encode(facts))

    def _metrics(self) -> Reply:
        counts = dict(self.server.desk.counts)
        lines = ["# TYPE geng_cog_replies_total counter"]
        lines += [f'geng_cog_replies_total{{kind="{k}"}} {n}' for k, n in sorted(counts.items())]
        more = dict(self.server.counts)
        lines += ["# TYPE geng_cog_messages_total counter"] if more else []
        lines += [f'geng_cog_messages_total{{kind="{k}"}} {n}' for k, n in sorted(more.items())]
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return Reply(200, ("\n".join(lines) + "\n").encode(), kind)


def openapi() -> dict[str, Any]:
    """The description of the routes in OpenAPI 3.1, with the schemas of the wire."""
    schemas = {}
    for name, key in (("condition_ask", "Ask"), ("condition_answer", "Answer")):
        path = resources.files("geng_edge.wire") / "schemas" / f"{name}.json"
        schemas[key] = json.loads(path.read_text(encoding="utf-8"))
    reply = {"application/json": {"schema": {"$ref": ANSWER_SCHEMA}}}
    by_status: dict[int, list[str]] = {}
    meanings = codes.MEANINGS | walls.MEANINGS
    for code, status in STATUS.items():
        by_status.setdefault(status, []).append(f"{code}: {meanings[code]}")
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
    question = Ask("a living room for a week", "example-1").to_bytes().decode()
    example = html.escape(
        f"curl -H 'Content-Type: application/json' -d '{question}' http://HOST:PORT/v1/conditions"
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
