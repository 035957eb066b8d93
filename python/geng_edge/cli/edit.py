"""``geng-edge edit``: change what a text states about a recorded series, and nothing else."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from geng_edge.cli import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    from geng_edge.cli.given import add_given
    from geng_edge.cli.main import add_model, whole
    from geng_edge.cli.output import add_output

    add_given(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--text",
        help="how it is to be: a trend, a period, an event or none, limits, a mean "
        "(needs the extra 'text')",
    )
    what.add_argument("--cond", type=Path, metavar="LATENT.npy", help="a latent made by encode")
    parser.add_argument("--seed", type=whole, default=0, help="seed of the first try (default 0)")
    parser.add_argument(
        "--json", action="store_true", help="print what was asked and measured instead of data"
    )
    add_output(parser)
    add_model(parser)


def run(arguments: argparse.Namespace) -> None:
    """Read, check, edit, write."""
    from geng_edge.cli.given import given
    from geng_edge.cli.main import threads_from_environment
    from geng_edge.cli.output import check_output, deliver
    from geng_edge.condition import Condition, check_text
    from geng_edge.edit import edit
    from geng_edge.generator import Generator
    from geng_edge.plot.image import Beside
    from geng_edge.reference import Reference
    from geng_edge.series import Series

    if arguments.text is not None:
        check_text(arguments.text)
    check_output(arguments)
    found, axis = given(arguments)
    condition = Condition.load(arguments.cond) if arguments.cond is not None else None
    generator = Generator.load(arguments.model, threads=threads_from_environment())
    if condition is None:
        condition = Condition.from_text(arguments.text, axis.interval, generator, len(found.values))
    reference = Reference.of(generator, found.values)
    edited = edit(generator, reference, condition, interval=axis.interval, seed=arguments.seed)
    for check in edited.checks:
        verdict = "shows" if check.held else f"does not show, but {check.measured}"
        console.say(f"{check.claim} {check.asked}: {verdict}")
    deliver(
        arguments,
        Series(edited.values[None], axis.interval, axis.unit, axis.start),
        arguments.text or arguments.cond.name,
        f"edited: {found.name or arguments.series}",
        Beside(behind=reference.values),
        quiet=arguments.json,
    )
    if arguments.json:
        checks = [check.to_dict() for check in edited.checks]
        console.emit(json.dumps({"held": edited.held, "claims": checks}))
