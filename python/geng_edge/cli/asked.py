"""A task and what the cloud says to it: what ``fetch`` and ``generate`` share."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from geng_edge.cli import console
from geng_edge.errors import ArgumentError

if TYPE_CHECKING:
    from geng_edge.generator import Generator
    from geng_edge.wire.condition import Accepted

DEFAULT_DEADLINE = 60.0
_AT_HOME = ("127.0.0.1", 1883)
_LONGEST_DEADLINE = 86_400.0


def add_asking(parser: argparse.ArgumentParser) -> None:
    """The task, the deadline, the seed of the answer, the broker: by default the one of this machine."""
    from geng_edge.cli.gateway import add_gateway
    from geng_edge.cli.main import real, whole

    add = parser.add_argument
    add("task", metavar="TASK",
        help="what is wanted, such as 'temperature sensor in a family home, one week'")  # fmt: skip
    add("--deadline", type=real, default=DEFAULT_DEADLINE, metavar="SECONDS",
        help=f"how long to wait for the cloud (default {DEFAULT_DEADLINE:g})")  # fmt: skip
    add("--answer-seed", type=whole, default=0,
        help="another one for another answer to the same task (default 0)")  # fmt: skip
    add("--offline", action="store_true", help="ask nobody; take the answer that is kept")
    add_gateway(parser)


def check_asking(arguments: argparse.Namespace) -> None:
    """Refuse what can be refused before a model is loaded.

    Raises:
        ArgumentError: The deadline is no time that can be waited, or a question cannot be made.
    """
    from geng_edge.request import check_between
    from geng_edge.wire.condition import Ask

    check_between("deadline", arguments.deadline, 0.1, _LONGEST_DEADLINE)
    Ask(arguments.task, seed=arguments.answer_seed)


def fetched(arguments: argparse.Namespace, generator: Generator) -> Accepted:
    """Ask, or take what is kept, and say on stderr which of them it was.

    Raises:
        GengError: As :func:`geng_edge.cog.client.fetch` raises.
    """
    from geng_edge.cli.gateway import gateway_of
    from geng_edge.cog.client import fetch
    from geng_edge.mqtt.broker import BROKER, Broker
    from geng_edge.mqtt.options import broker_of
    from geng_edge.wire.fingerprint import fingerprint

    broker = None
    if not arguments.offline:
        named = arguments.broker or os.environ.get(BROKER)
        broker = broker_of(arguments) if named else Broker(*_AT_HOME)
    found = fetch(
        arguments.task,
        fingerprint=fingerprint(generator),
        gateway=gateway_of(arguments),
        broker=broker,
        deadline=arguments.deadline,
        seed=arguments.answer_seed,
    )
    if found.age is not None:
        why = "no broker is asked" if broker is None else f"the cloud is gone ({found.reason})"
        console.say(console.printable(f"{why}; taking the answer of {_ago(found.age)} ago"))
    said = found.reply.answer
    if said.reasoning:
        console.say(console.printable(f"because: {said.reasoning}"))
    if not said.sure:
        console.say("the cloud is not sure of this answer")
    for channel in said.channels:
        console.say(console.printable(f"{channel.name}: {channel.description}"))
    return found.reply


def refuse_without_cloud(arguments: argparse.Namespace, names: tuple[str, ...]) -> None:
    """Refuse options that say what the cloud's answer says.

    Raises:
        ArgumentError: One is given.
    """
    for name in names:
        if getattr(arguments, name) is not None:
            raise ArgumentError(
                f"{name} is given; it comes from the answer and must only be given with "
                "--describe-locally"
            )


def _ago(seconds: float) -> str:
    for size, unit in ((86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
