"""``geng-edge impute``: draw what is missing in a recorded series."""

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
    add("-n", "--count", type=whole, default=1,
        help="completions to draw (default 1); row i uses seed + i")  # fmt: skip
    add("--seed", type=whole, default=0, help="seed of the first (default 0)")
    add_output(parser)


def run(arguments: argparse.Namespace) -> None:
    """Read, check, draw, write."""
    from geng_edge.cli.given import given
    from geng_edge.cli.output import check_output, deliver
    from geng_edge.completion import complete
    from geng_edge.plot.image import Beside
    from geng_edge.series import Series

    check_output(arguments)
    found, axis = given(arguments)
    values = complete(found.values, arguments.count, seed=arguments.seed)
    missing = ~np.isfinite(found.values)
    console.say(f"filled {int(missing.sum())} of {len(missing)} steps, {arguments.count} times")
    deliver(
        arguments,
        Series(values, axis.interval, axis.unit, axis.start),
        f"{found.name or arguments.series}, {int(missing.sum())} missing values drawn",
        beside=Beside(shaded=missing),
    )
