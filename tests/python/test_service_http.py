"""The gateway by HTTP: what it answers, what it refuses and with which code, and that it stays up."""

from __future__ import annotations

import base64
import configparser
import hashlib
import io
import json
import pickle
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geng_edge import Condition, Generator
from geng_edge.cli.main import build_parser, main
from geng_edge.errors import ArgumentError, BrokerError, CancelledError, GengError, OutputError
from geng_edge.generator import Progress
from geng_edge.request import SOLVERS, Request
from geng_edge.series import Series
from geng_edge.service import worker
from geng_edge.service.ask import FORMATS, Ask, Limits
from geng_edge.service.gateway import Gateway
from geng_edge.service.http import Walls
from geng_edge.service.outbox import Bounds
from geng_edge.wire.condition import Accepted, pack
from geng_edge.wire.fingerprint import fingerprint
from support import road
from support.gateways import MODEL, TEXT, call, gateway, raw, until

ASK = {"text": TEXT, "length": 64}
POST = b"POST /v1/sample HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path, limits=Limits(values=65_536)) as found:
        yield found


def rejected(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, str, str]:
    """Status, code and sentence of a refusal."""
    status, _, body = answer
    found = json.loads(body)
    assert found["status"] == "rejected"
    return status, found["code"], found["sentence"]


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


def test_a_request_gets_the_bytes_that_the_command_line_writes(
    running: Gateway, tmp_path: Path
) -> None:
    asked = {"text": TEXT, "count": 2, "length": 128, "interval": 0.5, "seed": 9, "steps": 3}
    for form in ("csv", "json"):
        status, headers, body = call(running, "POST", "/v1/sample", {**asked, "format": form})
        assert status == 200
        assert headers["X-Geng-Position"] in ("1", "2")
        out = tmp_path / f"x.{form}"
        command = ["sample", "--model", str(MODEL), "--text", TEXT, "-n", "2", "--length", "128",
                   "--interval", "0.5", "--seed", "9", "--steps", "3", "--out", str(out)]  # fmt: skip
        assert main(command) == 0
        assert body == out.read_bytes()


def test_cbor_holds_the_values_as_float32(running: Gateway) -> None:
    cbor2 = pytest.importorskip("cbor2")
    asked = {**ASK, "count": 2, "unit": "V", "interval": 2.0}
    status, headers, body = call(running, "POST", "/v1/sample", {**asked, "format": "cbor"})
    assert (status, headers["Content-Type"]) == (200, "application/cbor")
    found = cbor2.loads(body)
    generator = running.answers.generator
    condition = Condition.from_text(TEXT, 2.0, generator)
    expected = generator.generate(condition, 2, length=64).values
    assert found["unit"] == "V"
    for i in range(2):
        row = found["series"][f"series_{i}"]
        assert row.tag == 85
        assert row.value == expected[i].tobytes()


def test_a_condition_made_elsewhere_gives_the_series_of_its_text(running: Gateway) -> None:
    status, headers, npy = call(running, "POST", "/v1/conditions", {"text": TEXT})
    assert status == 200
    assert headers["X-Geng-Sha256"] == hashlib.sha256(npy).hexdigest()
    assert np.load(io.BytesIO(npy), allow_pickle=False).dtype == np.float32
    condition = {
        "npy": base64.b64encode(npy).decode(),
        "sha256": headers["X-Geng-Sha256"],
        "fingerprint": headers["X-Geng-Fingerprint"],
    }
    one = call(running, "POST", "/v1/sample", {"condition": condition, "length": 64})
    two = call(running, "POST", "/v1/sample", ASK)
    assert one[0] == two[0] == 200
    assert one[2] == two[2]


@pytest.mark.parametrize(
    "settings",
    [
        {"count": 0},
        {"length": 65},
        {"steps": 501},
        {"seed": -1},
        {"seed": 2**64},
        {"solver": "euler"},
        {"guidance": 21},
        {"eta": 2},
        {"interval": 0},
        {"start": "yesterday"},
        {"interval": 1e9, "length": 512},
        {"text": " "},
        {"text": "x" * 20_001},
    ],
)
def test_what_the_command_line_refuses_is_refused_with_the_same_sentence(
    running: Gateway, settings: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {**ASK, **settings}
    status, code, sentence = rejected(call(running, "POST", "/v1/sample", asked))
    command = ["sample", "--model", str(MODEL)]
    for key, value in asked.items():
        command += [f"--{key}", str(value)]
    assert main(command) == 2
    said = capsys.readouterr().err.strip().removeprefix("geng-edge: ")
    assert (status, code, sentence) == (400, "argument", said)
    assert running.outbox.counts()["asked"] == 0


def _condition(**changes: object) -> dict[str, object]:
    generator = Generator.load(MODEL, threads=1)
    good = pack(Condition.from_text(TEXT, 1.0, generator))
    return {**good, "fingerprint": fingerprint(generator), **changes}


def _npy(array: Any, **options: Any) -> dict[str, object]:
    file = io.BytesIO()
    np.save(file, array, **options)
    return _stated(file.getvalue())


def _stated(data: bytes) -> dict[str, object]:
    text = base64.b64encode(data).decode()
    return _condition(npy=text, sha256=hashlib.sha256(data).hexdigest())


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
    (lambda: _condition(fingerprint="0" * 64), "foreign_model"),
    (lambda: _condition(sha256="0" * 64), "digest"),
    (lambda: _condition(npy="not base64!"), "latent"),
    (lambda: _condition(npy=5), "schema"),
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


def test_the_same_request_again_is_answered_from_the_ledger(running: Gateway) -> None:
    asked = {**ASK, "transaction": "week-0017"}
    first = call(running, "POST", "/v1/sample", asked)
    second = call(running, "POST", "/v1/sample", asked)
    assert first[0] == second[0] == 200
    assert first[2] == second[2]
    assert first[1]["X-Geng-Position"] == second[1]["X-Geng-Position"]
    assert running.outbox.counts()["delivered"] == 1
    other = call(running, "POST", "/v1/sample", {**asked, "seed": 1})
    assert rejected(other)[:2] == (409, "taken")


def test_a_caller_need_not_wait(running: Gateway) -> None:
    slow = Slow(running)
    status, headers, _ = call(running, "POST", "/v1/sample?wait=0", ASK)
    assert status == 202
    assert call(running, "GET", headers["Location"])[0] == 202
    slow.go.set()
    status, headers, body = call(running, "GET", headers["Location"] + "?wait=20")
    assert status == 200
    assert body.startswith(b"time,series_0\n")


@pytest.mark.parametrize("begun", [True, False])
def test_cancel_ends_a_request_that_is_being_sampled_or_waits(
    running: Gateway, begun: bool
) -> None:
    slow = Slow(running)
    names = [call(running, "POST", "/v1/sample?wait=0", {**ASK, "seed": i})[1] for i in range(2)]
    assert slow.entered.wait(10)
    where = names[0 if begun else 1]["Location"]
    _, _, body = call(running, "DELETE", where)
    assert json.loads(body)["cancelled"] is True
    assert rejected(call(running, "GET", where + "?wait=10"))[:2] == (409, "cancelled")
    slow.go.set()
    other = names[1 if begun else 0]["Location"]
    assert call(running, "GET", other + "?wait=10")[0] == 200
    assert json.loads(call(running, "DELETE", other)[2])["cancelled"] is False


def test_a_request_past_its_lifetime_is_rejected(running: Gateway) -> None:
    slow = Slow(running)
    began = time.monotonic()
    answer = call(running, "POST", "/v1/sample", {**ASK, "lifetime": 0.2})
    assert rejected(answer)[:2] == (504, "expired")
    assert time.monotonic() - began < 5
    slow.go.set()


def test_a_full_queue_refuses_until_there_is_room(tmp_path: Path) -> None:
    with gateway(tmp_path, bounds=Bounds(waiting=2)) as running:
        slow = Slow(running)
        for i in range(2):
            assert call(running, "POST", "/v1/sample?wait=0", {**ASK, "seed": i})[0] == 202
        answer = call(running, "POST", "/v1/sample?wait=0", {**ASK, "seed": 2})
        assert rejected(answer)[:2] == (503, "busy")
        assert answer[1]["Retry-After"] == "1"
        slow.go.set()
        until(lambda: running.outbox.counts()["asked"] == 0)
        assert call(running, "POST", "/v1/sample", {**ASK, "seed": 2})[0] == 200


def test_what_was_asked_before_a_stop_is_answered_after_it(tmp_path: Path) -> None:
    with gateway(tmp_path) as running:
        slow = Slow(running)
        where = call(running, "POST", "/v1/sample?wait=0", ASK)[1]["Location"]
        assert slow.entered.wait(10)
    with gateway(tmp_path) as running:
        status, _, body = call(running, "GET", where + "?wait=20")
        assert status == 200
        assert body == call(running, "POST", "/v1/sample", ASK)[2]


def test_a_fault_is_answered_and_the_next_request_is_served(
    running: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Series:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(running.answers, "series", broken)
        assert rejected(call(running, "POST", "/v1/sample", ASK))[:2] == (500, "internal")
    assert call(running, "POST", "/v1/sample", ASK)[0] == 200


def test_a_request_outlasts_a_full_disk(running: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_PAUSE_WHEN_FULL", 0.01)
    real, refusals = running.outbox.answer_all, []

    def full(answers: Any) -> list[bool]:
        if len(refusals) < 6:
            refusals.append(answers)
            raise OutputError("outbox.db: database or disk is full; nothing was written")
        return real(answers)

    monkeypatch.setattr(running.outbox, "answer_all", full)
    assert call(running, "POST", "/v1/sample", ASK)[0] == 200
    assert len(refusals) == 6


def test_a_request_that_ends_the_gateway_each_time_is_given_up(tmp_path: Path) -> None:
    with gateway(tmp_path, http=None) as running:
        running.worker.stop(5)
        entry = running.ask_http(json.dumps(ASK).encode())
        for _ in range(3):  # begun, and never done
            running.outbox.begin(entry.position)
    with gateway(tmp_path, http=None) as running:
        found = running.worker.wait(entry.id, time.monotonic() + 10)
        assert found.code == "internal"
        assert b"begun 3 times" in (found.answer or b"")


def test_health_and_figures_tell_what_works(running: Gateway) -> None:
    call(running, "POST", "/v1/sample", ASK)
    status, _, body = call(running, "GET", "/healthz")
    found = json.loads(body)
    assert status == 200
    assert found["parts"] == {"worker": True, "sensors": True, "http": True}
    assert found["fingerprint"] == fingerprint(running.answers.generator)
    _, headers, text = call(running, "GET", "/metrics")
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = text.decode().splitlines()
    assert 'geng_answered_total{outcome="result"} 1' in lines
    assert 'geng_sample_seconds_bucket{le="+Inf"} 1' in lines
    assert "geng_ledger_delivered 1.0" in lines
    running.worker.stop(5)
    assert call(running, "GET", "/healthz")[0] == 503


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
    answer = raw(running, data)
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
                raw(running, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")[9:12] == b"200"
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
        until(lambda: raw(running, b"")[9:12] == b"503")
        for one in held:
            one.close()
        until(
            lambda: (
                raw(running, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")[9:12] == b"200"
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


def test_the_ledger_takes_the_largest_answer_that_it_admits(running: Gateway) -> None:
    for form in ("csv", "json"):
        asked = {"text": TEXT, "count": 16, "length": 4096, "interval": 1e-6, "format": form}
        assert call(running, "POST", "/v1/sample", asked)[0] == 200
    assert running.outbox.counts()["bytes"] > 1_000_000


def test_serve_refuses_settings_that_do_not_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outbox = str(tmp_path / "o.db")
    common = ["serve", "--model", str(MODEL), "--outbox", outbox]
    for options, sentence in [
        (["--http", "off"], "there must be one of them"),
        (["--http", "nowhere"], "it must be HOST:PORT or off"),
        (["--http", "192.0.2.1:1"], "it must be a free address"),
        (["--gateway", "A B"], "it must be 1 to 63 lower-case letters"),
        (["--queue", "0"], "queue is 0; it must be 1 to"),
        (["--replay", "room=x", "--http", "127.0.0.1:0"], "without a broker"),
        (["--broker", "http://x"], "it must be mqtt://"),
    ]:
        assert main([*common, *options]) == 2
        assert sentence in capsys.readouterr().err


def test_a_request_is_kept_as_it_was_understood() -> None:
    asked = {"schema": "geng/v1/series/ask", "transaction": "week-0017", "text": TEXT, "seed": 3}
    ask = Ask.from_dict(asked, Limits())
    assert ask.request == Request(seed=3)
    assert Ask.read(ask.to_bytes(), Limits()) == ask
    with pytest.raises(ArgumentError, match="count is 2; it must be 1 for a sensor"):
        Ask.from_dict({**asked, "count": 2, "replay": {"sensor": "room"}}, Limits())


def test_a_task_is_drawn_as_the_cloud_describes_it(tmp_path: Path) -> None:
    width = Generator.load(MODEL, threads=1).condition_width
    asked: list[tuple[str, float]] = []

    def fetch(task: str, seconds: float) -> Accepted:
        asked.append((task, seconds))
        if "moon" in task:
            raise BrokerError(
                "broker brought no answer in time; a worker must be there to give one"
            )
        said = road.weather(task)
        conditions = tuple(road.condition(width=width, seed=i) for i in range(2))
        return Accepted("transaction-1", said, conditions, road.FINGERPRINT)

    with gateway(tmp_path, fetch=fetch) as running:
        status, _, body = call(running, "POST", "/v1/sample", {"task": "a garden", "seed": 2})
        assert status == 200
        lines = body.decode().splitlines()
        assert lines[0] == "time,temperature_0 [degC],humidity_0 [%]"
        assert len(lines) == 1 + 1008
        assert asked[0][0] == "a garden"
        assert 0 < asked[0][1] <= 20
        assert rejected(call(running, "POST", "/v1/sample", {"task": "a moon base"}))[:2] == (
            502,
            "broker",
        )
        answer = call(running, "POST", "/v1/sample", {"task": "a garden", "length": 64})
        assert rejected(answer)[1:] == (
            "argument",
            "length is given with a task; it comes from the cloud's answer",
        )
        many = call(running, "POST", "/v1/sample", {"task": "a garden", "count": 500})
        assert rejected(many)[:2] == (413, "too_large")


def test_the_schemas_say_what_the_code_says(running: Gateway) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    folder = resources.files("geng_edge.wire") / "schemas"
    ask = json.loads((folder / "series_ask.json").read_text(encoding="utf-8"))
    said = json.loads((folder / "series_answer.json").read_text(encoding="utf-8"))
    for each in (ask, said):
        jsonschema.Draft202012Validator.check_schema(each)
    assert ask["properties"]["solver"]["enum"] == [*SOLVERS, None]
    assert ask["properties"]["format"]["enum"] == list(FORMATS)
    base = {"schema": "geng/v1/series/ask", "transaction": "week-0017"}
    replay = {"sensor": "room", "speed": 2.0}
    for good in ({"text": TEXT, "replay": replay}, {"task": "x"}, {"condition": _condition()}):
        jsonschema.validate(json.loads(Ask.from_dict({**base, **good}, Limits()).to_bytes()), ask)
    for wrong in (
        {"count": 0}, {"length": 65}, {"steps": 501}, {"solver": "euler"}, {"guidance": -1},
        {"eta": 2}, {"seed": -1}, {"interval": 0}, {"format": "pickle"}, {"lifetime": 0}, {"x": 1},
        {"transaction": "short"}, {"replay": {"sensor": "A"}}, {"replay": {"sensor": "a", "speed": 0}},
        {"task": "x"}, {"condition": {}},
    ):  # fmt: skip
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**base, "text": TEXT, **wrong}, ask)
        with pytest.raises(GengError):
            Ask.from_dict({**base, "text": TEXT, **wrong}, Limits())
    refused = call(running, "POST", "/v1/sample", {"text": ""})[2]
    waiting = call(running, "POST", "/v1/sample?wait=0", ASK)[2]
    jsonschema.validate(json.loads(refused), said)
    if waiting.startswith(b"{"):  # else it was done already
        jsonschema.validate(json.loads(waiting), said)


def test_the_unit_file_starts_the_command_as_it_is(tmp_path: Path) -> None:
    path = Path(__file__).parents[2] / "examples" / "systemd" / "geng-edge.service"
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(path)
    service = unit["Service"]
    assert (service["Type"], int(service["WatchdogSec"])) == ("notify", 60)
    program, *command = service["ExecStart"].split()
    assert Path(program).name == "geng-edge"
    arguments = build_parser().parse_args(command)
    assert arguments.command == "serve"
    if shutil.which("systemd-analyze") is not None:
        here = tmp_path / path.name
        here.write_text(path.read_text().replace(program, "/bin/true"))
        done = subprocess.run(
            ["systemd-analyze", "verify", str(here)], capture_output=True, text=True, check=False
        )
        assert path.name not in done.stderr, done.stderr
