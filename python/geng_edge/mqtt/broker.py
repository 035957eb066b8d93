"""Where a broker is, and as whom to speak to it."""

from __future__ import annotations

import os
import ssl
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

from geng_edge.errors import ArgumentError

#: Environment: the broker's URL, the user's name, the password.
BROKER, USERNAME, PASSWORD = "GENG_BROKER", "GENG_MQTT_USERNAME", "GENG_MQTT_PASSWORD"
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_LONGEST_SECRET = 4096


@dataclass(frozen=True)
class Broker:
    """A broker's address and what proves who we are.

    Attributes:
        host, port: Where it listens.
        tls: The context of an encrypted connection; None for a plain one.
        username, password: None where the broker asks for none. Never shown.
        version: 5, or 3 for MQTT 3.1.1; None tries 5, and 3.1.1 where the broker refuses that.
    """

    host: str
    port: int = 1883
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    version: int | None = None

    @classmethod
    def parse(
        cls,
        url: str | None,
        cafile: str | os.PathLike[str] | None = None,
        cert: str | os.PathLike[str] | None = None,
        key: str | os.PathLike[str] | None = None,
        username: str | None = None,
        password_file: str | os.PathLike[str] | None = None,
    ) -> Broker:
        """Read what a command line or a unit file says.

        Args:
            url: ``mqtt://host[:1883]`` or ``mqtts://host[:8883]``; ``$GENG_BROKER`` by default.
            cafile: Certificates to trust, PEM; the system's by default. With ``mqtts`` only.
            cert, key: Who we are, PEM, for a broker that asks (mutual TLS).
            username: ``$GENG_MQTT_USERNAME`` by default.
            password_file: Its first line is the password; ``$GENG_MQTT_PASSWORD`` by default. Never
                on a command line or in a URL, where every user of the machine reads it.

        Raises:
            ArgumentError: The URL is none, or a file cannot be read or is none of its kind.
        """
        url = url or os.environ.get(BROKER)
        if not url:
            raise ArgumentError(
                f"no broker is named; it must be with --broker or {BROKER}, as mqtt://host:1883"
            )
        scheme, host, port = _address(url)
        if scheme == "mqtt" and (cafile or cert or key):
            raise ArgumentError(
                f"broker is {url} with a certificate; it must be mqtts:// for one to be used"
            )
        username = username or os.environ.get(USERNAME) or None
        password = os.environ.get(PASSWORD) or None
        if password_file is not None:
            password = _first_line(Path(password_file))
        if password is not None and username is None:
            raise ArgumentError("a password is given without a user; it must be given with one")
        tls = _context(cafile, cert, key) if scheme == "mqtts" else None
        return cls(host, port, tls, username, password)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _address(url: str) -> tuple[str, str, int]:
    rule = "it must be mqtt://host:1883 or mqtts://host:8883"
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
        secret = parts.password
    except ValueError as error:
        raise ArgumentError(f"broker is {url[:80]!r}; {rule}") from error
    if secret is not None:
        raise ArgumentError(f"broker's URL holds a password; it must be in a file or in {PASSWORD}")
    if parts.scheme not in _PORTS or not host or parts.username or parts.path.strip("/"):
        raise ArgumentError(f"broker is {url[:80]!r}; {rule}")
    return parts.scheme, host, port if port is not None else _PORTS[parts.scheme]


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            line = file.read(_LONGEST_SECRET).partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentError(
            f"password file {path} cannot be read ({error}); it must be text"
        ) from error
    if not line:
        raise ArgumentError(f"password file {path} is empty; its first line must be the password")
    return line


def _context(
    cafile: str | os.PathLike[str] | None,
    cert: str | os.PathLike[str] | None,
    key: str | os.PathLike[str] | None,
) -> ssl.SSLContext:
    if (cert is None) != (key is None):
        raise ArgumentError("certificate or key is missing; --cert and --key must come together")
    try:
        context = ssl.create_default_context(cafile=os.fspath(cafile) if cafile else None)
        if cert is not None:
            # A key with a passphrase would ask at a terminal that a service does not have.
            context.load_cert_chain(cert, key, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        what = f"{cafile or 'system certificates'}, {cert or 'no certificate'}, {key or 'no key'}"
        raise ArgumentError(
            f"TLS files ({what}) are refused: {error}; they must be PEM and fit one another"
        ) from error
    return context
