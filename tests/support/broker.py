"""A real mosquitto on a free loopback port, which tests start, kill and start again."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from support.ports import free_port

SEARCHED = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def find_mosquitto() -> str | None:
    """The broker's program; None where it is not installed."""
    return shutil.which("mosquitto", path=SEARCHED)


def missing() -> str:
    """Why tests of the road are skipped; empty where nothing is missing."""
    if find_mosquitto() is None:
        return "mosquitto is not installed"
    try:
        import paho.mqtt.client  # noqa: F401
    except ImportError:
        return "paho-mqtt is not installed"
    return ""


@final
class Mosquitto:
    """A broker with a folder of its own.

    Args:
        folder: Where its configuration, log and store go.
        lines: Further lines of its configuration, after the listener's.
    """

    def __init__(self, folder: Path, lines: Sequence[str] = ("allow_anonymous true",)) -> None:
        self.folder = folder
        self.port = free_port()
        self.lines = tuple(lines)
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it listens."""
        program = find_mosquitto()
        assert program is not None
        config = self.folder / "mosquitto.conf"
        # As root, mosquitto becomes the user of its name, who may not read what tests write.
        user = ["user root"] if os.geteuid() == 0 else []
        config.write_text(
            "\n".join(
                [
                    f"listener {self.port} 127.0.0.1",
                    *user,
                    f"log_dest file {self.folder / 'mosquitto.log'}",
                    *self.lines,
                    "",
                ]
            )
        )
        self.process = subprocess.Popen(
            [program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), 1),
            ):
                return
            assert self.process.poll() is None, self.log()
            time.sleep(0.02)
        raise AssertionError(f"mosquitto does not listen: {self.log()}")

    def kill(self) -> None:
        """SIGKILL: no goodbye, nothing saved."""
        kill(self.process)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def log(self) -> str:
        with contextlib.suppress(OSError):
            return (self.folder / "mosquitto.log").read_text()
        return ""

    def __enter__(self) -> Mosquitto:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def kill(process: subprocess.Popen[bytes] | None) -> None:
    """SIGKILL a process and wait until it is gone."""
    if process is not None and process.poll() is None:
        process.send_signal(signal.SIGKILL)
        process.wait(10)


def import_paths() -> str:
    """Where this process imports from, for a process that it starts; the tests' own folder first.

    Not the folders of the sources by name: where the packages are installed, those lack the compiled core.
    """
    tests = str(Path(__file__).resolve().parents[1])
    return os.pathsep.join([tests, *(path for path in sys.path if path and path != tests)])


@final
class Worker:
    """A Python program that can be killed and started again, such as a worker or a gateway.

    Args:
        arguments: After the interpreter, such as ``["-m", "geng_edge", "serve"]``.
        log: Where its stderr goes, run after run.
        environment: Beside our own.
    """

    def __init__(
        self, arguments: Sequence[str], log: Path, environment: dict[str, str] | None = None
    ) -> None:
        self.arguments, self.log = list(arguments), log
        self.environment = {**os.environ, "PYTHONPATH": import_paths(), **(environment or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.arguments],
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=self.environment,
            )

    def kill(self) -> None:
        kill(self.process)
        self.kills += 1

    @property
    def ended(self) -> bool:
        """Whether it ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def memory(self) -> float:
        """Resident megabytes; 0 where it does not run or nobody says."""
        with contextlib.suppress(OSError, AttributeError):
            assert self.process is not None
            pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20
        return 0.0

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                kill(self.process)

    def __enter__(self) -> Worker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@dataclass(frozen=True)
class Certificates:
    """PEM files of one small authority."""

    ca: Path
    server_cert: Path
    server_key: Path
    client_cert: Path
    client_key: Path
    stranger_ca: Path


def make_certificates(folder: Path, client: str = "pi-7") -> Certificates:
    """An authority, a server at 127.0.0.1, a client, and an authority that nobody knows. By openssl."""
    folder.mkdir(parents=True, exist_ok=True)
    run = functools.partial(subprocess.run, check=True, capture_output=True, cwd=folder)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]
    for name in ("ca", "stranger"):
        run(["openssl", "req", "-x509", *curve, "-subj", f"/CN=test {name}",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign",
             "-keyout", f"{name}.key", "-out", f"{name}.crt"])  # fmt: skip
    (folder / "server.ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    (folder / "client.ext").write_text("extendedKeyUsage=clientAuth\n")
    for name, subject in (("server", "127.0.0.1"), ("client", client)):
        run(["openssl", "req", *curve, "-subj", f"/CN={subject}",
             "-keyout", f"{name}.key", "-out", f"{name}.csr"])  # fmt: skip
        run(["openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
             "-CAcreateserial", "-days", "30", "-extfile", f"{name}.ext",
             "-out", f"{name}.crt"])  # fmt: skip
    names = ("ca.crt", "server.crt", "server.key", "client.crt", "client.key", "stranger.crt")
    return Certificates(*(folder / name for name in names))


@contextlib.contextmanager
def mosquitto(folder: Path, *lines: str) -> Iterator[Mosquitto]:
    """A broker for one block."""
    with Mosquitto(folder, lines or ("allow_anonymous true",)) as broker:
        yield broker
