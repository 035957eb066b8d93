"""Hostile callers of the gateway by HTTP: each refused with its code, and the service stays up."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geng_edge import Condition, Generator
from geng_edge.service.ask import Limits
from geng_edge.service.gateway import Gateway
from geng_edge.service.http import Walls
from geng_edge.wire.condition import pack
from geng_edge.wire.fingerprint import fingerprint
from support.gateways import (
    ASK,
    MODEL,
    TEXT,
    Slow,
    call,
    gateway,
    port_of,
    raw,
    rejected,
    until,
)

POST = b"POST /v1/sample HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path, limits=Limits(values=65_536)) as found:
        yield found


def make_condition(**changes: object) -> dict[str, object]:
    generator = Generator.load(MODEL, threads=1)
    good = pack(Condition.from_text(TEXT, 1.0, generator))
    return {**good, "fingerprint": fingerprint(generator), **changes}


def _npy(array: Any, **options: Any) -> dict[str, object]:
    file = io.BytesIO()
    np.save(file, array, **options)
    return _stated(file.getvalue())


def _stated(data: bytes) -> dict[str, object]:
    text = base64.b64encode(data).decode()
    return make_condition(npy=text, sha256=hashlib.sha256(data).hexdigest())


def _declared(shape: str) -> dict[str, object]:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (117 - len(header)) + b"\n"
    return _stated(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)


HOSTILE_CONDITIONS = [
    (lambda: _declared("(128, 2000000)"), "latent"),  # 1 GB declared
    (lambda: _declared("(99999999999, 99999999999)"), "latent"),
    (lambda: _npy(np.array([print], dtype=object), allow_pickle=True), "latent"),
    (lambda: _stated(pickle.dumps(print)), "latent"),
    (lambda: _npy(np.full((4, 64), np.nan, np.float32)), "latent"),
    (lambda: _npy(np.full((4, 64), np.inf, np.float32)), "latent"),
    (lambda: _npy(np.zeros((4, 64))), "latent"),
    (lambda: _npy(np.zeros((4, 65), np.float32)), "argument"),  # another model's width
    (lambda: make_condition(fingerprint="0" * 64), "foreign_model"),
    (lambda: make_condition(sha256="0" * 64), "digest"),
    (lambda: make_condition(npy="not base64!"), "latent"),
    (lambda: make_condition(npy=5), "schema"),
    (lambda: {"npy": ""}, "schema"),
    (list, "schema"),
]


@pytest.mark.parametrize(("make", "code"), HOSTILE_CONDITIONS)
def test_a_hostile_condition_is_refused_with_its_code(
    running: Gateway, make: Any, code: str
) -> None:
    asked = {"condition": make(), "length": 64}
    assert rejected(call(running, "POST", "/v1/sample", asked))[1] == code
    assert call(running, "GET", "/healthz")[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not_json"),
        (b"\xff\xfe", 400, "not_json"),
        (b"[]", 400, "not_json"),
        (b"[" * 100_000, 413, "too_large"),
        (b'{"a":' * 60_000, 413, "too_large"),
        (b"[" * 60_000, 400, "not_json"),
        (b'{"text": "x", "text": "y"}', 400, "not_json"),
        (b'{"text": "x", "eta": NaN}', 400, "not_json"),
        (b'{"text": "x", "steps": 1e999}', 400, "argument"),
        (b'{"text": "x", "seed": ' + b"9" * 4000 + b"}", 400, "argument"),
        (b'{"text": "x", "guidance": ' + b"9" * 400 + b"}", 400, "argument"),
        (b'{"text": "x", "guidance": "1"}', 400, "argument"),
        (b'{"text": "x", "shell": "rm"}', 400, "schema"),
        (b'{"schema": "other", "text": "x"}', 400, "schema"),
        (b'{"transaction": "../../etc", "text": "x"}', 400, "schema"),
        (b'{"text": "x", "task": "y"}', 400, "schema"),
        (b'{"text": 5}', 400, "schema"),
        (b'{"length": 64}', 400, "schema"),
        (b'{"text": "\\ud800", "length": 64}', 400, "argument"),
        (b'{"text": "x", "unit": "\\ud800"}', 400, "argument"),
        (b'{"text": "x", "count": 65536, "length": 4096}', 413, "too_large"),
        (b'{"text": "x", "lifetime": 1e9}', 400, "argument"),
        (b'{"text": "x", "format": "pickle"}', 400, "argument"),
        (b'{"task": "a living room"}', 501, "unanswerable"),
        (b'{"text": "x", "replay": {"sensor": "room"}}', 501, "unanswerable"),
        (b'{"text": "x", "replay": {"sensor": "a/b"}}', 400, "argument"),
    ],
)
def test_a_hostile_body_is_refused_with_its_code(
    running: Gateway, body: bytes, status: int, code: str
) -> None:
    assert rejected(call(running, "POST", "/v1/sample", body))[:2] == (status, code)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/sample/no-such-one", 404),
        ("DELETE", "/v1/sample/no-such-one", 404),
        ("GET", "/v1/sample/../../etc/passwd", 404),
        ("PUT", "/v1/sample", 404),
        ("GET", "/healthz?wait=x", 400),
        ("GET", "/healthz?wait=1e9", 400),
        ("GET", "/healthz?wait=nan", 400),
        ("GET", "/" + "x" * 9000, 431),
    ],
)
def test_paths_that_are_not_there_are_refused(
    running: Gateway, method: str, path: str, status: int
) -> None:
    assert call(running, method, path)[0] == status


def test_a_page_of_another_site_reaches_nothing(running: Gateway) -> None:
    host = {"Host": "evil.example"}
    assert rejected(call(running, "GET", "/healthz", headers=host))[:2] == (403, "cross_site")
    form = {"Content-Type": "text/plain"}
    answer = call(running, "POST", "/v1/sample", json.dumps(ASK).encode(), form)
    assert rejected(answer)[:2] == (415, "media_type")
    local = {"Host": "localhost:8080"}
    assert call(running, "GET", "/healthz", headers=local)[0] == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431"),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", b"431"),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"x" * 5_000_000, b"431"),
        (b"NONSENSE\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (POST + b"Content-Length: 10000000000\r\n\r\n", b"413"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"400"),
        (POST + b"Content-Length: -1\r\n\r\n", b"400"),
    ],
)
def test_requests_that_are_too_large_or_no_http_are_refused(
    running: Gateway, data: bytes, status: bytes
) -> None:
    answer = raw(port_of(running), data)
    assert not answer or answer.split(b" ", 2)[1] == status  # empty: reset while still sending
    assert call(running, "GET", "/healthz")[0] == 200


def test_callers_that_drip_are_cut_off_and_do_not_shut_others_out(tmp_path: Path) -> None:
    with gateway(tmp_path, walls=Walls(connections=4, seconds=1.0)) as running:
        assert running.http is not None
        address = ("127.0.0.1", running.http.port)
        slow = [socket.create_connection(address, 5) for _ in range(4)]
        for one in slow:
            one.sendall(b"GET /heal")
        began = time.monotonic()
        until(
            lambda: (
                raw(port_of(running), b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")[9:12]
                == b"200"
            )
        )
        assert time.monotonic() - began < 5
        for one in slow:
            assert b"408" in one.recv(100)
            one.close()


def test_more_connections_than_slots_are_told_to_come_again(tmp_path: Path) -> None:
    with gateway(tmp_path, walls=Walls(connections=2, seconds=5.0)) as running:
        assert running.http is not None
        held = [socket.create_connection(("127.0.0.1", running.http.port), 5) for _ in range(2)]
        until(lambda: raw(port_of(running), b"")[9:12] == b"503")
        for one in held:
            one.close()
        until(
            lambda: (
                raw(port_of(running), b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")[9:12]
                == b"200"
            )
        )


def test_health_is_answered_while_every_waiting_caller_waits(tmp_path: Path) -> None:
    with gateway(tmp_path, walls=Walls(connections=4)) as running:
        slow = Slow(running)
        waiting = [
            threading.Thread(target=call, args=(running, "POST", "/v1/sample", {**ASK, "seed": i}))
            for i in range(3)
        ]
        for one in waiting:
            one.start()
        until(lambda: running.outbox.counts()["asked"] == 3)
        assert call(running, "GET", "/healthz")[0] == 200
        slow.go.set()
        for one in waiting:
            one.join(20)


def test_random_hostile_payloads_are_refused_with_a_code_in_bounded_memory() -> None:
    program = Path(__file__).parents[2] / "benchmarks" / "gateway_fuzz.py"
    done = subprocess.run(
        [sys.executable, str(program), "--payloads", "3000", "--model", str(MODEL)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3000 payloads" in done.stdout
    assert "FAULT" not in done.stdout
