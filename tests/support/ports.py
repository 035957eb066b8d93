"""Ports of loopback for servers that tests start."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress


def free_port() -> int:
    """A port that is free, and that no outgoing connection is given before its server is bound to it.

    Below those that the system hands out by itself (32,768 and above on Linux, 49,152 elsewhere): a
    client's end of some other connection can take such a one before the server starts.
    """
    while True:
        port = secrets.choice(range(20_000, 32_000))
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
