"""The gateway: model, ledger, worker, bus, HTTP and virtual sensors, put together."""

from __future__ import annotations

import hashlib
import logging
import math
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, final

import geng_edge
from geng_edge.condition import check_interval, check_text
from geng_edge.errors import ArgumentError, GengError, MessageError
from geng_edge.generator import Generator
from geng_edge.mqtt.broker import Broker
from geng_edge.numbers import WINDOW
from geng_edge.request import Request
from geng_edge.service import systemd
from geng_edge.service.answers import Answers, Fetch
from geng_edge.service.ask import SCHEMA, Ask, Limits
from geng_edge.service.bus import Bus
from geng_edge.service.entries import HTTP, Bounds, Entry
from geng_edge.service.http import Server
from geng_edge.service.metrics import Metrics, resident_bytes
from geng_edge.service.outbox import Outbox
from geng_edge.service.sensors import Sensors
from geng_edge.service.topics import Topics
from geng_edge.service.worker import Worker
from geng_edge.walls import Walls
from geng_edge.wire import codec, fields
from geng_edge.wire.condition import new_transaction

log = logging.getLogger("geng_edge.service")

_TURN = 0.5
_STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Settings:
    """What a gateway is started with.

    Attributes:
        name: Its id in topics; 1 to 63 lower-case letters, digits, hyphens and underscores.
        outbox: File of the ledger.
        broker: None for no bus.
        http: Host and port; None for no HTTP, port 0 for a free one.
        limits: Of a request.
        bounds: Of the ledger.
        walls: Of HTTP.
        discovery: Whether Home Assistant is told of virtual sensors.

    Raises:
        ArgumentError: The ledger is too small for one request that the limits allow.
    """

    name: str
    outbox: Path
    broker: Broker | None = None
    http: tuple[str, int] | None = ("127.0.0.1", 8080)
    limits: Limits = field(default_factory=Limits)
    bounds: Bounds = field(default_factory=Bounds)
    walls: Walls = field(default_factory=Walls)
    discovery: bool = False

    def __post_init__(self) -> None:
        most = self.limits.most_bytes
        if self.bounds.size < most:
            raise ArgumentError(
                f"outbox is {self.bounds.size / 2**20:g} MB; it must be at least "
                f"{math.ceil(most / 2**20)} MB for a request of {self.limits.values} values"
            )


@final
class Gateway:
    """A model that is asked by MQTT and HTTP. A context manager: entering starts, leaving stops.

    Example:
        >>> import tempfile, time
        >>> from pathlib import Path
        >>> from geng_edge import Generator
        >>> from geng_edge.service.gateway import Gateway, Settings
        >>> folder = tempfile.TemporaryDirectory()
        >>> settings = Settings("pi-7", Path(folder.name, "outbox.db"), http=None)
        >>> with Gateway(Generator.load(), settings) as gateway:
        ...     entry = gateway.ask_http(b'{"text": "a daily cycle", "interval": 1800}')
        ...     done = gateway.worker.wait(entry.id, time.monotonic() + 30.0)
        >>> done.answer.splitlines()[0]
        b'time,series_0'
        >>> folder.cleanup()
    """

    def __init__(
        self,
        generator: Generator,
        settings: Settings,
        fetch: Fetch | None = None,
    ) -> None:
        """Open the ledger and bind the port; nothing is answered yet.

        Args:
            generator: The model.
            settings: Everything else.
            fetch: The cloud's answer to a task; see :class:`geng_edge.service.answers.Answers`.

        Raises:
            ArgumentError: A name or an address does not do.
            OutputError: The ledger cannot be had.
        """
        self.settings, self.limits = settings, settings.limits
        self.topics = Topics(settings.name)
        self.metrics = Metrics()
        self.answers = Answers(generator, fetch)
        self._began = time.monotonic()
        facts = {"version": geng_edge.__version__, "fingerprint": self.answers.fingerprint}
        self.outbox = Outbox(settings.outbox, settings.bounds)
        try:
            self.sensors = Sensors(
                self.outbox, self.answers, self.topics, facts,
                limits=settings.limits, discovery=settings.discovery,
            )  # fmt: skip
            self.worker = Worker(
                self.outbox, self.answers, self.limits, self.metrics, self._hear, self.sensors.add
            )
            self.bus = self._bus(facts)
            self.http = Server(self, *settings.http, settings.walls) if settings.http else None
        except BaseException:
            self.outbox.close()
            raise
        self.sensors.do = self.worker.do
        self.metrics.gauges = self._gauges

    def _bus(self, facts: dict[str, str]) -> Bus | None:
        if self.settings.broker is None:
            return None
        model = self.answers.generator
        bus = Bus(
            self.settings.broker, self.topics, self.outbox, self.answers, self.limits, self.metrics,
            discovery=self.settings.discovery,
            birth={
                "gateway": self.settings.name,
                **facts,
                "model": model.model.fingerprint,
                "limits": asdict(self.limits),
            },
        )  # fmt: skip
        bus.asked, bus.cancel = self.worker.wake, self.worker.cancel
        bus.announce, bus.check_replay = self.sensors.announce, self.sensors.check
        self.sensors.publish = bus.say
        self.worker.answered = bus.wake
        return bus

    def _hear(self, entry: Entry, done: int, steps: int) -> None:
        if self.bus is not None:
            self.bus.hear(entry, done, steps)

    def __enter__(self) -> Gateway:
        self.worker.start()
        self.sensors.start()
        if self.bus is not None:
            self.bus.start()
        if self.http is not None:
            self.http.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.http is not None:
            self.http.stop()
        self.sensors.stop(_STOP_SECONDS)
        self.worker.stop(_STOP_SECONDS)
        if self.bus is not None:
            self.bus.stop(_STOP_SECONDS)
        self.outbox.close()

    def run(self, stop: threading.Event) -> None:
        """Tell systemd of every sign of life, and the log of the broker's, until ``stop`` is set."""
        systemd.notify("READY=1")
        period = systemd.watchdog_seconds()
        pause = min(_TURN, period / 3) if period is not None else _TURN
        said = ""
        while not stop.wait(pause):
            problem = str((self.bus.problem if self.bus is not None else None) or "")
            if problem != said:
                said = problem
                log.warning("%s", problem or f"broker {self.settings.broker} listens")
            healthy, _ = self.health()
            if healthy:
                systemd.notify("WATCHDOG=1")
        systemd.notify("STOPPING=1")

    # -------------------------------------------------------------- for HTTP

    def ask_http(self, body: bytes) -> Entry:
        """Admit a request that came by HTTP.

        Raises:
            MessageError: It is no request, or the ledger does not take it.
            GengError: A setting is refused.
        """
        implied = {"schema": SCHEMA, "transaction": new_transaction()}
        found = {**implied, **codec.load(body, self.limits.payload)}
        try:
            return self._admit(Ask.from_dict(found, self.limits))
        except GengError as error:
            error.facts["transaction"] = found["transaction"]
            raise

    def _admit(self, ask: Ask) -> Entry:
        if ask.replay is not None:
            self.sensors.check(ask.replay.sensor)
        self.answers.check(ask)
        (entry,) = self.outbox.ask([ask.asked(HTTP)])
        if isinstance(entry, MessageError):
            raise entry
        self.worker.wake()
        return entry

    def collected(self, name: str) -> None:
        """An HTTP caller has the answer."""
        entry = self.outbox.get(name)
        if entry.road == HTTP:
            self.outbox.delivered([entry.position])

    def condition(self, body: bytes) -> tuple[bytes, dict[str, str]]:
        """The .npy of a description's condition, with its ``sha256`` and the ``fingerprint`` of f.

        Raises:
            MessageError: The body is no such question.
            ArgumentError: A setting is refused, as ``geng-edge encode`` refuses it.
            GengError: As :meth:`geng_edge.Condition.from_text`.
        """
        found = codec.load(body, self.limits.payload)
        try:
            fields.keys(found, "request", ("text",), ("interval", "length"))
        except ArgumentError as error:
            raise codec.as_schema_error(error) from error
        if not isinstance(found["text"], str):
            raise fields.refuse("text", found["text"], "text")
        check_text(found["text"])
        interval = fields.number(found.get("interval", 1.0), "interval")
        check_interval(interval)
        length = Request(length=found.get("length", WINDOW)).length
        array = self.answers.encoded(found["text"], interval, length).to_bytes()
        digest = hashlib.sha256(array).hexdigest()
        return array, {"sha256": digest, "fingerprint": self.answers.fingerprint}

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Whether every part works at its task, and what each says.

        A broker that is away is no fault of ours: the bus works at coming back.
        """
        parts = {"worker": self.worker.alive(), "sensors": self.sensors.alive()}
        if self.bus is not None:
            parts["bus"] = self.bus.alive()
        if self.http is not None:
            parts["http"] = self.http.alive()
        healthy = all(parts.values())
        facts: dict[str, Any] = {
            "status": "ok" if healthy else "failing",
            "parts": parts,
            "connected": self.bus.connected if self.bus is not None else None,
            "version": geng_edge.__version__,
            "model": self.answers.generator.model.fingerprint,
            "fingerprint": self.answers.fingerprint,
            "ledger": self.outbox.counts(),
            "seconds": round(time.monotonic() - self._began, 1),
        }
        return healthy, facts

    def _gauges(self) -> dict[str, float]:
        counts = {f"ledger_{name}": float(count) for name, count in self.outbox.counts().items()}
        connected = float(self.bus is not None and self.bus.connected)
        return {
            **counts,
            "connected": connected,
            "sensors": float(len(self.sensors.to_list())),
            "resident_bytes": resident_bytes(),
            "uptime_seconds": time.monotonic() - self._began,
        }
