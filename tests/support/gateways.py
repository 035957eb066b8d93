"""A gateway inside the test, and plain ways to ask it."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

from geng_edge.errors import CancelledError
from geng_edge.generator import Generator, Progress
from geng_edge.series import Series
from geng_edge.service.answers import Fetch
from geng_edge.service.gateway import Gateway, Settings

MODEL = Path(__file__).parents[1] / "data" / "golden" / "tiny_distilled.gguf"
TEXT = "values from -5 to 5"
ASK = {"text": TEXT, "length": 64}


@contextlib.contextmanager
def gateway(folder: Path, fetch: Fetch | None = None, **settings: Any) -> Iterator[Gateway]:
    """A gateway of the tiny model for one block, on a free port unless told otherwise."""
    options: dict[str, Any] = {"http": ("127.0.0.1", 0), **settings}
    generator = Generator.load(MODEL, threads=1)
    with Gateway(generator, Settings("pi-7", folder / "outbox.db", **options), fetch) as running:
        yield running


def call(
    running: Gateway,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """One request over HTTP: status, headers, body. A body that is no bytes goes as JSON."""
    assert running.http is not None
    connection = http.client.HTTPConnection("127.0.0.1", running.http.port, timeout=30)
    try:
        sent = dict(headers or {})
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def port_of(running: Gateway) -> int:
    """Where its HTTP listens."""
    assert running.http is not None
    return running.http.port


def raw(port: int, data: bytes, seconds: float = 20.0) -> bytes:
    """Bytes to a port of this machine, and all that comes back."""
    with socket.create_connection(("127.0.0.1", port), seconds) as to:
        with contextlib.suppress(OSError):
            to.sendall(data)
        parts = []
        with contextlib.suppress(OSError):
            while part := to.recv(65536):
                parts.append(part)
        return b"".join(parts)


def until(what: Any, seconds: float = 20.0) -> None:
    """Wait until ``what()`` is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)


def rejected(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, str, str]:
    """Status, code and sentence of a refusal."""
    status, _, body = answer
    found = json.loads(body)
    assert found["status"] == "rejected"
    return status, found["code"], found["sentence"]


@final
class Slow:
    """Sampling that takes until it is let go, with steps in between."""

    def __init__(self, running: Gateway) -> None:
        self.go = threading.Event()
        self.entered = threading.Event()
        self._real = running.answers.series
        running.answers.series = self.series  # type: ignore[method-assign]

    def series(self, ask: Any, seed: int, seconds: float, progress: Progress | None) -> Series:
        self.entered.set()
        while not self.go.wait(0.01):
            if progress is not None and progress(1, 100) is False:
                raise CancelledError("sampling was cancelled after step 1 of 100")
        return self._real(ask, seed, seconds, progress)
