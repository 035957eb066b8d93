"""``geng-edge fetch``: ask the cloud for the condition of a task, and keep it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from geng_edge import files
from geng_edge.cli import console
from geng_edge.errors import ArgumentError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    from geng_edge.cli.asked import add_asking
    from geng_edge.cli.main import add_model

    add_asking(parser)
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.npy",
        help="the latent; with several channels FILE-<channel>.npy each")  # fmt: skip
    parser.add_argument("--answer", type=Path, metavar="FILE.json",
        help="reasoning, descriptions and claims")  # fmt: skip
    add_model(parser)


def run(arguments: argparse.Namespace) -> None:
    """Check, ask, write."""
    from geng_edge.cli.asked import check_asking, fetched
    from geng_edge.generator import Generator

    check_asking(arguments)
    if arguments.out.suffix != ".npy":
        raise ArgumentError(
            f"{arguments.out} ends in {arguments.out.suffix!r}; it must end in .npy"
        )
    files.check_apart(out=arguments.out, answer=arguments.answer)
    files.check_writable(arguments.out)
    if arguments.answer is not None:
        files.check_writable(arguments.answer)
    reply = fetched(arguments, Generator.load(arguments.model, threads=1))
    said = reply.answer
    if arguments.answer is not None:
        with files.whole(arguments.answer) as file:
            file.write((json.dumps(said.to_dict(), indent=2) + "\n").encode())
        console.say(f"wrote {arguments.answer}")
    for channel, condition in zip(said.channels, reply.conditions, strict=True):
        out = arguments.out
        if len(said.channels) > 1:
            out = out.with_stem(f"{out.stem}-{channel.name.replace(' ', '-')}")
        condition.save(out)
        console.say(
            f"wrote {out}; sample it with --interval {said.interval:g} --length {said.length}"
        )
