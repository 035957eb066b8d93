"""``geng-cog ask``: answer a task: reasoning, description and claims of each channel."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from geng_cog.cli.backend import add_backend, load_backend
from geng_edge.cli import console
from geng_edge.errors import ArgumentError

if TYPE_CHECKING:
    from geng_edge.wire.answer import Answer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("tasks", nargs="+", metavar="TASK", help="what to generate, in words")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for machines")
    parser.add_argument("--seed", default="0", metavar="N", help="seed of the draws (default 0)")
    parser.add_argument(
        "--temperature",
        default="0",
        metavar="T",
        help="0 (default) takes the likeliest words; to 2",
    )
    add_backend(parser)


def run(arguments: argparse.Namespace) -> None:
    """Answer and print."""
    try:
        seed, temperature = int(arguments.seed), float(arguments.temperature)
    except ValueError:
        raise ArgumentError("seed and temperature must be numbers") from None
    answers = load_backend(arguments).answer(arguments.tasks, seed, temperature=temperature)
    for answer in answers:
        console.emit(json.dumps(answer.to_dict()) if arguments.json else _shown(answer))


def _shown(answer: Answer) -> str:
    from geng_cog.durations import duration_text

    times = f"{duration_text(answer.span)}, every {duration_text(answer.interval)}"
    lines = [
        f"task       {answer.task}",
        f"reasoning  {answer.reasoning}",
        f"sure       {'yes' if answer.sure else 'no'}",
        f"times      {times}, {answer.steps} steps",
    ]
    lines += [f"{channel.name}: {channel.description}" for channel in answer.channels]
    return "\n".join(map(console.printable, lines))
