"""``geng-cog serve``: answer what gateways ask, over a broker, HTTP or both."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import re
import signal
import socket
import threading
from typing import TYPE_CHECKING

from geng_cog.cli.backend import add_backend, load_backend
from geng_edge.cli import console
from geng_edge.errors import ArgumentError

if TYPE_CHECKING:
    from geng_cog.worker.desk import Answering, Desk


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    from geng_edge.mqtt.options import add_broker

    add_broker(parser)
    add = parser.add_argument
    add("--http", metavar="HOST:PORT",
        help="listen for HTTP there too, or only there without a broker; / shows the routes. It asks "
        "for no name: loopback, or behind a proxy that does")  # fmt: skip
    add("--worker", metavar="ID",
        help="our name; the broker keeps what a killed worker held for the next one of its name "
        "(default: the host's; a second worker on it needs another)")  # fmt: skip
    add("--edge-model", metavar="FILE",
        help="the edge's model file, whose text expert makes the conditions "
        "(default $GENG_MODEL, then the bundled one)")  # fmt: skip
    add("--answering", metavar="MODULE:CALLABLE",
        help="in place of a backend, your own: it returns what has answer(tasks, seed)")  # fmt: skip
    add("--batch", type=int, default=16, help="questions answered together, at most (default 16)")
    add("--linger", type=float, default=0.01, metavar="SECONDS",
        help="how long the first of a batch waits for others (default 0.01)")  # fmt: skip
    add("--session", type=int, default=60, metavar="SECONDS",
        help="how long the broker keeps what a killed worker held (default 60)")  # fmt: skip
    add_backend(parser)


def run(arguments: argparse.Namespace) -> None:
    """Load, listen, answer until told to stop."""
    from geng_cog.worker.desk import Desk
    from geng_cog.worker.http import Server
    from geng_cog.worker.service import Service, Settings
    from geng_edge import Generator
    from geng_edge.mqtt.broker import BROKER
    from geng_edge.mqtt.options import broker_of
    from geng_edge.wire.topics import check_id

    named = arguments.broker or os.environ.get(BROKER)
    if not named and arguments.http is None:
        raise ArgumentError("neither broker nor http is named; one must be, or both")
    if not 1 <= arguments.batch <= 1024:
        raise ArgumentError(f"batch is {arguments.batch}; it must be 1 to 1024")
    if not 0.0 <= arguments.linger <= 10.0:
        raise ArgumentError(f"linger is {arguments.linger}; it must be 0 to 10 seconds")
    if not 0 <= arguments.session <= 86_400:
        raise ArgumentError(f"session is {arguments.session}; it must be 0 to 86400 seconds")
    worker = check_id(arguments.worker or _host(), "worker")
    broker = broker_of(arguments) if named else None
    desk = Desk(_answering(arguments), Generator.load(arguments.edge_model), worker)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    service = None
    if broker is not None:
        settings = Settings(worker, arguments.batch, arguments.linger, arguments.session)
        service = Service(broker, desk, settings)
    with contextlib.ExitStack() as stack:
        if arguments.http is not None:
            counts = service.counts if service is not None else {}
            server = stack.enter_context(Server(arguments.http, desk, counts))
            console.say(f"answering on http://{server.address}/")
        if service is not None:
            console.say(f"answering as {worker} by {broker}; text expert {desk.fingerprint[:12]}..")
            service.run(stop.is_set)
        else:
            stop.wait()
    console.say(f"stopped; {_counted(desk)}")


def _answering(arguments: argparse.Namespace) -> Answering:
    if arguments.answering is None:
        return load_backend(arguments)
    module, _, name = arguments.answering.partition(":")
    try:
        made: Answering = getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ArgumentError(
            f"answering is {arguments.answering!r} ({error}); it must be MODULE:CALLABLE"
        ) from error
    if not callable(getattr(made, "answer", None)):
        raise ArgumentError(f"{arguments.answering} has no answer(tasks, seed); it must have one")
    return made


def _counted(desk: Desk) -> str:
    counted = ", ".join(f"{name} {n}" for name, n in sorted(desk.counts.items()))
    return counted or "nothing was asked"


def _host() -> str:
    return re.sub(r"[^a-z0-9_-]", "-", socket.gethostname().lower()).strip("-_")[:63] or "worker"
