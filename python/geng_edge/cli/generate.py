"""``geng-edge generate``: from a task to series: the cloud says what they look like, this device draws."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from geng_edge.cli import console

if TYPE_CHECKING:
    from geng_edge.drawn import Plan
    from geng_edge.generator import Generator

_OF_THE_ANSWER = ("interval", "length", "unit")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    from geng_edge.cli.asked import add_asking
    from geng_edge.cli.main import add_model, real, whole
    from geng_edge.cli.output import add_output
    from geng_edge.series import DEFAULT_START

    add_asking(parser)
    add = parser.add_argument
    add("-n", "--count", type=whole, default=20,
        help="series to draw (default 20); row i uses seed + i")  # fmt: skip
    add("--seed", type=whole, default=0, help="seed of the first series (default 0)")
    add("--start", default=DEFAULT_START, metavar="ISO",
        help=f"time of the first step (default {DEFAULT_START})")  # fmt: skip
    add("--describe-locally", metavar="DESCRIPTION",
        help="no cloud: the description, read on this device (needs the extra 'text')")  # fmt: skip
    add("--interval", type=real, metavar="SECONDS",
        help="with --describe-locally: seconds between two steps (default 1)")  # fmt: skip
    add("--length", type=whole,
        help="with --describe-locally: steps of each, a multiple of 8 (default 512)")  # fmt: skip
    add("--unit", help="with --describe-locally: unit of the values (default none)")
    add_output(parser)
    add_model(parser)


def run(arguments: argparse.Namespace) -> None:
    """Check, ask, draw, write."""
    from geng_edge.cli.asked import check_asking, refuse_without_cloud
    from geng_edge.cli.main import threads_from_environment
    from geng_edge.cli.output import check_output, deliver
    from geng_edge.drawn import draw
    from geng_edge.generator import Generator
    from geng_edge.request import Request
    from geng_edge.series import parse_start

    if arguments.describe_locally is None:
        refuse_without_cloud(arguments, _OF_THE_ANSWER)
        check_asking(arguments)
    else:
        _check_local(arguments)
    Request(arguments.count, seed=arguments.seed)
    parse_start(arguments.start)
    check_output(arguments)
    generator = Generator.load(arguments.model, threads=threads_from_environment())
    plan = _plan(arguments, generator)
    console.say(
        f"drawing {arguments.count} series of {plan.steps} steps, one every {plan.interval:g} s"
    )
    began = time.perf_counter()
    series = draw(
        generator,
        plan,
        arguments.count,
        seed=arguments.seed,
        start=arguments.start,
        progress=console.progress(),
    )
    console.say(f"done in {time.perf_counter() - began:.2f} s")
    deliver(arguments, series, arguments.task)


def _check_local(arguments: argparse.Namespace) -> None:
    from geng_edge.condition import check_interval, check_text, check_unit
    from geng_edge.request import Request
    from geng_edge.series import moments_of

    arguments.interval = 1.0 if arguments.interval is None else arguments.interval
    arguments.length = 512 if arguments.length is None else arguments.length
    arguments.unit = arguments.unit or ""
    check_text(arguments.describe_locally)
    check_interval(arguments.interval)
    check_unit(arguments.unit)
    request = Request(arguments.count, arguments.length)
    moments_of(arguments.start, arguments.interval, 1, request.length - 1)


def _plan(arguments: argparse.Namespace, generator: Generator) -> Plan:
    from geng_edge.cli.asked import fetched
    from geng_edge.condition import Condition
    from geng_edge.drawn import Part, Plan

    if arguments.describe_locally is None:
        return Plan.of(fetched(arguments, generator))
    text = arguments.describe_locally
    condition = Condition.from_text(text, arguments.interval, generator, arguments.length)
    part = Part("series", text, arguments.unit, condition)
    return Plan((part,), arguments.interval, arguments.length)
