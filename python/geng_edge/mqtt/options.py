"""Command-line options that name a broker, and what they mean."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geng_edge.mqtt.broker import Broker


def add_broker(parser: argparse.ArgumentParser) -> None:
    """``--broker`` and what belongs to it."""
    add = parser.add_argument
    add("--broker", metavar="URL",
        help="mqtt://host:1883 or mqtts://host:8883 (default $GENG_BROKER)")  # fmt: skip
    add("--cafile", metavar="FILE", help="certificates to trust, PEM (default: the system's)")
    add("--cert", metavar="FILE", help="our certificate, PEM, for a broker that asks for one")
    add("--key", metavar="FILE", help="its key, PEM, without a passphrase")
    add("--username", help="our name at the broker (default $GENG_MQTT_USERNAME)")
    add("--password-file", metavar="FILE",
        help="its first line is the password (default $GENG_MQTT_PASSWORD)")  # fmt: skip


def broker_of(arguments: argparse.Namespace) -> Broker:
    """The broker that the options and the environment name.

    Raises:
        ArgumentError: None is named, or something of it is refused.
    """
    from geng_edge.mqtt.broker import Broker  # brings in TLS, which most commands have no use for

    return Broker.parse(
        arguments.broker,
        arguments.cafile,
        arguments.cert,
        arguments.key,
        arguments.username,
        arguments.password_file,
    )
