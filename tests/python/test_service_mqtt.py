"""The gateway on a real mosquitto: asks, answers, hostile traffic, brokers that go and come."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from geng_edge.mqtt.link import Broker, Link, Outgoing
from geng_edge.service.ask import Limits
from geng_edge.service.caller import Caller
from geng_edge.service.gateway import Gateway
from support import broker as brokers
from support.ears import ASK, BASE, WAY, Ear, connected, status
from support.gateways import TEXT, call, gateway, until

pytestmark = pytest.mark.skipif(bool(brokers.missing()), reason=brokers.missing())


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[brokers.Mosquitto]:
    with brokers.mosquitto(tmp_path / "broker") as found:
        yield found


@pytest.fixture
def running(tmp_path: Path, mosquitto: brokers.Mosquitto) -> Iterator[Gateway]:
    with gateway(tmp_path, broker=Broker.parse(mosquitto.url), discovery=True) as found:
        connected(found)
        yield found


def test_s1_s4_a_request_is_accepted_then_answered_with_the_series_on_its_response_topic(
    running: Gateway, mosquitto: brokers.Mosquitto
) -> None:
    """S-1, S-4: asked on the gateway's own branch; accepted, then a result with its properties."""
    with Ear(mosquitto, f"{BASE}/series/answer/tester/+") as ear:
        asked = {**ASK, "transaction": "week-0017"}
        ear.say(f"{BASE}/series/ask", asked, response_topic=WAY, correlation=b"mine")
        accepted, result = ear.hear(), ear.hear()
        assert [status(accepted), status(result)] == ["accepted", "result"]
        assert accepted.correlation == result.correlation == b"mine"
        assert dict(result.user) == {
            "transaction": "week-0017", "status": "result", "position": "1"}  # fmt: skip
        assert result.content_type == "text/csv"
    assert result.payload == call(running, "POST", "/v1/sample", {"text": TEXT, "length": 64})[2]


def test_s5_a_caller_of_mqtt_3_finds_transaction_and_status_in_the_topic(
    running: Gateway, mosquitto: brokers.Mosquitto
) -> None:
    """S-5: without a response topic, on series/answer/<transaction>/<status>."""
    with Ear(mosquitto, f"{BASE}/series/answer/week-0018/+", version=3) as ear:
        ear.say(f"{BASE}/series/ask", {**ASK, "transaction": "week-0018", "format": "json"})
        heard = [ear.hear(), ear.hear()]
        assert [one.topic.rpartition("/")[2] for one in heard] == ["accepted", "result"]
        assert len(json.loads(heard[1].payload)["series"]["series_0"]) == 64
    assert running.outbox.counts()["delivered"] == 1


def test_s7_the_same_request_again_is_sent_again_and_not_done_again(
    running: Gateway, mosquitto: brokers.Mosquitto
) -> None:
    """S-7: same transaction, same bytes, same way back: the ledger's answer; else taken."""
    with Ear(mosquitto, f"{BASE}/series/answer/tester/+") as ear:
        asked = {**ASK, "transaction": "week-0019"}
        heard = []
        for _ in range(3):
            ear.say(f"{BASE}/series/ask", asked, response_topic=WAY)
            heard.append(ear.hear(lambda one: status(one) == "result").payload)
        assert len(set(heard)) == 1
        assert running.outbox.counts()["delivered"] == 1
        ear.say(f"{BASE}/series/ask", {**asked, "seed": 5}, response_topic=WAY)
        refused = ear.hear(lambda one: status(one) == "rejected")
        assert json.loads(refused.payload)["code"] == "taken"


def test_s8_a_cancelled_request_is_rejected(running: Gateway, mosquitto: brokers.Mosquitto) -> None:
    """S-8: cancelled on series/cancel, answered as rejected; S-6: progress in between."""
    entered = threading.Event()

    def slow(_ask: Any, _seed: int, _seconds: float, progress: Any) -> Any:
        entered.set()
        step = 0
        while progress(step, 1000) is not False:
            time.sleep(0.02)
            step += 1
        from geng_edge.errors import CancelledError

        raise CancelledError("sampling was cancelled")

    running.answers.series = slow  # type: ignore[method-assign]
    with Ear(mosquitto, f"{BASE}/series/answer/week-0020/+") as ear:
        ear.say(f"{BASE}/series/ask", {**ASK, "transaction": "week-0020"})
        assert entered.wait(10)
        progress = json.loads(ear.hear(lambda one: status(one) == "progress").payload)
        assert progress["of"] == 1000
        said = {"schema": "geng/v1/series/cancel", "transaction": "week-0020"}
        ear.say(f"{BASE}/series/cancel", said)
        rejected = json.loads(ear.hear(lambda one: status(one) == "rejected").payload)
        assert rejected["code"] == "cancelled"


def test_s9_birth_is_retained_and_the_will_takes_it_back(
    tmp_path: Path, mosquitto: brokers.Mosquitto
) -> None:
    """S-9: online with version, model and limits; offline when it goes."""
    with Ear(mosquitto, f"{BASE}/status") as ear:
        with gateway(tmp_path, broker=Broker.parse(mosquitto.url)) as running:
            born = json.loads(ear.hear().payload)
            assert born["state"] == "online"
            assert born["fingerprint"] == running.answers.fingerprint
            assert born["limits"]["values"] == Limits().values
        assert json.loads(ear.hear().payload) == {"state": "offline"}
    with Ear(mosquitto, f"{BASE}/status") as late:
        assert json.loads(late.hear().payload) == {"state": "offline"}


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"\x80\x04\x95", "not_json"),  # the beginning of a pickle
        (b"", "not_json"),
        ({"schema": "geng/v2/series/ask"}, "schema"),
        ({**ASK, "transaction": "x"}, "schema"),
        ({**ASK, "transaction": "week-0021", "steps": 0}, "argument"),
        ({**ASK, "transaction": "week-0021", "condition": {"npy": "x"}}, "schema"),
        (b" " * 530_000, "too_large"),
    ],
)
def test_s3_a_refused_request_is_told_its_code_on_the_bus(
    running: Gateway, mosquitto: brokers.Mosquitto, payload: Any, code: str
) -> None:
    """S-3, S-10: refused unread over its limit, and each with its code."""
    with Ear(mosquitto, f"{BASE}/series/answer/tester/+") as ear:
        ear.say(f"{BASE}/series/ask", payload, response_topic=WAY, correlation=b"c")
        heard = ear.hear()
        assert (status(heard), heard.correlation) == ("rejected", b"c")
        assert json.loads(heard.payload)["code"] == code
    assert running.outbox.counts()["asked"] == 0


@pytest.mark.usefixtures("running")
def test_s2_an_answer_goes_nowhere_but_below_the_gateways_answers(
    mosquitto: brokers.Mosquitto,
) -> None:
    """S-2: a stranger's would borrow the gateway's rights, one of too many levels breaks its connection."""
    with Ear(mosquitto, f"{BASE}/series/answer/#", "home/#") as ear:
        deep = f"{BASE}/series/answer/x"
        topics = ("home/door/open", f"{BASE}/status", f"{BASE}/series/answering/x",
                  deep + "/" * 26, deep + "/" * 205)  # fmt: skip
        for topic in topics:
            asked = {**ASK, "transaction": "week-0022"}
            ear.say(f"{BASE}/series/ask", asked, response_topic=topic)
            heard = ear.hear()
            assert heard.topic == f"{BASE}/series/answer/unreadable/rejected"
            assert json.loads(heard.payload)["code"] == "response_topic"
        for name, topic in (("week-0023", deep + "/" * 25), ("week-0024", deep)):
            ear.say(f"{BASE}/series/ask", {**ASK, "transaction": name}, response_topic=topic)
            assert ear.hear(lambda one: status(one) == "result").topic == topic


def test_s10_a_retained_request_is_refused_at_every_start(
    tmp_path: Path, mosquitto: brokers.Mosquitto
) -> None:
    """S-10: it would be asked again and again, by nobody."""
    with Ear(mosquitto, f"{BASE}/series/answer/#") as ear:
        ear.say(f"{BASE}/series/ask", {**ASK, "transaction": "week-0023"}, retain=True)
        with gateway(tmp_path, broker=Broker.parse(mosquitto.url)) as running:
            assert json.loads(ear.hear().payload)["code"] == "schema"
            assert running.outbox.counts()["asked"] == 0


def test_answers_wait_in_the_ledger_while_the_broker_is_away(
    tmp_path: Path, mosquitto: brokers.Mosquitto
) -> None:
    with gateway(tmp_path, broker=Broker.parse(mosquitto.url)) as running:
        bus = running.bus
        assert bus is not None
        connected(running)
        with Ear(mosquitto) as ear:
            gate = threading.Event()
            real = running.answers.series

            def slow(*arguments: Any) -> Any:
                assert gate.wait(20)
                return real(*arguments)

            running.answers.series = slow  # type: ignore[method-assign]
            for i in range(3):
                ear.say(f"{BASE}/series/ask", {**ASK, "transaction": f"week-003{i}"})
            until(lambda: running.outbox.counts()["asked"] == 3)
        mosquitto.kill()
        until(lambda: not bus.connected)
        gate.set()
        until(lambda: running.outbox.counts()["answered"] == 3)
        healthy, facts = running.health()
        assert (healthy, facts["connected"]) == (True, False)
        mosquitto.start()
        until(lambda: running.outbox.counts()["delivered"] == 3, 60)
        entries = [running.outbox.get(f"week-003{i}") for i in range(3)]
        assert [entry.position for entry in entries] == [1, 2, 3]


def test_an_answer_that_the_broker_never_takes_is_given_up_and_the_next_goes_on(
    tmp_path: Path,
) -> None:
    acl = tmp_path / "acl"
    acl.write_text(
        f"topic readwrite {BASE}/series/ask\ntopic read {BASE}/series/cancel\n"
        f"topic readwrite {BASE}/status\n"
        f"topic readwrite {BASE}/series/answer/allowed/#\n"
    )
    lines = ("allow_anonymous true", f"acl_file {acl}")
    with (
        brokers.mosquitto(tmp_path / "broker", *lines) as strict,
        gateway(tmp_path, broker=Broker.parse(strict.url)) as running,
        Ear(strict, f"{BASE}/series/answer/allowed/+") as ear,
    ):
        connected(running)
        for name, way in (("week-0040", "denied"), ("week-0041", "allowed")):
            back = f"{BASE}/series/answer/{way}/all"
            ear.say(f"{BASE}/series/ask", {**ASK, "transaction": name}, response_topic=back)
        heard = ear.hear(lambda one: status(one) == "result")
        assert dict(heard.user)["transaction"] == "week-0041"
        until(lambda: running.outbox.counts()["delivered"] == 2)


@pytest.mark.usefixtures("running")
def test_s11_a_caller_has_each_answer_once_whatever_the_broker_repeats(
    mosquitto: brokers.Mosquitto,
) -> None:
    """S-11: in the order of the ledger, a second answer dropped."""
    with Caller(Broker.parse(mosquitto.url), "pi-7") as caller:
        names = [caller.ask(text=TEXT, length=64, seed=i) for i in range(20)]
        for name in names[:5]:  # impatient
            caller._open[name].again = 0.0
        had = []
        while caller.waiting:
            result = caller.answer(20)
            assert result is not None
            had.append(result)
        assert caller.answer(1.0) is None
        assert sorted(one.transaction for one in had) == sorted(names)
        assert [one.position for one in had] == list(range(1, 21))
        assert all(one.payload.startswith(b"time,series_0\n") for one in had)


def test_a_flood_is_refused_or_answered_and_memory_stays_bounded(
    running: Gateway, mosquitto: brokers.Mosquitto
) -> None:
    """What the bus holds is bounded by the inbox, the notices and the ledger; nothing else grows."""
    from geng_edge.service.metrics import resident_bytes

    garbage = b"{" * 400_000
    with Ear(mosquitto) as ear:
        ear.link.publish_all([Outgoing(f"{BASE}/series/ask", garbage, 0)] * 20, 20)
        before = resident_bytes()
        for _ in range(20):
            ear.link.publish_all([Outgoing(f"{BASE}/series/ask", garbage, 0)] * 20, 20)
        ear.link.publish(Outgoing(f"{BASE}/series/ask", bytes(10 * 2**20)), 20)
        ear.link.publish(Outgoing(f"{BASE}/{'x' * 60_000}", b""), 20)
        ear.say(f"{BASE}/series/ask", {**ASK, "transaction": "week-0050"})
    until(lambda: running.outbox.counts()["delivered"] == 1, 60)
    assert resident_bytes() - before < 64 * 2**20
    assert b'geng_refused_total{road="mqtt",code="too_large"}' in running.metrics.text()


def test_a_fault_in_reading_one_message_holds_up_no_other(
    running: Gateway, mosquitto: brokers.Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = running.answers.check

    def check(ask: Any) -> None:
        if ask.transaction.startswith("poison"):
            raise ZeroDivisionError
        real(ask)

    monkeypatch.setattr(running.answers, "check", check)
    with Ear(mosquitto, f"{BASE}/series/answer/week-0060/result") as ear:
        for i in range(40):  # more than may be unacknowledged
            ear.say(f"{BASE}/series/ask", {**ASK, "transaction": f"poison-{i:04}"})
        ear.say(f"{BASE}/series/ask", {**ASK, "transaction": "week-0060"})
        ear.hear()


def test_a_gateway_that_the_broker_refuses_stays_up_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("")
    lines = ("allow_anonymous false", f"password_file {passwords}")
    stop = threading.Event()
    with (
        brokers.mosquitto(tmp_path / "broker", *lines) as strict,
        gateway(tmp_path, broker=Broker.parse(strict.url)) as running,
    ):
        thread = threading.Thread(target=running.run, args=(stop,))
        thread.start()
        until(lambda: "refuses the connection" in caplog.text)
        assert call(running, "POST", "/v1/sample", {"text": TEXT, "length": 64})[0] == 200
        status, _, body = call(running, "GET", "/healthz")
        assert (status, json.loads(body)["connected"]) == (200, False)
        stop.set()
        thread.join(5)


def test_signs_of_life_go_to_systemd(
    tmp_path: Path, mosquitto: brokers.Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    address = tmp_path / "notify"
    heard: queue.Queue[bytes] = queue.Queue()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        systemd.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(address))
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        stop = threading.Event()
        with gateway(tmp_path, broker=Broker.parse(mosquitto.url)) as running:
            thread = threading.Thread(target=running.run, args=(stop,))
            thread.start()
            for _ in range(3):
                heard.put(systemd.recv(100))
            running.worker.stop(
                5
            )  # a part that is dead: no more signs, so that systemd restarts us
            time.sleep(0.5)
            systemd.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while systemd.recv(100):
                    pass
            time.sleep(0.5)
            with pytest.raises(BlockingIOError):
                systemd.recv(100)
            systemd.settimeout(10)
            stop.set()
            thread.join(5)
            assert systemd.recv(100) == b"STOPPING=1"
    assert [heard.get() for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]


def test_what_the_broker_kept_for_a_link_is_acknowledged_although_it_comes_before_the_link_stands(
    mosquitto: brokers.Mosquitto,
) -> None:
    def link() -> Link:
        return Link(
            Broker.parse(mosquitto.url), client_id="sleeper", subscriptions=["kept"],
            session_expiry=60, inbox=2,
        )  # fmt: skip

    with link() as sleeper:
        sleeper.ready(10)
    with Ear(mosquitto) as ear:
        for i in range(8):
            ear.say("kept", str(i).encode())
    had = set()
    with link() as sleeper:
        while len(had) < 8:  # the third comes only where the first is acknowledged
            found = sleeper.receive(5)
            assert found is not None
            sleeper.acknowledge(found)
            had.add(found.payload)
