"""What the commands say: data to stdout, status and a progress bar to stderr."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable

from geng_edge.errors import OutputError

_BAR = 30


def settle() -> None:
    """Give a closed stdout or stderr somewhere to go, so that nothing else has to ask."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115


def emit(data: str | bytes) -> None:
    """Write data to stdout, all of it or an error; what the terminal cannot show becomes '?'.

    Raises:
        OutputError: stdout refuses, such as a full disk behind it.
        BrokenPipeError: The reader has seen enough.
    """
    if isinstance(data, str):
        data = (data + "\n").encode(sys.stdout.encoding or "utf-8", errors="replace")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        discard()
        raise
    except OSError as error:
        discard()
        raise OutputError(
            f"stdout: {error.strerror or error}; what it holds is not whole"
        ) from error


def discard() -> None:
    """Drop what stdout still buffers, which the interpreter would try to write again at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def say(line: str) -> None:
    """One line of status on stderr; a stderr that takes none stops nothing."""
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def printable(line: str) -> str:
    """``line`` without what would steer a terminal: a file may name itself anything."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def shows_braille() -> bool:
    """Whether stdout's encoding has the characters of the plot."""
    try:
        "\u2800".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def progress() -> Callable[[int, int], bool]:
    """What generation calls after each step: a bar where stderr is a terminal, else nothing.

    Being called also lets Ctrl-C through between two steps.
    """
    if not sys.stderr.isatty():
        return lambda _done, _steps: True
    plain = bool(os.environ.get("NO_COLOR"))
    full, empty = ("#", ".") if plain else ("\u2588", "\u2591")

    def show(done: int, steps: int) -> bool:
        filled = _BAR * done // steps
        end = "" if done < steps else "\n" if plain else "\r\033[K"
        with contextlib.suppress(OSError):
            sys.stderr.write(f"\r{full * filled}{empty * (_BAR - filled)} {done}/{steps}{end}")
            sys.stderr.flush()
        return True

    return show
