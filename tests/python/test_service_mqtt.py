"""The gateway on a real mosquitto: asks, answers, virtual sensors, hostile traffic, crashes."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, final

import pytest

from support import broker as brokers
from support.gateways import MODEL, TEXT, call, gateway, until

pytestmark = pytest.mark.skipif(bool(brokers.missing()), reason=brokers.missing())

from geng_edge.generator import Generator  # noqa: E402
from geng_edge.mqtt.link import Broker, Incoming, Link, Outgoing  # noqa: E402
from geng_edge.service import sensors  # noqa: E402
from geng_edge.service.ask import Limits  # noqa: E402
from geng_edge.service.caller import Caller  # noqa: E402
from geng_edge.service.gateway import Gateway  # noqa: E402

ASK = {"schema": "geng/v1/series/ask", "text": TEXT, "length": 64}
BASE = "geng/v1/edge/pi-7"
WAY = f"{BASE}/series/answer/tester/all"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[brokers.Mosquitto]:
    with brokers.mosquitto(tmp_path / "broker") as found:
        yield found


@pytest.fixture
def running(tmp_path: Path, mosquitto: brokers.Mosquitto) -> Iterator[Gateway]:
    with gateway(tmp_path, broker=Broker.parse(mosquitto.url)) as found:
        assert found.bus is not None
        until(lambda: found.bus.connected)
        yield found


@final
class Ear:
    """Everything that is said below some filters."""

    def __init__(self, broker: brokers.Mosquitto, *filters: str, version: int = 5) -> None:
        parsed = Broker.parse(broker.url)
        at = Broker(parsed.host, parsed.port, version=version)
        self.link = Link(at, client_id=f"ear-{time.monotonic_ns()}", subscriptions=filters)

    def __enter__(self) -> Ear:
        self.link.__enter__()
        self.link.ready(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    def say(self, topic: str, payload: Any, **options: Any) -> None:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.link.publish(Outgoing(topic, data, **options), 10)

    def hear(self, fits: Callable[[Incoming], bool] = lambda _: True) -> Incoming:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            found = self.link.receive(0.2)
            if found is not None:
                self.link.acknowledge(found)
                if fits(found):
                    return found
        raise AssertionError("nothing that fits was said in time")


def status(incoming: Incoming) -> str:
    return dict(incoming.user).get("status", incoming.topic.rpartition("/")[2])


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
    """S-2: a stranger's response topic would borrow the gateway's rights."""
    with Ear(mosquitto, f"{BASE}/series/answer/#", "home/#") as ear:
        for topic in ("home/door/open", f"{BASE}/status", f"{BASE}/series/answering/x"):
            asked = {**ASK, "transaction": "week-0022"}
            ear.say(f"{BASE}/series/ask", asked, response_topic=topic)
            heard = ear.hear()
            assert heard.topic == f"{BASE}/series/answer/unreadable/rejected"
            assert json.loads(heard.payload)["code"] == "response_topic"


def test_s10_a_retained_request_is_refused_at_every_start(
    tmp_path: Path, mosquitto: brokers.Mosquitto
) -> None:
    """S-10: it would be asked again and again, by nobody."""
    with Ear(mosquitto, f"{BASE}/series/answer/#") as ear:
        ear.say(f"{BASE}/series/ask", {**ASK, "transaction": "week-0023"}, retain=True)
        with gateway(tmp_path, broker=Broker.parse(mosquitto.url)) as running:
            assert json.loads(ear.hear().payload)["code"] == "schema"
            assert running.outbox.counts()["asked"] == 0


def test_s12_a_virtual_sensor_speaks_at_its_own_pace_and_home_assistant_finds_it(
    running: Gateway, mosquitto: brokers.Mosquitto
) -> None:
    """S-12: the value of the moment, and what Home Assistant must know."""
    with Ear(mosquitto, f"{BASE}/#", "homeassistant/sensor/#") as ear:
        replay = {"sensor": "room", "speed": 600.0, "device_class": "temperature"}
        asked = {
            **ASK,
            "transaction": "room-0001",
            "interval": 60,
            "unit": "degC",
            "replay": replay,
        }
        ear.say(f"{BASE}/series/ask", asked)
        config = ear.hear(lambda one: one.topic.startswith("homeassistant/"))
        assert config.topic == "homeassistant/sensor/geng_pi-7_room/config"
        found = json.loads(config.payload)
        assert found["state_topic"] == f"{BASE}/sensor/room"
        assert found["availability"][0]["topic"] == f"{BASE}/status"
        assert (found["unit_of_measurement"], found["device_class"]) == ("degC", "temperature")
        heard = [
            json.loads(ear.hear(lambda one: one.topic == f"{BASE}/sensor/room").payload)
            for _ in range(8)
        ]
        steps = [one["step"] for one in heard]
        assert steps == sorted(set(steps))
        generator = running.answers.generator
        from geng_edge import Condition

        condition = Condition.from_text(TEXT, 60.0, generator)
        values = generator.generate(condition, length=64).values[0]
        assert [one["value"] for one in heard] == [float(str(values[step])) for step in steps]
        assert {(one["unit"], one["synthetic"]) for one in heard} == {("degC", True)}
        # 0.1 s a step: the clock decides, so eight values take about eight steps.
        assert steps[-1] - steps[0] <= 20
        ear.say("homeassistant/status", b"online")
        ear.hear(lambda one: one.topic.startswith("homeassistant/sensor"))
        until(lambda: not running.sensors.to_list(), 20)  # 6.4 s long, and over
        ear.hear(lambda one: one.topic == config.topic and one.payload == b"")
    with Ear(mosquitto, "homeassistant/#", f"{BASE}/sensor/#") as late:
        assert late.link.receive(0.5) is None


def test_a_repeating_sensor_goes_on_after_a_restart_where_it_would_be(
    tmp_path: Path, mosquitto: brokers.Mosquitto
) -> None:
    replay = {"sensor": "room", "speed": 50.0, "repeat": True}
    asked = {**ASK, "transaction": "room-0002", "replay": replay}  # 1.28 s a loop
    with Ear(mosquitto, f"{BASE}/sensor/room") as ear:
        with gateway(tmp_path, broker=Broker.parse(mosquitto.url)) as running:
            ear.say(f"{BASE}/series/ask", asked)
            first = json.loads(ear.hear().payload)["step"]
            begun = running.outbox.sensors()[0][2]
        with gateway(tmp_path, broker=Broker.parse(mosquitto.url)) as running:
            later = ear.hear(lambda one: not one.retain and json.loads(one.payload)["step"] > 64)
            step = json.loads(later.payload)["step"]
            assert step > first
            assert abs(step * 0.02 - (time.time() - begun)) < 2.0
            generator = Generator.load(MODEL, threads=1)
            condition = running.answers.encoded(TEXT, 1.0)
            values = generator.generate(condition, length=64, seed=step // 64).values[0]
            assert json.loads(later.payload)["value"] == float(str(values[step % 64]))
            assert call(running, "DELETE", "/v1/sensors/room")[0] == 200
            assert running.sensors.to_list() == []
        with gateway(tmp_path, broker=Broker.parse(mosquitto.url)) as running:
            assert running.sensors.to_list() == []


def test_home_assistant_is_told_again_where_the_broker_forgot(
    running: Gateway, mosquitto: brokers.Mosquitto
) -> None:
    with Ear(mosquitto) as ear:
        replay = {"sensor": "room", "repeat": True}
        ear.say(f"{BASE}/series/ask", {**ASK, "transaction": "room-0003", "replay": replay})
        until(running.sensors.to_list)
    mosquitto.kill()
    mosquitto.start()
    with Ear(mosquitto, "homeassistant/sensor/#") as late:
        assert json.loads(late.hear().payload)["unique_id"] == "geng_pi-7_room"


def test_one_sensor_too_many_is_refused(
    running: Gateway, mosquitto: brokers.Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensors, "MOST_SENSORS", 1)
    with Ear(mosquitto, f"{BASE}/series/answer/+/+") as ear:
        for i, code in enumerate(["", "busy"]):
            replay = {"sensor": f"room-{i}", "repeat": True}
            ear.say(f"{BASE}/series/ask", {**ASK, "transaction": f"room-100{i}", "replay": replay})
            heard = ear.hear(lambda one: status(one) != "accepted")
            assert json.loads(heard.payload).get("code", "") == code
    assert [one["sensor"] for one in running.sensors.to_list()] == ["room-0"]


def test_answers_wait_in_the_ledger_while_the_broker_is_away(
    tmp_path: Path, mosquitto: brokers.Mosquitto
) -> None:
    with gateway(tmp_path, broker=Broker.parse(mosquitto.url)) as running:
        bus = running.bus
        assert bus is not None
        until(lambda: bus.connected)
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
        f"topic readwrite {BASE}/status\ntopic read homeassistant/status\n"
        f"topic readwrite {BASE}/series/answer/allowed/#\n"
    )
    lines = ("allow_anonymous true", f"acl_file {acl}")
    with (
        brokers.mosquitto(tmp_path / "broker", *lines) as strict,
        gateway(tmp_path, broker=Broker.parse(strict.url)) as running,
        Ear(strict, f"{BASE}/series/answer/allowed/+") as ear,
    ):
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
