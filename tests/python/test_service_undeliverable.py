"""Answers that a broker does not take: given up or rejected instead, and those behind them go out."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from geng_edge.mqtt.link import Broker, Incoming
from geng_edge.service.entries import BUS, Asked, Entry
from geng_edge.service.gateway import Gateway
from geng_edge.service.outbox import Outbox
from support import broker as brokers
from support.ears import ASK, BASE, WAY, Ear, connected, status
from support.gateways import gateway, until

pytestmark = pytest.mark.skipif(bool(brokers.missing()), reason=brokers.missing())

SMALL = ("allow_anonymous true", "max_packet_size 100000")
LARGE = {"count": 20, "length": 512}


@pytest.fixture(autouse=True)
def _short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geng_edge.mqtt.link._FIRST_DELAY", 0.05)


@contextlib.contextmanager
def heard_through(
    folder: Path, *lines: str, hears: str = "tester/+", version: int | None = None
) -> Iterator[tuple[Gateway, Ear]]:
    """A gateway that listens on a broker of these settings, and an ear for its answers."""
    with (
        brokers.mosquitto(folder / "broker", *lines) as broker,
        gateway(folder, broker=replace(Broker.parse(broker.url), version=version)) as running,
        Ear(broker, f"{BASE}/series/answer/{hears}") as ear,
    ):
        connected(running)
        yield running, ear


def owe(path: Path, answers: Sequence[tuple[str, str]]) -> None:
    """A ledger that owes an answer for each id and response topic."""
    with Outbox(path) as outbox:
        for name, topic in answers:
            digest = hashlib.sha256(name.encode()).digest()
            asked = Asked(name, BUS, b"{}", digest, time.time() + 60, 100, topic)
            (entry,) = outbox.ask([asked])
            assert isinstance(entry, Entry)
            assert outbox.answer(entry.position, name.encode(), "text/csv")


def said(incoming: Incoming) -> tuple[str, str]:
    return dict(incoming.user)["transaction"], status(incoming)


def final(incoming: Incoming) -> bool:
    return status(incoming) in ("result", "rejected")


def test_an_answer_that_breaks_every_connection_is_given_up_once_and_for_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    poison = f"{BASE}/series/answer/tester" + "/" * 205
    names = ["good-0001", "poison-01", "good-0002"]
    owe(tmp_path / "outbox.db", [(n, poison if n == "poison-01" else WAY) for n in names])
    with (
        brokers.mosquitto(tmp_path / "broker") as broker,
        Ear(broker, f"{BASE}/series/answer/tester/+") as ear,
    ):
        with gateway(tmp_path, broker=Broker.parse(broker.url)) as running:
            heard = {said(ear.hear()), said(ear.hear(lambda one: one.payload == b"good-0002"))}
            assert heard == {("good-0001", "result"), ("good-0002", "result")}
            until(lambda: running.outbox.counts()["delivered"] == 3)
            assert b'geng_events_total{event="given_up"} 1\n' in running.metrics.text()
            assert b'geng_events_total{event="delivered"} 2\n' in running.metrics.text()
            assert running.outbox.get("poison-01").answer == b"poison-01"
        assert caplog.text.count("answer to poison-01 is given up") == 1
        assert "lost: the broker says Protocol error, at once" in caplog.text
        with gateway(tmp_path, broker=Broker.parse(broker.url)) as running:
            connected(running)
            asked = {**ASK, "transaction": "good-0003"}
            ear.say(f"{BASE}/series/ask", asked, response_topic=WAY)
            assert said(ear.hear(final)) == ("good-0003", "result")
            assert running.bus is not None
            assert running.bus._link.connections == 1


def test_s10_an_answer_over_the_brokers_limit_is_rejected_and_the_next_goes_on(
    tmp_path: Path,
) -> None:
    """S-10: too_large in its place, again where it is asked again; the ledger keeps the answer."""
    with (
        brokers.mosquitto(tmp_path / "broker", *SMALL) as broker,
        Ear(broker, f"{BASE}/series/answer/tester/+") as ear,
    ):

        def ask(name: str, **more: int) -> tuple[str, str]:
            asked = {**ASK, "transaction": name, **more}
            ear.say(f"{BASE}/series/ask", asked, response_topic=WAY, correlation=b"mine")
            heard.append(ear.hear(final))
            return said(heard[-1])

        heard: list[Incoming] = []
        for again in range(2):
            with gateway(tmp_path, broker=Broker.parse(broker.url)) as running:
                connected(running)
                assert ask(f"good-000{again}") == (f"good-000{again}", "result")
                assert ask("large-001", **LARGE) == ("large-001", "rejected")
                assert ask(f"good-001{again}") == (f"good-001{again}", "result")
                refusal = json.loads(heard[-2].payload)
                assert refusal["code"] == "too_large"
                assert refusal["sentence"].endswith(
                    "takes at most 100000: ask for fewer or shorter series"
                )
                assert heard[-2].correlation == b"mine"
                assert dict(heard[-2].user)["position"] == "2"
                kept = running.outbox.get("large-001")
                assert (kept.code, len(kept.answer or b"") > 100_000) == ("", True)
                assert running.bus is not None
                assert running.bus._link.connections == 1


def test_an_answer_over_a_limit_that_3_1_1_does_not_tell_is_given_up_and_its_asker_told(
    tmp_path: Path,
) -> None:
    with heard_through(tmp_path, *SMALL, hears="+/+", version=3) as (running, ear):
        for name, more in (("good-0001", {}), ("large-001", LARGE), ("good-0002", {})):
            ear.say(f"{BASE}/series/ask", {**ASK, "transaction": name, **more})
        answered: dict[str, str] = {}
        while len(answered) < 3:
            heard = ear.hear(final)
            _, name, what = heard.topic.rsplit("/", 2)
            answered[name] = what
            if what == "rejected":
                assert json.loads(heard.payload)["code"] == "internal"
        assert answered == {"good-0001": "result", "large-001": "rejected", "good-0002": "result"}
        until(lambda: running.outbox.counts()["delivered"] == 3)


def test_a_notice_over_the_brokers_limit_keeps_no_other_back(tmp_path: Path) -> None:
    lines = ("allow_anonymous true", "max_packet_size 40000")
    with heard_through(tmp_path, *lines) as (running, ear):
        asked = {**ASK, "transaction": "large-001"}
        way = f"{BASE}/series/answer/other/all"
        ear.say(f"{BASE}/series/ask", asked, response_topic=way, correlation=bytes(39_800))
        ear.say(f"{BASE}/series/ask", {**ASK, "transaction": "good-0001"}, response_topic=WAY)
        heard = {said(ear.hear()), said(ear.hear())}
        assert heard == {("good-0001", "accepted"), ("good-0001", "result")}
        until(lambda: running.outbox.counts()["delivered"] == 2)
        assert b'geng_events_total{event="given_up"} 1\n' in running.metrics.text()
        assert running.bus is not None
        assert running.bus._link.connections == 1


def test_no_answer_is_given_up_for_what_the_broker_refuses_the_gateway_itself(
    tmp_path: Path,
) -> None:
    acl = tmp_path / "acl"  # without the status, and so without the birth
    allowed = ("series/ask", "series/cancel", "series/answer/#")
    acl.write_text("".join(f"topic readwrite {BASE}/{each}\n" for each in allowed))
    owe(tmp_path / "outbox.db", [("good-0001", WAY), ("good-0002", WAY)])
    lines = ("allow_anonymous true", f"acl_file {acl}")
    with (
        brokers.mosquitto(tmp_path / "broker", *lines) as broker,
        gateway(tmp_path, broker=Broker.parse(broker.url)) as running,
    ):
        bus = running.bus
        assert bus is not None
        until(lambda: "must allow it" in str(bus.problem))
        time.sleep(0.5)  # two turns of the courier
        assert running.outbox.counts()["answered"] == 2
