"""Virtual sensors: series spoken on the bus at their own pace, a value when its moment has come.

Where a sensor stands follows from when it began and from the clock alone, so that nothing is written while
it speaks, and after a restart it goes on where it would have been.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from geng_edge.errors import GengError, MessageError
from geng_edge.generator import Progress
from geng_edge.mqtt.messages import Outgoing
from geng_edge.request import MAX_SEED
from geng_edge.series import Series
from geng_edge.service.answers import JSON, Answers, message
from geng_edge.service.ask import Ask, Limits
from geng_edge.service.outbox import Outbox
from geng_edge.service.topics import Topics
from geng_edge.wire import codes

log = logging.getLogger("geng_edge.service")

MOST_SENSORS = 32
#: Shortest time between two values of a sensor; where the pace is faster, the newest is said.
SHORTEST_PAUSE = 0.02
_TURN = 0.5

Publish = Callable[[Outgoing], None]


@dataclass
class Sensor:
    """One virtual sensor, running."""

    name: str
    ask: Ask
    begun: float
    loop: int = -1
    series: Series | None = None
    wanted: int = -1
    said: tuple[int, int] = (-1, -1)
    next: float = field(default=0.0)

    @property
    def pause(self) -> float:
        """Seconds between two steps on the bus."""
        assert self.ask.replay is not None
        return self.ask.interval / self.ask.replay.speed

    def place(self, now: float) -> tuple[int, int]:
        """Which loop and step it is."""
        step = max(0, math.floor((now - self.begun) / self.pause))
        return divmod(step, self.ask.request.length)

    def over(self, now: float) -> bool:
        """Whether the series has ended and nothing follows."""
        assert self.ask.replay is not None
        return not self.ask.replay.repeat and self.place(now)[0] > 0


class Sensors:
    """All virtual sensors of a gateway, and the thread that speaks for them."""

    def __init__(
        self,
        outbox: Outbox,
        answers: Answers,
        topics: Topics,
        facts: dict[str, str],
        *,
        limits: Limits,
        discovery: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare; :meth:`start` starts.

        Args:
            outbox: Keeps what each replays.
            answers: Samples.
            topics: Of this gateway.
            facts: ``version`` and ``fingerprint``, for Home Assistant.
            limits: To read kept requests with.
            discovery: Whether Home Assistant is told.
            clock: Seconds since the epoch.
        """
        self.outbox, self.answers, self.topics, self.facts = outbox, answers, topics, facts
        self.publish: Publish | None = None
        self.do: Callable[[Callable[[], None]], bool] = lambda _chore: False
        self._limits, self._discovery, self._clock = limits, discovery, clock
        self._sensors: dict[str, Sensor] = {}
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sensors", daemon=True)

    def start(self) -> None:
        """Go on with what the outbox keeps, and with what is added."""
        for name, body, begun in self.outbox.sensors():
            stored = Limits(len(body), self._limits.values, self._limits.lifetime)
            try:
                self._sensors[name] = Sensor(name, Ask.read(body, stored), begun)
            except GengError as error:  # kept by a gateway of other limits
                log.warning("sensor %s is not replayed: %s", name, error)
        self._thread.start()

    def stop(self, deadline: float) -> None:
        """Say nothing more; what is kept goes on at the next start."""
        self._stopping.set()
        self._changed.set()
        self._thread.join(deadline)

    def alive(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    def add(self, ask: Ask, progress: Progress) -> tuple[bytes, str]:
        """Start a sensor, in place of one of its name. Called by the worker, which samples.

        Args:
            ask: With ``replay``.
            progress: As in :meth:`geng_edge.Generator.generate`.

        Returns:
            The answer to the request.

        Raises:
            MessageError: There is no broker, or there are too many sensors.
            GengError: The series cannot be made.
        """
        assert ask.replay is not None
        name = ask.replay.sensor
        self.check(name)
        series = self.answers.series(ask, ask.request.seed, 0.0, progress)
        sensor = Sensor(name, ask, self._clock(), 0, series, 0)
        with self._lock:  # disk and memory as one, or another's end comes between them
            self.outbox.keep_sensor(name, ask.to_bytes(), sensor.begun)
            self._sensors[name] = sensor
        self.announce(name)
        self._changed.set()
        facts = {"sensor": name, "topic": self.topics.sensor(name), "pause": sensor.pause}
        return message(ask.transaction, "replay", **facts), JSON

    def runs(self, ask: Ask) -> bool:
        """Whether a sensor does just this already: of another transaction, perhaps before a restart."""
        assert ask.replay is not None
        found = self._sensors.get(ask.replay.sensor)
        return found is not None and replace(found.ask, transaction=ask.transaction) == ask

    def check(self, name: str) -> None:
        """Refuse one sensor too many, or any without a broker.

        Raises:
            MessageError: ``busy`` or ``unanswerable``.
        """
        if self.publish is None:
            raise MessageError(
                "this gateway has no broker; it must have one for a sensor", codes.UNANSWERABLE
            )
        if name not in self._sensors and len(self._sensors) >= MOST_SENSORS:
            raise MessageError(
                f"there are {len(self._sensors)} sensors; there must be fewer than {MOST_SENSORS}",
                codes.BUSY,
            )

    def remove(self, name: str) -> bool:
        """End a sensor and clear what is retained of it; False where there is none."""
        with self._lock:
            return self._drop(name)

    def _drop(self, name: str) -> bool:
        """The same, under the lock: what is said of the next of its name comes after this."""
        kept = self.outbox.drop_sensor(name)
        found = self._sensors.pop(name, None)
        if found is not None and self.publish is not None:
            for topic in (self.topics.discovery(name), self.topics.sensor(name)):
                self.publish(Outgoing(topic, b"", 1, retain=True))
        return kept or found is not None

    def _end(self, sensor: Sensor) -> None:
        """End a sensor that is over, unless another has its name by now."""
        with self._lock:
            if self._sensors.get(sensor.name) is sensor:
                self._drop(sensor.name)

    def to_list(self) -> list[dict[str, Any]]:
        """Name, topic, pace and place of each."""
        now = self._clock()
        with self._lock:
            sensors = list(self._sensors.values())
        return [
            {"sensor": s.name, "topic": self.topics.sensor(s.name), "pause": s.pause,
             "loop": s.place(now)[0], "step": s.place(now)[1]}
            for s in sensors
        ]  # fmt: skip

    def announce(self, only: str | None = None) -> None:
        """Tell Home Assistant of every sensor, or of one; again whenever it has started anew."""
        if not self._discovery or self.publish is None:
            return
        with self._lock:
            for sensor in self._sensors.values():
                if only in (None, sensor.name):
                    config = json.dumps(self._config(sensor)).encode()
                    self.publish(
                        Outgoing(self.topics.discovery(sensor.name), config, 1, retain=True)
                    )

    def _config(self, sensor: Sensor) -> dict[str, Any]:
        assert sensor.ask.replay is not None
        gateway = self.topics.gateway
        config: dict[str, Any] = {
            "name": sensor.name,
            "unique_id": f"geng_{gateway}_{sensor.name}",
            "state_topic": self.topics.sensor(sensor.name),
            "value_template": "{{ value_json.value }}",
            "json_attributes_topic": self.topics.sensor(sensor.name),
            "state_class": "measurement",
            "expire_after": max(60, math.ceil(3 * sensor.pause)),
            "availability": [
                {"topic": self.topics.status, "value_template": "{{ value_json.state }}"}
            ],
            "device": {
                "identifiers": [f"geng_{gateway}"],
                "name": f"geng-edge {gateway}",
                "manufacturer": "geng-edge",
                "model": f"synthetic series, model {self.facts['fingerprint'][:12]}",
                "sw_version": self.facts["version"],
            },
            "origin": {"name": "geng-edge", "sw_version": self.facts["version"]},
        }
        if sensor.ask.unit:
            config["unit_of_measurement"] = sensor.ask.unit
        if sensor.ask.replay.device_class:
            config["device_class"] = sensor.ask.replay.device_class
        return config

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._changed.clear()
            with self._lock:
                sensors = list(self._sensors.values())
            try:
                due = min((self._speak(sensor) for sensor in sensors), default=math.inf)
            except Exception:
                log.exception("virtual sensors go on after a fault")
                due = math.inf
            self._changed.wait(min(_TURN, max(0.0, due - self._clock())))

    def _speak(self, sensor: Sensor) -> float:
        """Say the present value if it is not said yet; returns when the next is due."""
        now = self._clock()
        if now < sensor.next:
            return sensor.next
        if sensor.over(now):
            self._end(sensor)
            return math.inf
        loop, step = sensor.place(now)
        if sensor.loop != loop or sensor.series is None:
            self._want(sensor, loop)
            return now + _TURN
        if sensor.said != (loop, step) and self.publish is not None:
            sensor.said = (loop, step)
            with self._lock:
                if self._sensors.get(sensor.name) is sensor:
                    self.publish(self._telemetry(sensor, loop, step))
        first = loop * sensor.ask.request.length + step + 1
        sensor.next = max(sensor.begun + first * sensor.pause, now + SHORTEST_PAUSE)
        return sensor.next

    def _telemetry(self, sensor: Sensor, loop: int, step: int) -> Outgoing:
        assert sensor.series is not None
        place = loop * sensor.ask.request.length + step
        moment = dt.datetime.fromtimestamp(sensor.begun + place * sensor.pause, dt.timezone.utc)
        # The fewest digits that read back as the same float32.
        value = float(str(sensor.series.values[0, step]))
        said = {
            "value": value,
            "unit": sensor.ask.unit,
            "time": moment.isoformat(timespec="milliseconds"),
            "step": place,
            "synthetic": True,
        }
        return Outgoing(
            self.topics.sensor(sensor.name), json.dumps(said).encode(), 0, retain=True,
            content_type=JSON,
        )  # fmt: skip

    def _want(self, sensor: Sensor, loop: int) -> None:
        """Have the worker make the series of a loop, once."""
        if sensor.wanted == loop:
            return

        def make() -> None:
            seed = (sensor.ask.request.seed + loop) % (MAX_SEED + 1)
            try:
                series = self.answers.series(sensor.ask, seed, 0.0, None)
            except GengError as error:
                log.warning("sensor %s has no series: %s", sensor.name, error)
                return
            sensor.series, sensor.loop = series, loop
            self._changed.set()

        if self.do(make):
            sensor.wanted = loop
