"""Ports of loopback for servers that tests start."""

from __future__ import annotations

import secrets
import socket


def free_port(row: int = 1) -> int:
    """A port that is free, and that no outgoing connection is given before its server is bound to it.

    Below those that the system hands out by itself (32,768 and above on Linux, 49,152 elsewhere): a
    client's end of some other connection can take such a one before the server starts.

    Args:
        row: So many in a row are free, from the one that is returned.
    """
    while True:
        port = secrets.choice(range(20_000, 32_000))
        if all(map(_is_free, range(port, port + row))):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
