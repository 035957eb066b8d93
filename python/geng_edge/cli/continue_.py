"""``geng-edge continue``: draw what a recorded series may do next."""

from __future__ import annotations

import argparse

import numpy as np

from geng_edge.cli import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    from geng_edge.cli.given import add_given
    from geng_edge.cli.main import whole
    from geng_edge.cli.output import add_output

    add_given(parser)
    add = parser.add_argument
    add("--steps", type=whole, default=512, help="steps to add (default 512)")
    add("-n", "--count", type=whole, default=1,
        help="continuations to draw (default 1); row i uses seed + i")  # fmt: skip
    add("--seed", type=whole, default=0, help="seed of the first (default 0)")
    add("--only-new", action="store_true", help="leave the history out of the result")
    add_output(parser)


def run(arguments: argparse.Namespace) -> None:
    """Read, check, draw, write."""
    from geng_edge.cli.given import given
    from geng_edge.cli.output import check_output, deliver
    from geng_edge.completion import MOST_STEPS, complete
    from geng_edge.plot.image import Beside
    from geng_edge.request import check_whole
    from geng_edge.series import Series, moments_of

    check_whole("steps", arguments.steps, 1, MOST_STEPS)
    check_output(arguments)
    history, axis = given(arguments)
    known = len(history.values)
    moments_of(axis.start, axis.interval, 1, known + arguments.steps - 1)
    values = complete(history.values, arguments.count, steps=arguments.steps, seed=arguments.seed)
    console.say(f"drew {arguments.count} continuations of {known} steps by {arguments.steps}")
    skipped = known if arguments.only_new else 0
    series = Series(values, axis.interval, axis.unit, axis.start)
    gaps = np.concatenate([~np.isfinite(history.values), np.ones(arguments.steps, bool)])
    caption = f"{history.name or arguments.series}, continued by {arguments.steps} steps"
    if skipped:
        start = moments_of(axis.start, axis.interval, 1, skipped)[0].isoformat()
        series = Series(values[:, skipped:], axis.interval, axis.unit, start)
        gaps = np.zeros(arguments.steps, bool)
    deliver(arguments, series, caption, beside=Beside(shaded=gaps))
