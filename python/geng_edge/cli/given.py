"""The series that a command is given, and what its file leaves to be said."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geng_edge.recorded import Recorded


def add_given(parser: argparse.ArgumentParser) -> None:
    """The file, its column, and what a file may leave out."""
    from geng_edge.cli.main import real
    from geng_edge.recorded import FORMATS

    parser.add_argument(
        "series", type=Path, metavar="FILE", help=f"the series: {', '.join(FORMATS)}"
    )
    parser.add_argument(
        "--column", metavar="NAME", help="which column, or row of an array (default: the first)"
    )
    parser.add_argument(
        "--interval",
        type=real,
        metavar="SECONDS",
        help="seconds between two steps (default: the file's stamps, else 1)",
    )
    parser.add_argument(
        "--unit", metavar="UNIT", help="unit of the values (default: the file's, else none)"
    )


@dataclass(frozen=True)
class Axis:
    """Time axis and unit of a result."""

    interval: float
    start: str
    unit: str


def given(arguments: argparse.Namespace) -> tuple[Recorded, Axis]:
    """Read the series; options fill in what its file does not say.

    Raises:
        ArgumentError: It is no series, or an option contradicts it.
    """
    from geng_edge import recorded
    from geng_edge.condition import check_interval, check_unit
    from geng_edge.errors import ArgumentError
    from geng_edge.series import DEFAULT_START

    if arguments.interval is not None:
        check_interval(arguments.interval)
    check_unit(arguments.unit or "")
    found = recorded.load(arguments.series, arguments.column)
    found.check_unit(arguments.unit or "")
    own = found.interval
    if arguments.interval and own and abs(arguments.interval / own - 1.0) > 1e-3:
        raise ArgumentError(
            f"interval is {arguments.interval:g}; it must be {own:g}, as the stamps of "
            f"{arguments.series} say"
        )
    axis = Axis(
        interval=own or arguments.interval or 1.0,
        start=found.start or DEFAULT_START,
        unit=found.unit or arguments.unit or "",
    )
    return replace(found, interval=axis.interval), axis
