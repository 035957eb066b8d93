"""``geng-edge``: parse, run one command, turn errors into a sentence and an exit code.

Exit codes: 0 done, 2 usage, 3 model file, 4 device or output, 5 broker or cloud, 70 a fault of ours
(the only one that shows a traceback), 129 hung up, 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from geng_edge.cli import console
from geng_edge.errors import ArgumentError, GengError

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

OUR_FAULT = 70
INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """Answers a wrong command line with one sentence."""

    def error(self, message: str) -> NoReturn:
        raise ArgumentError(f"{message}; see {self.prog} --help")

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        """To stdout, all of it or an error."""
        if file is not None:
            super().print_help(file)
        else:
            console.emit(self.format_help().rstrip("\n"))


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    from geng_edge.cli import (
        bench,
        channels,
        continue_,
        doctor,
        edit,
        encode,
        fetch,
        generate,
        impute,
        inspect,
        profiles,
        sample,
        serve,
    )

    parser = _Parser(
        prog="geng-edge",
        description="Generate sensor time series from a description, on this device.",
        allow_abbrev=False,
        epilog="Environment: GENG_MODEL model file, GENG_THREADS threads, GENG_FORCE_ISA kernel set, "
        "GENG_CACHE folder of packed weights and answers or off, GENG_BROKER, GENG_GATEWAY, "
        "GENG_MQTT_USERNAME and GENG_MQTT_PASSWORD the road to the cloud, NO_COLOR plain output.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for module in (
        encode,
        sample,
        fetch,
        generate,
        channels,
        continue_,
        impute,
        edit,
        inspect,
        doctor,
        profiles,
        bench,
        serve,
    ):
        name = module.__name__.rpartition(".")[2].rstrip("_")
        summary = (module.__doc__ or "").splitlines()[0]
        summary = summary.partition(": ")[2]
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def add_model(parser: argparse.ArgumentParser) -> None:
    """The option every command with a model has."""
    parser.add_argument(
        "--model", metavar="FILE", help="model file (default: $GENG_MODEL, then the bundled model)"
    )


def whole(text: str) -> int:
    """A whole number of the command line, for ``type=``."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is no whole number; it must be one"
        ) from None


def real(text: str) -> float:
    """A number of the command line, for ``type=``; NaN is left to the range check."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number; it must be one") from None


def threads_from_environment() -> int:
    """$GENG_THREADS, or 0 for what affinity and quota allow.

    Raises:
        ArgumentError: It is no number.
    """
    text = os.environ.get("GENG_THREADS") or "0"
    if not (text.isdecimal() and len(text) < 10):
        raise ArgumentError(f"GENG_THREADS is {text!r}; it must be a number of threads")
    return int(text)


def _run(arguments: argparse.Namespace) -> None:
    if arguments.version:
        import geng_edge

        console.emit(geng_edge.__version__)
        return
    if arguments.command is None:
        raise ArgumentError(
            "no command is given; it must be one of encode, sample, fetch, generate, channels, "
            "continue, impute, edit, inspect, doctor, profiles, bench, serve"
        )
    if arguments.command == "serve":  # which answers signals itself
        arguments.run(arguments)
        return
    with _ended_by_signals():
        arguments.run(arguments)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as an exception, so that no file is left half-written.

    A signal that is handled or ignored already, as under nohup, stays so.
    """
    taken = []
    if threading.current_thread() is threading.main_thread():  # no other may set a handler
        numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
        taken = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    try:
        for number in taken:
            signal.signal(number, _end)
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    console.settle()
    try:
        _run(build_parser().parse_args(argv))
    except GengError as error:
        console.say(f"geng-edge: {console.printable(str(error))}")
        return error.exit_code
    except MemoryError:
        console.say("geng-edge: memory is too small for this; ask for fewer or shorter series")
        return 4
    except BrokenPipeError:
        return 0  # whoever read our output has seen enough
    except KeyboardInterrupt:
        console.say("geng-edge: interrupted; no file is half-written")
        return INTERRUPTED
    except Exception:  # noqa: BLE001  whatever is left is a fault of ours, and says so
        import traceback

        traceback.print_exc()
        return OUR_FAULT
    return 0
