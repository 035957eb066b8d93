"""A cloud on one's own machine: a broker, a Cog-LLM worker and a gateway, on loopback, until Ctrl-C.

    python tools/cloud.py
    geng-edge generate "temperature sensor in a family home, one week" --out week.csv

Uses the broker that already listens on the port, or starts a mosquitto of its own. What is written goes to
--folder. Ends with 1 where one of the three ends by itself.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

_PATIENCE = 60.0


class Part:
    """One program: started when entered, stopped when left. Its stderr goes to a file."""

    def __init__(self, name: str, command: list[str], folder: Path) -> None:
        self.name, self.command, self.log = name, command, folder / f"{name}.log"

    def __enter__(self) -> Part:  # noqa: PYI034  typing.Self needs Python 3.11
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()

    def check(self) -> None:
        """End the program where this part has ended."""
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace").strip().splitlines()[-3:]
            sys.exit(f"{self.name} ended with {self.process.returncode}: {' / '.join(tail)}")

    def await_line(self, words: str) -> None:
        """Wait until its log says something."""
        until = time.monotonic() + _PATIENCE
        while words not in self.log.read_text(errors="replace"):
            self.check()
            if time.monotonic() > until:
                sys.exit(f"{self.name} is not ready after {_PATIENCE:g} s; see {self.log}")
            time.sleep(0.1)


def listens(port: int) -> bool:
    """Whether anything listens on a port of loopback."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False


def broker(port: int, folder: Path) -> Part | None:
    """A mosquitto of our own; None where a broker is there already."""
    if listens(port):
        print(f"a broker listens on 127.0.0.1:{port} already; using it")
        return None
    found = shutil.which(
        "mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    )
    if found is None:
        sys.exit("mosquitto is not installed; it must be: apt-get install mosquitto")
    user = ["user root"] if os.geteuid() == 0 else []
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", "persistence false", *user]
    config = folder / "mosquitto.conf"
    config.write_text("\n".join([*lines, ""]))
    return Part("broker", [found, "-c", str(config)], folder)


def main() -> int:
    """Start the three, wait, stop them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=1883, help="of the broker (default 1883)")
    parser.add_argument("--http", type=int, default=8080,
                        help="of the gateway's API; the worker's is the next (default 8080)")  # fmt: skip
    parser.add_argument("--folder", type=Path, default=Path("out/cloud"), help="default out/cloud")
    parser.add_argument("worker", nargs="*", help="after --, further options of geng-cog serve")
    arguments = parser.parse_args()
    folder, port = arguments.folder, arguments.port
    folder.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    url, python = f"mqtt://127.0.0.1:{port}", sys.executable
    with ExitStack() as stack:
        parts = []
        started = broker(port, folder)
        if started is not None:
            parts.append(stack.enter_context(started))
            until = time.monotonic() + _PATIENCE
            while not listens(port) and time.monotonic() < until:
                started.check()
                time.sleep(0.05)
        worker = Part("worker", [python, "-m", "geng_cog", "serve", "--broker", url, "--worker", "local",
                                 "--http", f"127.0.0.1:{arguments.http + 1}", *arguments.worker],
                      folder)  # fmt: skip
        gateway = Part("gateway", [python, "-m", "geng_edge", "serve", "--broker", url,
                                   "--http", f"127.0.0.1:{arguments.http}",
                                   "--outbox", str(folder / "outbox.db")], folder)  # fmt: skip
        parts += [stack.enter_context(worker), stack.enter_context(gateway)]
        worker.await_line("answering as")
        for part in parts:
            part.check()
        print(f"ready: broker {url}, gateway http://127.0.0.1:{arguments.http}/healthz, worker "
              f"http://127.0.0.1:{arguments.http + 1}/; logs in {folder}; Ctrl-C stops all",
              flush=True)  # fmt: skip
        while not stop.wait(0.5):
            for part in parts:
                part.check()
    print("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
