"""Use the Arm wheels as a Raspberry Pi would, one emulated CPU after the other.

    python tools/wheels/make.py aarch64 armv7l model --pythons 3.11 --to out/wheels
    python tools/wheels/try_arm.py out/wheels

In the userland of Raspberry Pi OS, on the CPUs of Pi 2, 3, 4 and 5 and of a server: pip installs the
wheels; doctor must name the right kernel set; both golden models must draw the golden series of that
set, byte for byte; the shipped model must draw what this machine draws; serve must answer a request by
HTTP with the bytes that sample writes. Once more with pages of 16 KiB, as Pi 5's kernel has them.
Skipped, with a reason, where qemu or debootstrap is missing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from cross import ROOT, call
from emulated import MACHINES, Machine, Userland, lacking
from geng_edge import Condition, Generator
from geng_edge.wire.condition import pack
from geng_edge.wire.fingerprint import fingerprint
from sysroot import PYTHON, RELEASE
from targets import BuildError

WORK = ROOT / "build" / "try_arm"
GOLDEN = ROOT / "tests" / "data" / "golden"
TEXT = "A daily cycle between 18 and 23 degC, one spike, low noise"
PAGE = 16384  # bytes; Raspberry Pi OS on a Pi 5
TOLERANCE = 2e-2  # of the norm, between kernel sets: they round otherwise, and int8 passes it on
PATIENCE = 240.0  # seconds that an emulated server may take


def install(machine: Machine, wheels: Path, site: Path) -> None:
    """Lets pip install the wheels for the machine, numpy and the tokenizer from the index."""
    shutil.rmtree(site, ignore_errors=True)
    command: list[str | Path] = [sys.executable, "-m", "pip", "install", "-qq", "--target", site]
    command += ["--no-compile", "--only-binary=:all:", "--implementation", "cp"]
    command += ["--python-version", PYTHON, "--find-links", wheels]
    for platform in machine.platforms:
        command += ["--platform", platform]
    wanted = ["geng-edge[text]"] if machine.index else ["--no-deps", "geng-edge", "geng-edge-model"]
    call([*command, *wanted], cwd=ROOT)


def settings(name: str) -> list[str]:
    """Options by which a golden model is asked for its golden series."""
    asked = json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))["models"][name][
        "asked"
    ]
    options = [o for key, value in asked.items() for o in (f"--{key}", str(value))]
    return ["--model", str(GOLDEN / f"{name}.gguf"), "--cond", str(GOLDEN / f"{name}_condition.npy"),
            *options]  # fmt: skip


def golden_names() -> list[str]:
    """The golden models."""
    return sorted(json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))["models"])


def request_for(name: str) -> dict[str, Any]:
    """A golden series as ``POST /v1/sample`` asks for it: by its condition, so without a tokenizer."""
    asked = json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))["models"][name][
        "asked"
    ]
    generator = Generator.load(GOLDEN / f"{name}.gguf", threads=1)
    condition = pack(Condition.load(GOLDEN / f"{name}_condition.npy"))
    return {**asked, "condition": {**condition, "fingerprint": fingerprint(generator)}}


class Trial:
    """One CPU with the wheels installed."""

    def __init__(self, name: str, userland: Userland, site: Path, folder: Path, cpu: str) -> None:
        self.name, self.userland, self.site, self.folder, self.cpu = (
            name,
            userland,
            site,
            folder,
            cpu,
        )
        self.isa = userland.machine.cpus[cpu]

    def geng(self, *arguments: str | Path, page: int = 0) -> str:
        """Standard output of ``geng-edge arguments``."""
        return self.userland.run(self.cpu, self.site, "-m", "geng_edge", *arguments, page=page)

    def doctor(self) -> str:
        """The kernel set that doctor names.

        Raises:
            BuildError: It is another, or the model is not found where pip put it.
        """
        report = json.loads(self.geng("doctor", "--json"))
        if report["isa"] != self.isa:
            raise BuildError(f"doctor names {report['isa']} on {self.cpu}; it must be {self.isa}")
        if Path(report["model"]["file"]).parent.name != "geng_edge_model":
            raise BuildError(
                f"the model is {report['model']['file']}; it must be geng-edge-model's"
            )
        return f"{report['isa']}, geng-edge {report['version']}, numpy {report['numpy']}"

    def golden(self, name: str, rewrite: bool, page: int = 0) -> None:
        """Draws a golden series and compares bytes, or keeps it as the golden one.

        A set without a golden one is held against the scalar set, within rounding.
        """
        out = self.folder / f"{name}.npy"
        self.geng("sample", *settings(name), "--threads", "1", "--out", out, page=page)
        kept = GOLDEN / "series" / f"{name}-{self.name}-{self.isa}.npy"
        if rewrite:
            shutil.copyfile(out, kept)
        elif kept.exists():
            if out.read_bytes() != kept.read_bytes():
                raise BuildError(f"{name} on {self.cpu} draws other bytes than {kept.name}")
        else:
            scalar = np.load(GOLDEN / "series" / f"{name}-x86_64-scalar.npy", allow_pickle=False)
            apart = np.linalg.norm(np.load(out) - scalar) / np.linalg.norm(scalar)
            if not apart <= TOLERANCE:
                raise BuildError(
                    f"{name} on {self.cpu} is {apart:.3g} away; it must be {TOLERANCE} at most"
                )
            print(
                f"   {self.cpu:12} {name}: no golden series of {self.isa} is kept; {apart:.1e} from scalar's"
            )

    def shipped(self, condition: Path, here: Path) -> float:
        """How far the shipped model's series is from this machine's, as a share of its norm."""
        out = self.folder / "shipped.npy"
        self.geng("sample", "--cond", condition, "--interval", "600", "-n", "1", "--seed", "7",
                  "--out", out)  # fmt: skip
        found, expected = np.load(out), np.load(here)
        apart = float(np.linalg.norm(found - expected) / np.linalg.norm(expected))
        if not apart <= TOLERANCE:
            raise BuildError(
                f"the shipped model draws {apart:.3g} away; it must be {TOLERANCE} at most"
            )
        return apart

    def serve(self, name: str) -> None:
        """Starts the gateway, asks it for a golden series, and stops it.

        Raises:
            BuildError: The answer is not what ``sample`` writes, or it does not stop as told.
        """
        expected = self.folder / "series.csv"
        self.geng("sample", *settings(name), "--out", expected)
        server = self.userland.start(
            self.cpu, self.site, "-m", "geng_edge", "serve", "--http", "127.0.0.1:0", "--outbox",
            self.folder / "outbox.db", "--gateway", "pi", "--model", GOLDEN / f"{name}.gguf",
        )  # fmt: skip
        try:
            answer = self._ask(self._address(server), name)
            server.send_signal(signal.SIGTERM)
            if (ended := server.wait(PATIENCE)) != 0:
                raise BuildError(f"serve ended with {ended} on SIGTERM; it must be 0")
        finally:
            server.kill()
            server.wait()
        if answer != expected.read_bytes():
            raise BuildError(f"serve on {self.cpu} answers other bytes than sample writes")

    def _address(self, server: subprocess.Popen[str]) -> str:
        said = []
        assert server.stderr is not None
        for line in server.stderr:  # ends with the server
            said.append(line)
            if "asked on http://" in line:
                return line.split("asked on ")[1].split("/v1/")[0]
        raise BuildError(f"serve on {self.cpu} did not start: {''.join(said)[-2000:]}")

    def _ask(self, address: str, name: str) -> bytes:
        with urllib.request.urlopen(f"{address}/healthz", timeout=PATIENCE) as reply:
            if reply.status != 200:
                raise BuildError(f"/healthz answers {reply.status}; it must be 200")
        body = json.dumps(request_for(name)).encode()
        request = urllib.request.Request(
            f"{address}/v1/sample", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return bytes(reply.read())


def try_machine(name: str, wheels: Path, rewrite: bool, cpus: list[str]) -> None:
    """Everything on every CPU of a kind of board."""
    machine = MACHINES[name]
    if lack := lacking(machine):
        print(f"-- {name}: skipped, {lack}")
        return
    tag = "cp" + PYTHON.replace(".", "")
    if not any(name in wheel.name for wheel in wheels.glob(f"geng_edge-*-{tag}-*.whl")):
        print(f"-- {name}: skipped, {wheels} has no wheel for Python {PYTHON}, Debian {RELEASE}'s")
        return
    since = time.monotonic()
    userland = Userland(machine, WORK / name)
    site = WORK / name / "site"
    install(machine, wheels, site)
    print(
        f"-- {name}: Debian {RELEASE} and the wheels installed by pip in {time.monotonic() - since:.0f} s"
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        condition, here = folder / "condition.npy", folder / "here.npy"
        ours = [sys.executable, "-m", "geng_edge"]
        call([*ours, "encode", "--text", TEXT, "--interval", "600", "--out", condition], cwd=ROOT)
        call([*ours, "sample", "--cond", condition, "--interval", "600", "-n", "1", "--seed", "7",
              "--out", here], cwd=ROOT)  # fmt: skip
        for cpu in machine.cpus:
            if cpus and cpu not in cpus:
                continue
            since = time.monotonic()
            inside = folder / cpu
            inside.mkdir()
            trial = Trial(name, userland, site, inside, cpu)
            said = trial.doctor()
            for golden in golden_names():
                trial.golden(golden, rewrite)
            if name == "aarch64":
                trial.golden(golden_names()[0], False, PAGE)
            apart = trial.shipped(condition, here)
            trial.serve(golden_names()[-1])
            print(f"   {cpu:12} {said}; golden series by their bytes, the shipped model's {apart:.1e} of its "
                  f"norm away, serve answers; {time.monotonic() - since:.0f} s")  # fmt: skip


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "wheels", type=Path, help="folder of the wheels: aarch64, armv7l and the model"
    )
    parser.add_argument("--machine", action="append", choices=list(MACHINES), help="default: each")
    parser.add_argument("--cpu", action="append", default=[], help="default: each of the machine's")
    parser.add_argument("--rewrite-golden", action="store_true",
                        help="keep what is drawn as the golden series of its kernel set")  # fmt: skip
    arguments = parser.parse_args()
    try:
        for name in arguments.machine or MACHINES:
            try_machine(name, arguments.wheels.resolve(), arguments.rewrite_golden, arguments.cpu)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
