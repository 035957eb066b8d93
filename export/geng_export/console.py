"""How a command of this package ends."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from geng_edge.errors import GengError

FAILED = 2


def run(command: Callable[[], object], log: logging.Logger) -> int:
    """Run a command with its log on stderr; what it cannot do ends in a sentence.

    Returns:
        The exit code: 0, or 2 where it failed.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        command()
    except (GengError, OSError) as error:
        log.error("%s", error)
        return FAILED
    return 0
