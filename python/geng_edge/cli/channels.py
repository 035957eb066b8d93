"""``geng-edge channels``: draw the channels of one device together, correlated as asked."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from geng_edge.cli import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    from geng_edge.cli.main import add_model, real, whole
    from geng_edge.cli.output import add_output
    from geng_edge.series import DEFAULT_START

    add = parser.add_argument
    add(
        "--text",
        required=True,
        metavar="TEXT",
        help="'temperature: a daily cycle, 10 to 30; humidity: ...; temperature and humidity -0.7' "
        "(needs the extra 'text')",
    )
    add("--like", type=Path, metavar="FILE.csv",
        help="a recording whose columns of the same names say the correlations")  # fmt: skip
    add("-n", "--count", type=whole, default=1,
        help="rows to draw (default 1); row i uses seed + i")  # fmt: skip
    add("--length", type=whole, default=512,
        help="steps (default 512); a multiple of 8, 64 to 4096")  # fmt: skip
    add("--interval", type=real, default=1.0, metavar="SECONDS",
        help="seconds between two steps (default 1)")  # fmt: skip
    add("--start", default=DEFAULT_START, metavar="ISO", help=f"time of step 0 ({DEFAULT_START})")
    add("--seed", type=whole, default=0, help="seed of the first row (default 0)")
    add("--json", action="store_true", help="print the correlations instead of data")
    add_output(parser)
    add_model(parser)


def run(arguments: argparse.Namespace) -> None:
    """Read, check, draw, write."""
    from geng_edge.channels import Device, generate, recorded_correlations
    from geng_edge.cli.main import threads_from_environment
    from geng_edge.cli.output import check_output, deliver
    from geng_edge.condition import check_interval
    from geng_edge.generator import Generator
    from geng_edge.request import Request
    from geng_edge.series import moments_of

    device = Device.parse(arguments.text)
    request = Request(arguments.count, arguments.length, seed=arguments.seed)
    check_interval(arguments.interval)
    moments_of(arguments.start, arguments.interval, 1, request.length - 1)
    check_output(arguments)
    like = None
    if arguments.like is not None:
        like = recorded_correlations(arguments.like, list(device.texts))
    generator = Generator.load(arguments.model, threads=threads_from_environment())
    joint = generate(
        generator,
        device,
        request.count,
        length=request.length,
        seed=request.seed,
        interval=arguments.interval,
        start=arguments.start,
        correlations=like,
    )
    console.say(
        f"drew {len(device.texts)} channels {request.count} times; correlations are at most "
        f"{joint.worst:.2f} off the asked ones"
    )
    deliver(arguments, joint.series, arguments.text, quiet=arguments.json)
    if arguments.json:
        facts = {
            "channels": list(device.texts),
            "asked": np.round(joint.asked, 4).tolist(),
            "reached": np.round(joint.reached, 4).tolist(),
        }
        console.emit(json.dumps(facts))
