"""``geng-edge encode``: turn a description into a condition that a file can carry."""

from __future__ import annotations

import argparse
from pathlib import Path

from geng_edge import files
from geng_edge.cli import console
from geng_edge.errors import ArgumentError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    from geng_edge.cli.main import add_model, real, whole

    parser.add_argument("--text", required=True, help="the description")
    parser.add_argument(
        "--interval", type=real, default=1.0, metavar="SECONDS",
        help="seconds between two steps (default 1); makes periods in time units exact",
    )  # fmt: skip
    parser.add_argument(
        "--length", type=whole, default=512,
        help="steps of the series to draw (default 512); makes counts in the window exact",
    )  # fmt: skip
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.npy", help="the latent")
    add_model(parser)


def run(arguments: argparse.Namespace) -> None:
    """Encode and write."""
    from geng_edge.condition import Condition, check_interval, check_text
    from geng_edge.generator import Generator
    from geng_edge.request import Request

    check_text(arguments.text)
    check_interval(arguments.interval)
    length = Request(length=arguments.length).length
    if arguments.out.suffix != ".npy":
        raise ArgumentError(
            f"{arguments.out} ends in {arguments.out.suffix!r}; it must end in .npy"
        )
    files.check_writable(arguments.out)
    generator = Generator.load(arguments.model, threads=1)
    condition = Condition.from_text(arguments.text, arguments.interval, generator, length)
    condition.save(arguments.out)
    tokens, width = condition.array.shape
    console.say(f"encoded {tokens} tokens x {width} into {arguments.out}")
