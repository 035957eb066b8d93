"""``geng-cog``: parse, run one command, turn errors into a sentence and an exit code.

Exit codes: 0 done, 2 usage, 3 model file, 4 output, 5 broker or endpoint, 70 a fault of ours (the only one
that shows a traceback), 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from typing import NoReturn

from geng_edge.cli import console
from geng_edge.errors import ArgumentError, GengError

OUR_FAULT = 70
INTERRUPTED = 130
#: Modules of this package, one for each command; what follows the colon of their first line is its help.
COMMANDS = ("ask", "serve", "selftrain", "evaluate")


class _Parser(argparse.ArgumentParser):
    """Answers a wrong command line with one sentence."""

    def error(self, message: str) -> NoReturn:
        raise ArgumentError(f"{message}; see {self.prog} --help")


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    parser = _Parser(
        prog="geng-cog",
        description="Say what the time series of a device looks like, so that an edge can generate it.",
        allow_abbrev=False,
        epilog="Environment: GENG_COG_KEY key of an endpoint, GENG_MODEL model file of the edge, "
        "GENG_BROKER, GENG_MQTT_USERNAME and GENG_MQTT_PASSWORD the broker, NO_COLOR plain output.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"geng_cog.cli.{name}")
        summary = (module.__doc__ or "").splitlines()[0].partition(": ")[2]
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def _run(arguments: argparse.Namespace) -> None:
    if arguments.version:
        import geng_cog

        console.emit(geng_cog.__version__)
        return
    if arguments.command is None:
        raise ArgumentError(f"no command is given; it must be one of {', '.join(COMMANDS)}")
    arguments.run(arguments)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    console.settle()
    try:
        _run(build_parser().parse_args(argv))
    except GengError as error:
        console.say(f"geng-cog: {console.printable(str(error))}")
        return error.exit_code
    except BrokenPipeError:
        return 0  # whoever read our output has seen enough
    except KeyboardInterrupt:
        console.say("geng-cog: interrupted; no file is half-written")
        return INTERRUPTED
    except Exception:  # noqa: BLE001  whatever is left is a fault of ours, and says so
        import traceback

        traceback.print_exc()
        return OUR_FAULT
    return 0
