"""Virtual sensors of a gateway, on a real mosquitto."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from geng_edge.generator import Generator
from geng_edge.mqtt.link import Broker
from geng_edge.mqtt.messages import Outgoing
from geng_edge.service import sensors
from geng_edge.service.answers import Answers
from geng_edge.service.ask import SCHEMA, Ask, Limits
from geng_edge.service.gateway import Gateway
from geng_edge.service.outbox import Outbox
from geng_edge.service.topics import Topics
from support import broker as brokers
from support.ears import ASK, BASE, Ear, connected, status
from support.gateways import MODEL, TEXT, call, gateway, until

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
            connected(running)
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


class Quiet:
    """Sensors without a thread and with a clock of their own."""

    def __init__(self, outbox: Outbox) -> None:
        self.now, self.said = 1e9, list[Outgoing]()
        self.sensors = sensors.Sensors(
            outbox, Answers(Generator.load(MODEL, threads=1)), Topics("pi-7"),
            {"version": "0", "fingerprint": "0" * 64},
            limits=Limits(), discovery=True, clock=lambda: self.now,
        )  # fmt: skip
        self.sensors.publish = self.said.append

    def add(self, seed: int) -> Ask:
        asked = {**ASK, "schema": SCHEMA, "transaction": f"room-200{seed}", "seed": seed}
        ask = Ask.from_dict({**asked, "replay": {"sensor": "room"}}, Limits())
        self.sensors.add(ask, lambda _done, _steps: True)
        return ask


def test_a_sensor_that_is_over_leaves_the_one_in_its_place(tmp_path: Path) -> None:
    with Outbox(tmp_path / "o.db") as outbox:
        quiet = Quiet(outbox)
        quiet.add(1)
        (old,) = quiet.sensors._sensors.values()
        quiet.now += 1000.0
        ask = quiet.add(2)  # between the look at all sensors and the word of the old one
        quiet.said.clear()
        quiet.sensors._speak(old)
        assert quiet.said == []
        assert quiet.sensors.runs(ask)
        assert [body for _, body, _ in outbox.sensors()] == [ask.to_bytes()]
        quiet.now += 1000.0
        quiet.sensors._speak(quiet.sensors._sensors["room"])
        assert quiet.sensors.to_list() == outbox.sensors() == []
        assert [one.payload for one in quiet.said] == [b"", b""]


def test_a_sensor_is_on_disk_and_in_memory_or_in_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Outbox(tmp_path / "o.db") as outbox:
        quiet = Quiet(outbox)
        remover = threading.Thread(target=quiet.sensors.remove, args=("room",))
        keep = outbox.keep_sensor

        def kept(name: str, body: bytes, begun: float) -> None:
            keep(name, body, begun)
            remover.start()
            remover.join(0.2)  # it waits until the sensor is in memory too

        monkeypatch.setattr(outbox, "keep_sensor", kept)
        quiet.add(1)
        remover.join(10)
        assert quiet.sensors.to_list() == outbox.sensors() == []


def test_serve_replays_a_description_until_it_is_told_to_stop(
    tmp_path: Path, mosquitto: brokers.Mosquitto
) -> None:
    command = ["-m", "geng_edge", "serve", "--model", str(MODEL), "--gateway", "pi-7",
               "--broker", mosquitto.url, "--http", "off", "--outbox", str(tmp_path / "o.db"),
               "--replay", f"room={TEXT}", "--interval", "60", "--speed", "600",
               "--unit", "degC", "--discovery"]  # fmt: skip
    log = tmp_path / "gateway.log"
    with Ear(mosquitto, f"{BASE}/#", "homeassistant/sensor/#") as ear:
        for _ in range(2):  # the second start goes on with the sensor of the first
            with brokers.Worker(command, log) as served:
                found = ear.hear(lambda one: one.topic == f"{BASE}/sensor/room" and not one.retain)
                assert json.loads(found.payload)["unit"] == "degC"
                assert served.process is not None
                served.process.terminate()
                assert served.process.wait(20) == 0
            ear.hear(lambda one: json.loads(one.payload or b"{}") == {"state": "offline"})
    said = log.read_text()
    assert said.count("stopped; what was not answered or delivered stays in the outbox") == 2
    with Outbox(tmp_path / "o.db") as outbox:
        assert [name for name, *_ in outbox.sensors()] == ["room"]
        counts = outbox.counts()
        assert counts["answered"] + counts["delivered"] == 1  # asked once, for both
