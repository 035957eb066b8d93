"""Where series go: a file, a picture, the terminal or a pipe. What every generating command shares."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from geng_edge import files
from geng_edge.cli import console

if TYPE_CHECKING:
    from geng_edge.plot.image import Beside
    from geng_edge.series import Series


def add_output(parser: argparse.ArgumentParser) -> None:
    """``--out`` and ``--plot``."""
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="FILE.npy, .csv, .parquet or .json (default: CSV to a pipe, a plot to a terminal)",
    )
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FILE.png",
        help="picture of the series (needs the extra 'plot')",
    )


def check_output(arguments: argparse.Namespace) -> None:
    """Refuse files that could not be written, before anything is computed.

    Raises:
        ArgumentError: A format is not known, or two files are one.
        MissingExtraError: A format or the picture needs what is not installed.
        OutputError: A folder is missing or read-only.
    """
    from geng_edge.series import check_format

    report = getattr(arguments, "report", None)
    files.check_apart(out=arguments.out, plot=arguments.plot, report=report)
    if arguments.out is not None:
        check_format(arguments.out)
        files.check_writable(arguments.out)
    if arguments.plot is not None:
        from geng_edge.plot.image import check_available

        check_available(arguments.plot)
        files.check_writable(arguments.plot)


def deliver(
    arguments: argparse.Namespace,
    series: Series,
    caption: str,
    note: str = "",
    beside: Beside | None = None,
    *,
    quiet: bool = False,
) -> None:
    """Write the file and the picture; without a file, the data go to stdout.

    Args:
        arguments: With what :func:`add_output` added.
        series: What was made.
        caption, note, beside: Of the picture; see :func:`geng_edge.plot.image.save_png`.
        quiet: Nothing to stdout.
    """
    if arguments.out is not None:
        series.save(arguments.out)
        console.say(f"wrote {arguments.out}")
    if arguments.plot is not None:
        from geng_edge.plot.image import save_png

        save_png(series, arguments.plot, caption=caption, note=note, beside=beside)
        console.say(f"wrote {arguments.plot}")
    if quiet:
        return
    if sys.stdout.isatty():
        from geng_edge.plot.terminal import draw

        console.emit(draw(series, plain=not console.shows_braille()))
    elif arguments.out is None:
        for block in series.to_csv():
            console.emit(block)
