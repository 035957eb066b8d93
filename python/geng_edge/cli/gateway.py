"""Which gateway we are: what every command that asks or serves over a broker shares."""

from __future__ import annotations

import argparse
import os
import re
import socket

GATEWAY = "GENG_GATEWAY"


def add_gateway(parser: argparse.ArgumentParser) -> None:
    """``--broker``, what belongs to it, and ``--gateway``."""
    from geng_edge.mqtt.options import add_broker

    add_broker(parser)
    parser.add_argument("--gateway", metavar="ID",
        help="our id in topics (default $GENG_GATEWAY, then the user's name, then the host's)")  # fmt: skip


def gateway_of(arguments: argparse.Namespace) -> str:
    """Our id.

    Raises:
        ArgumentError: The one that is given is none.
    """
    from geng_edge.mqtt.broker import USERNAME
    from geng_edge.wire.topics import check_id

    given = arguments.gateway or os.environ.get(GATEWAY)
    if given:
        return check_id(given)
    name = arguments.username or os.environ.get(USERNAME) or socket.gethostname()
    return check_id(re.sub(r"[^a-z0-9_-]", "-", name.lower()).strip("-_")[:63] or "gateway")
