"""The gateway by HTTP: what it answers, what it refuses and with which code, and that it stays up."""

from __future__ import annotations

import base64
import doctest
import hashlib
import importlib
import io
import json
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geng_edge import Condition
from geng_edge.cli.main import main
from geng_edge.errors import ArgumentError, GengError, OutputError
from geng_edge.request import SOLVERS, Request
from geng_edge.series import Series
from geng_edge.service import worker
from geng_edge.service.ask import FORMATS, Ask, Limits
from geng_edge.service.entries import Bounds
from geng_edge.service.gateway import Gateway
from geng_edge.wire.condition import pack
from geng_edge.wire.fingerprint import fingerprint
from support.gateways import ASK, MODEL, TEXT, Slow, call, gateway, rejected, until


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path, limits=Limits(values=65_536)) as found:
        yield found


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


def test_a_condition_is_made_for_the_length_that_is_asked(running: Gateway) -> None:
    text = "12 cycles in the window, values 0 to 1"
    generator = running.answers.generator
    for length in (512, 1024):
        _, _, npy = call(running, "POST", "/v1/conditions", {"text": text, "length": length})
        assert npy == Condition.from_text(text, 1.0, generator, length).to_bytes()
    asked = {"text": text, "length": 100}
    assert rejected(call(running, "POST", "/v1/conditions", asked)) == rejected(
        call(running, "POST", "/v1/sample", asked)
    )


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
    assert json.loads(other[2])["transaction"] == "week-0017"


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


def test_the_ledger_takes_the_largest_answer_that_it_admits(running: Gateway) -> None:
    for form in ("csv", "json"):
        asked = {"text": TEXT, "count": 16, "length": 4096, "interval": 1e-6, "format": form}
        assert call(running, "POST", "/v1/sample", asked)[0] == 200
    assert running.outbox.counts()["bytes"] > 1_000_000


def test_a_request_is_kept_as_it_was_understood() -> None:
    asked = {"schema": "geng/v1/series/ask", "transaction": "week-0017", "text": TEXT, "seed": 3}
    ask = Ask.from_dict(asked, Limits())
    assert ask.request == Request(seed=3)
    assert Ask.read(ask.to_bytes(), Limits()) == ask
    with pytest.raises(ArgumentError, match="count is 2; it must be 1 for a sensor"):
        Ask.from_dict({**asked, "count": 2, "replay": {"sensor": "room"}}, Limits())


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
    generator = running.answers.generator
    made = {
        **pack(Condition.from_text(TEXT, 1.0, generator)),
        "fingerprint": fingerprint(generator),
    }
    for good in ({"text": TEXT, "replay": replay}, {"task": "x"}, {"condition": made}):
        jsonschema.validate(json.loads(Ask.from_dict({**base, **good}, Limits()).to_bytes()), ask)
    for wrong in (
        {"count": 0}, {"length": 65}, {"steps": 501}, {"solver": "euler"}, {"guidance": -1},
        {"eta": 2}, {"seed": -1}, {"interval": 0}, {"format": "pickle"}, {"lifetime": 0}, {"x": 1},
        {"unit": "kg,m"}, {"unit": "u" * 41},
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


def test_examples_of_the_service_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENG_MODEL", str(MODEL))
    for name in ("outbox", "topics", "gateway"):
        result = doctest.testmod(importlib.import_module(f"geng_edge.service.{name}"))
        assert result.attempted > 0
        assert result.failed == 0
