"""Tasks asked by HTTP: drawn as the cloud describes them, queued, given room, cancelled."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from geng_edge import Generator
from geng_edge.errors import BrokerError
from geng_edge.service.answers import Fetch
from geng_edge.service.ask import Ask, Limits
from geng_edge.service.entries import Bounds, Entry
from geng_edge.wire.condition import Accepted
from support import road
from support.gateways import ASK, MODEL, Slow, call, gateway, rejected, until


def make_fetch(days: float) -> Fetch:
    """A cloud that speaks of two channels for so long, every ten minutes."""
    width = Generator.load(MODEL, threads=1).condition_width

    def fetch(task: str, _seconds: float) -> Accepted:
        said = replace(road.weather(task), span=days * road.DAY)
        conditions = tuple(road.condition(width=width, seed=i) for i in range(2))
        return Accepted("transaction-1", said, conditions, road.FINGERPRINT)

    return fetch


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


def test_as_many_tasks_wait_as_the_queue_takes(tmp_path: Path) -> None:
    with gateway(tmp_path, make_fetch(7), http=None) as running:
        running.worker.stop(5)
        ask = {"schema": "geng/v1/series/ask", "task": "a garden"}
        asks = [
            Ask.from_dict({**ask, "transaction": f"garden-{i:04}"}, running.limits).asked("http")
            for i in range(257)
        ]
        found = running.outbox.ask(asks)
        assert [isinstance(one, Entry) for one in found] == [True] * 256 + [False]
        assert "256 requests wait" in str(found[-1])


@pytest.mark.parametrize("lifetime", [2.0, 60.0])
def test_a_task_of_more_values_than_thought_waits_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lifetime: float
) -> None:
    bounds, limits = Bounds(size=2 * 2**20), Limits(values=32_768)
    with gateway(tmp_path, make_fetch(16_384 / 144), bounds=bounds, limits=limits) as running:
        many = {**ASK, "count": 8, "length": 4096}
        first = call(running, "POST", "/v1/sample?wait=0", many)[1]["Location"]
        until(lambda: running.outbox.counts()["answered"] == 1)
        slow = Slow(running)
        task = {"task": "a garden", "lifetime": lifetime}
        where = call(running, "POST", "/v1/sample?wait=0", task)[1]["Location"]
        long = {**ASK, "length": 30_720}
        last = call(running, "POST", "/v1/sample?wait=0", long)[1]["Location"]
        real, tries = running.outbox.fits, list[bool]()
        monkeypatch.setattr(
            running.outbox, "fits", lambda *given: tries.append(real(*given)) or tries[-1]
        )
        slow.go.set()
        until(lambda: tries)
        assert not tries[0]
        assert running.outbox.counts()["bytes"] <= bounds.size
        if lifetime == 2.0:
            assert rejected(call(running, "GET", where + "?wait=20"))[:2] == (504, "expired")
        else:
            assert call(running, "GET", where)[0] == 202
            assert call(running, "GET", first)[0] == 200
            status, _, body = call(running, "GET", where + "?wait=20")
            assert (status, body.count(b"\n")) == (200, 1 + 16_384)
        assert call(running, "GET", last + "?wait=20")[0] == 200


@pytest.mark.parametrize("span", [7, 60])  # drawn together, and each chained by itself
def test_a_task_of_several_channels_is_cancelled_and_ends_with_its_lifetime(
    tmp_path: Path, span: int
) -> None:
    with gateway(tmp_path, make_fetch(span)) as running:
        begun = time.monotonic()
        asked = {"task": "a garden", "count": 130 * 7 // span}
        answer = call(running, "POST", "/v1/sample", {**asked, "lifetime": 0.2})
        assert rejected(answer)[:2] == (504, "expired")
        where = call(running, "POST", "/v1/sample?wait=0", asked)[1]["Location"]
        until(lambda: running.worker._current is not None)
        sign = running.worker.sign
        until(lambda: running.worker.sign > sign)
        assert json.loads(call(running, "DELETE", where)[2])["cancelled"] is True
        until(lambda: running.worker._current is None, 2.0)
        assert time.monotonic() - begun < 5.0
