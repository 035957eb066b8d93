"""The desk and its HTTP route: what is replied to whom, without a broker."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from geng_cog.worker.desk import Desk
from geng_cog.worker.http import Server, openapi
from geng_edge import Condition, Generator
from geng_edge.errors import ArgumentError
from geng_edge.walls import Walls
from geng_edge.wire import codes
from geng_edge.wire.answer import Answer
from geng_edge.wire.condition import Accepted, Ask, Rejected, read_reply
from support.gateways import raw
from support.road import Double, channel

POST = b"POST /v1/conditions HTTP/1.1\r\nHost: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"


@pytest.fixture
def double() -> Double:
    return Double()


@pytest.fixture
def desk(double: Double, generator: Generator) -> Desk:
    return Desk(double, generator, "worker-1")


class Moody(Double):
    """Cannot answer one task, fails at another, and describes a third too long."""

    def answer(self, tasks: Sequence[str], seed: int = 0) -> list[Answer]:
        answers = super().answer(tasks, seed)
        for i, task in enumerate(tasks):
            if "dragon" in task:
                raise ArgumentError("task is of a dragon; it must be of a device")
            if "bug" in task:
                raise KeyError(task)
            if "long" in task:
                wordy = type(channel())("temperature", "one two " * 200, channel().claims)
                answers[i] = type(answers[i])(**{**vars(answers[i]), "channels": (wordy,)})
        return answers


def test_replies_come_in_order_with_the_conditions_of_the_descriptions(
    desk: Desk, generator: Generator
) -> None:
    """C-5, C-7: one condition each, by the f whose fingerprint is sent."""
    asks = [Ask("a home", fingerprint=desk.fingerprint), Ask("a garden"), Ask("a home", seed=1)]
    replies = desk.reply(asks)
    assert [r.transaction for r in replies] == [a.transaction for a in asks]
    for ask, reply in zip(asks, replies, strict=True):
        assert isinstance(reply, Accepted)
        assert reply.answer.task == ask.task
        assert reply.fingerprint == desk.fingerprint
        for said, made in zip(reply.answer.channels, reply.conditions, strict=True):
            ours = Condition.from_text(said.description, reply.answer.interval, generator)
            np.testing.assert_array_equal(made.array, ours.array)
        assert isinstance(read_reply(reply.to_bytes()), Accepted)


def test_questions_that_arrive_together_are_answered_in_one_batch_and_repeats_for_nothing(
    desk: Desk, double: Double
) -> None:
    """C-10, C-11: the same answer, again and cheaply."""
    first = desk.reply([Ask("a"), Ask("b"), Ask("a"), Ask("c", seed=2)])
    assert double.batches == [["a", "b"], ["c"]]
    again = desk.reply([Ask("b"), Ask("a"), Ask("c", seed=2)])
    assert double.batches == [["a", "b"], ["c"]]
    assert desk.counts["recalled"] == 3
    assert isinstance(again[1], Accepted)
    assert isinstance(first[0], Accepted)
    assert again[1].answer == first[0].answer


def test_one_bad_task_spoils_no_other_of_its_batch(generator: Generator) -> None:
    """W-8: and each is told why."""
    desk = Desk(Moody(), generator, "worker-1")
    tasks = ["a home", "a dragon", "a bug", "a long one", "a barn"]
    replies = desk.reply([Ask(task) for task in tasks])
    told = [r.code if isinstance(r, Rejected) else "accepted" for r in replies]
    assert told == ["accepted", codes.UNANSWERABLE, codes.INTERNAL, codes.UNANSWERABLE, "accepted"]
    assert isinstance(replies[1], Rejected)
    assert "it must be of a device" in replies[1].sentence
    assert isinstance(replies[2], Rejected)
    assert "KeyError" not in replies[2].sentence


def test_a_question_of_another_model_is_rejected_before_it_is_answered(
    desk: Desk, double: Double
) -> None:
    """C-7: by the worker too."""
    reply = desk.reply([Ask("a home", fingerprint="0" * 64)])[0]
    assert isinstance(reply, Rejected)
    assert reply.code == codes.FOREIGN_MODEL
    assert double.batches == []


@pytest.fixture
def server(desk: Desk) -> Iterator[Server]:
    with Server("127.0.0.1:0", desk) as listening:
        yield listening


def call(server: Server, verb: str, path: str, body: bytes | None = None, **headers: str) -> Any:
    connection = http.client.HTTPConnection(server.address, timeout=10)
    try:
        kind = {} if body is None else {"Content-Type": "application/json"}
        connection.request(verb, path, body, {**kind, **headers})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()
    finally:
        connection.close()


def test_http_carries_the_same_messages(server: Server) -> None:
    """W-3: no broker needed."""
    ask = Ask("a garden")
    status, kind, body = call(server, "POST", "/v1/conditions", ask.to_bytes())
    assert (status, kind) == (200, "application/json")
    got = read_reply(body)
    assert isinstance(got, Accepted)
    assert got.transaction == ask.transaction
    assert len(got.conditions) == 2


def test_http_refuses_with_the_codes_of_the_wire(server: Server) -> None:
    """W-8, W-9: and a status that fits."""
    big = Ask("a").to_bytes() + b" " * 40_000
    foreign = Ask("a", "transaction-9", fingerprint="0" * 64)
    for body, status, code in (
        (b"{", 400, codes.NOT_JSON),
        (b"\x80\x04.", 400, codes.NOT_JSON),
        (b"{}", 400, codes.SCHEMA),
        (big, 413, codes.TOO_LARGE),
        (foreign.to_bytes(), 409, codes.FOREIGN_MODEL),
    ):
        got = call(server, "POST", "/v1/conditions", body)
        reply = read_reply(got[2])
        assert isinstance(reply, Rejected)
        assert (got[0], reply.code) == (status, code)
    assert reply.transaction == "transaction-9"
    assert call(server, "POST", "/v1/other", b"")[0] == 404
    assert call(server, "GET", "/v1/conditions")[0] == 404
    assert call(server, "DELETE", "/")[0] == 501
    # A length that is only claimed allocates nothing; none at all is refused.
    for head in (b"Content-Length: 99999999999\r\n", b"Content-Length: -5\r\n", b""):
        assert statuses(raw(server.port, POST + JSON + head + b"\r\n"))[0] in (b"413", b"400")


def statuses(answered: bytes) -> list[bytes]:
    return re.findall(rb"HTTP/1\.1 (\d+)", answered)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n", b"200"),
        (POST + JSON + b"Transfer-Encoding: chunked\r\n", b"400"),
        (POST + b"Content-Type: text/plain\r\n", b"415"),
    ],
    ids=["get", "chunked", "text"],
)
def test_http_takes_no_body_for_the_next_request(
    server: Server, head: bytes, status: bytes
) -> None:
    hidden = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answered = raw(server.port, head + b"Content-Length: %d\r\n\r\n" % len(hidden) + hidden)
    assert statuses(answered) == [status]


def test_http_is_out_of_reach_of_a_page_of_another_site(server: Server, double: Double) -> None:
    ask = Ask("a home").to_bytes()
    for headers, status, code in (
        ({"Host": "evil.example"}, 403, "cross_site"),
        ({"Content-Type": "text/plain"}, 415, "media_type"),
    ):
        got = call(server, "POST", "/v1/conditions", ask, **headers)
        reply = read_reply(got[2])
        assert isinstance(reply, Rejected)
        assert (got[0], reply.code) == (status, code)
    assert double.batches == []


def test_http_cuts_off_callers_that_drip(desk: Desk) -> None:
    with Server("127.0.0.1:0", desk, walls=Walls(connections=2, seconds=0.5)) as server:
        slow = [socket.create_connection(("127.0.0.1", server.port), 5) for _ in range(2)]
        for one in slow:
            one.sendall(b"GET /healthz HTTP/1.1\r\n")
        end = time.monotonic() + 5.0
        served = False
        while not served:
            assert time.monotonic() < end, "callers that drip shut others out"
            with contextlib.suppress(OSError):
                for one in slow:
                    one.sendall(b"A: b\r\n")
            time.sleep(0.1)
            served = statuses(
                raw(server.port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            ) == [b"200"]
        for one in slow:
            one.close()


def test_http_says_that_it_lives_what_it_did_and_how_it_is_used(server: Server, desk: Desk) -> None:
    call(server, "POST", "/v1/conditions", Ask("a home").to_bytes())
    status, _, body = call(server, "GET", "/healthz")
    assert (status, json.loads(body)["fingerprint"]) == (200, desk.fingerprint)
    assert b'geng_cog_replies_total{kind="accepted"} 1\n' in call(server, "GET", "/metrics")[2]
    assert b"/v1/conditions" in call(server, "GET", "/")[2]
    assert b"http://" not in call(server, "GET", "/")[2].replace(b"http://HOST:PORT", b"")
    spec = json.loads(call(server, "GET", "/openapi.json")[2])
    assert spec == openapi()
    assert set(spec["paths"]) == {"/v1/conditions", "/healthz", "/metrics", "/openapi.json"}


def test_http_rejects_a_question_that_nobody_waits_for_when_its_turn_comes(
    server: Server, desk: Desk, double: Double
) -> None:
    """C-8: from its arrival."""
    statuses: dict[str, int] = {}

    def one(task: str, lifetime: float) -> None:
        ask = Ask(task, lifetime=lifetime).to_bytes()
        statuses[task] = call(server, "POST", "/v1/conditions", ask)[0]

    threads = [threading.Thread(target=one, args=each) for each in (("late", 1.0), ("fine", 9.0))]
    with desk.turn:  # at work on something else
        for thread in threads:
            thread.start()
        time.sleep(1.2)
    for thread in threads:
        thread.join(10)
    assert statuses == {"late": 504, "fine": 200}
    assert double.batches == [["fine"]]


def test_http_says_that_it_is_busy_and_bounds_its_connections(generator: Generator) -> None:
    """W-8: busy."""
    slow = Desk(Double(seconds=0.2), generator, "worker-1")
    with Server("127.0.0.1:0", slow) as server:
        seen: list[int] = []

        def one(i: int) -> None:
            try:
                seen.append(call(server, "POST", "/v1/conditions", Ask(f"t {i}").to_bytes())[0])
            except (OSError, http.client.HTTPException):
                seen.append(0)

        threads = [threading.Thread(target=one, args=(i,)) for i in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert seen.count(200) >= 16
        assert seen.count(503) == 24 - seen.count(200)
        idle = [socket.create_connection(server.server_address[:2], 5) for _ in range(70)]
        time.sleep(0.3)
        refused = 0
        for each in idle:
            each.settimeout(0.05)
            try:
                refused += each.recv(12) in (b"", b"HTTP/1.1 503")
            except TimeoutError:
                pass
            except OSError:
                refused += 1
        for each in idle:
            each.close()
        assert refused >= 5
    with pytest.raises(ArgumentError, match="it must be HOST:PORT"):
        Server("8080", slow)
