"""``geng-edge serve``: a gateway that keeps the model warm and answers by MQTT and local HTTP."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from geng_edge.cli import console
from geng_edge.errors import ArgumentError

if TYPE_CHECKING:
    from geng_edge.generator import Generator
    from geng_edge.mqtt.broker import Broker
    from geng_edge.service.answers import Fetch
    from geng_edge.service.ask import Ask
    from geng_edge.service.gateway import Gateway, Settings
    from geng_edge.wire.condition import Accepted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    from geng_edge.cli.gateway import add_gateway
    from geng_edge.cli.main import add_model, real, whole

    add = parser.add_argument
    add_gateway(parser)
    add("--outbox", type=Path, default=Path("outbox.db"), metavar="FILE",
        help="the ledger of requests and answers (default outbox.db)")  # fmt: skip
    add("--http", default="127.0.0.1:8080", metavar="HOST:PORT",
        help="where the HTTP API listens, or off (default 127.0.0.1:8080)")  # fmt: skip
    add("--queue", type=whole, default=256, help="requests that may wait (default 256)")
    add("--outbox-mb", type=whole, default=64, metavar="MB",
        help="size of the ledger, at most (default 64)")  # fmt: skip
    add("--outbox-rows", type=whole, default=20_000, metavar="N",
        help="requests that the ledger remembers, at most (default 20000)")  # fmt: skip
    add("--most-values", type=whole, default=262_144, metavar="N",
        help="count x length of a request, at most (default 262144)")  # fmt: skip
    add("--replay", action="append", default=[], metavar="NAME=DESCRIPTION",
        help="keep a virtual sensor on the bus that speaks a description's series at its own pace, until "
        "DELETE /v1/sensors/NAME; may be given more than once")  # fmt: skip
    add("--interval", type=real, default=60.0, metavar="SECONDS",
        help="seconds between two steps of the sensors (default 60)")  # fmt: skip
    add("--unit", default="", help="unit of the sensors, such as degC")
    add("--speed", type=real, default=1.0, metavar="X",
        help="seconds of the sensors' series in a second (default 1)")  # fmt: skip
    add("--seed", type=whole, default=0, help="seed of the sensors' first series (default 0)")
    add("--no-discovery", action="store_true", help="tell Home Assistant nothing of the sensors")
    add("--threads", type=whole, help="threads (default $GENG_THREADS, then what it may use)")
    add("--precision", default="int8", help="int8, fp32, or auto (default int8)")
    add("--verbose", action="store_true", help="log connections and refusals to stderr")
    add_model(parser)


def run(arguments: argparse.Namespace) -> None:
    """Start, say so, and serve until SIGTERM or Ctrl-C."""
    import logging

    from geng_edge.cli.main import threads_from_environment
    from geng_edge.generator import Generator
    from geng_edge.service.gateway import Gateway

    settings = _settings(arguments)
    level = logging.INFO if arguments.verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s %(message)s")
    threads = arguments.threads
    if threads is None:
        threads = threads_from_environment()
    sensors = _sensors(arguments, settings)
    generator = Generator.load(arguments.model, arguments.precision, threads)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda _number, _frame: stop.set())
    with Gateway(generator, settings, _cloud(generator, settings)) as gateway:
        for ask in sensors:
            if not gateway.sensors.runs(ask):
                gateway.ask_http(ask.to_bytes())
        _say_where(gateway, settings.broker)
        gateway.run(stop)
    console.say("stopped; what was not answered or delivered stays in the outbox")


def _settings(arguments: argparse.Namespace) -> Settings:
    import os

    from geng_edge.cli.gateway import gateway_of
    from geng_edge.mqtt.broker import BROKER
    from geng_edge.mqtt.options import broker_of
    from geng_edge.request import check_whole
    from geng_edge.service.ask import Limits
    from geng_edge.service.entries import Bounds
    from geng_edge.service.gateway import Settings

    check_whole("queue", arguments.queue, 1, 100_000)
    check_whole("outbox-mb", arguments.outbox_mb, 1, 100_000)
    check_whole("outbox-rows", arguments.outbox_rows, 1, 10_000_000)
    check_whole("most-values", arguments.most_values, 64, 2**26)
    broker = broker_of(arguments) if arguments.broker or os.environ.get(BROKER) else None
    http = None if arguments.http == "off" else _address(arguments.http)
    if broker is None and http is None:
        raise ArgumentError("no broker is named and http is off; there must be one of them")
    return Settings(
        gateway_of(arguments),
        arguments.outbox,
        broker,
        http,
        Limits(values=arguments.most_values),
        Bounds(arguments.outbox_rows, arguments.outbox_mb * 2**20, arguments.queue),
        discovery=not arguments.no_discovery,
    )


def _cloud(generator: Generator, settings: Settings) -> Fetch:
    """What asks the cloud over the same broker, and looks on the disk where it is gone."""
    from geng_edge.cog.client import fetch
    from geng_edge.wire.fingerprint import fingerprint

    of = fingerprint(generator)

    def ask(task: str, seconds: float) -> Accepted:
        return fetch(
            task, fingerprint=of, gateway=settings.name, broker=settings.broker, deadline=seconds
        ).reply

    return ask


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise ArgumentError(f"http is {text[:80]!r}; it must be HOST:PORT or off")
    return host.strip("[]"), int(port)


def _sensors(arguments: argparse.Namespace, settings: Settings) -> list[Ask]:
    """A request for each ``--replay``."""
    from geng_edge.service.ask import SCHEMA, Ask
    from geng_edge.wire.condition import new_transaction

    requests = []
    for wish in arguments.replay:
        name, equals, text = wish.partition("=")
        if not equals:
            raise ArgumentError(f"replay is {wish[:60]!r}; it must be NAME=DESCRIPTION")
        if settings.broker is None:
            raise ArgumentError("replay is given without a broker; it must be given with --broker")
        request = {
            "schema": SCHEMA,
            "transaction": new_transaction(),
            "text": text,
            "interval": arguments.interval,
            "unit": arguments.unit,
            "seed": arguments.seed,
            "replay": {"sensor": name, "speed": arguments.speed, "repeat": True},
        }
        requests.append(Ask.from_dict(request, settings.limits))
    return requests


def _say_where(gateway: Gateway, broker: Broker | None) -> None:
    model = gateway.answers.generator.model
    console.say(f"gateway {gateway.settings.name} ({model.isa}, {model.threads} threads, "
                f"{model.precision}), outbox {gateway.settings.outbox}")  # fmt: skip
    if broker is not None:
        console.say(f"asked on {gateway.topics.ask} at {broker}")
    if gateway.http is not None:
        host = f"[{gateway.http.host}]" if ":" in gateway.http.host else gateway.http.host
        console.say(f"asked on http://{host}:{gateway.http.port}/v1/sample")
        if gateway.http.host not in ("127.0.0.1", "::1", "localhost"):
            console.say("http is open to the network and asks for no password")
