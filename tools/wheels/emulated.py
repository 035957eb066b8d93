"""A Raspberry-Pi-like system in a folder, and programs of it run by qemu, one CPU at a time.

The system is Debian's, unpacked once (sysroot.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cross import call
from sysroot import PYTHON, unpack


@dataclass(frozen=True)
class Machine:
    """A kind of board.

    Attributes:
        debian: What Debian calls it.
        emulator: The program that runs its programs.
        triplet: Of its libraries' folder.
        packages: Of Debian, beside the base system.
        platforms: Of wheels that pip takes there.
        index: Whether a package index has numpy for it; else it is Debian's.
        cpus: qemu's name of a CPU, and the kernel set that must be chosen there.
    """

    debian: str
    emulator: str
    triplet: str
    packages: tuple[str, ...]
    platforms: tuple[str, ...]
    index: bool
    cpus: dict[str, str]


MACHINES = {
    "aarch64": Machine(
        "arm64",
        "qemu-aarch64-static",
        "aarch64-linux-gnu",
        ("python3",),
        ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux_2_17_aarch64",
         "manylinux2014_aarch64"),
        True,
        # Pi 3 and Zero 2 W, Pi 4, Pi 5, and a server with i8mm; qemu's SME is not to be trusted.
        {"cortex-a53": "neon", "cortex-a72": "neon", "cortex-a76": "dotprod", "max,sme=off": "i8mm"},
    ),
    "armv7l": Machine(
        "armhf",
        "qemu-arm-static",
        "arm-linux-gnueabihf",
        ("python3", "python3-numpy"),
        ("manylinux_2_17_armv7l", "manylinux2014_armv7l"),
        False,
        {"cortex-a7": "armv7_neon"},
    ),
}  # fmt: skip


def lacking(machine: Machine) -> str:
    """What is missing here to run ``machine``, in one sentence; empty where nothing is."""
    for program, package in (
        (machine.emulator, "qemu-user-static"),
        ("debootstrap", "debootstrap"),
        ("dpkg-deb", "dpkg"),
    ):
        if shutil.which(program) is None:
            return f"{program} is not installed (package {package})"
    if os.geteuid() != 0:
        return "debootstrap runs as root alone"
    return ""


class Userland:
    """The unpacked system of a machine, made where it is missing."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine = machine
        self.root = folder.resolve() / "debian"
        if not self.root.exists():
            unpack(self.root, machine.debian, machine.packages, call)
        self.python = self.root / "usr" / "bin" / f"python{PYTHON}"

    def command(self, cpu: str, site: Path, page: int, *arguments: str | Path) -> list[str | Path]:
        """What runs ``python arguments`` of the userland on a CPU.

        Args:
            cpu: qemu's name of it.
            site: A folder of installed packages.
            page: Bytes of a page of its kernel; 0 for the host's own.
            arguments: Of the interpreter.
        """
        libraries = self.root / "usr/lib" / self.machine.triplet
        # What Debian's alternatives would link on an installed system.
        apart = f"{libraries}/blas:{libraries}/lapack"
        inside = {
            "PYTHONHOME": str(self.root / "usr"),
            "PYTHONPATH": str(site),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LD_LIBRARY_PATH": apart,
            "OPENBLAS_NUM_THREADS": "1",
            "GENG_CACHE": "off",
        }
        command: list[str | Path] = [self.machine.emulator, "-L", self.root, "-cpu", cpu]
        if page:
            command += ["-p", str(page)]
        for name, value in inside.items():
            command += ["-E", f"{name}={value}"]
        return [*command, self.python, *arguments]

    def run(self, cpu: str, site: Path, *arguments: str | Path, page: int = 0) -> str:
        """Standard output of a program of the userland.

        Raises:
            BuildError: It failed.
        """
        return call(self.command(cpu, site, page, *arguments), cwd=self.root.parent)

    def start(self, cpu: str, site: Path, *arguments: str | Path) -> subprocess.Popen[str]:
        """A program of the userland that goes on running; its stderr is a pipe."""
        return subprocess.Popen(
            self.command(cpu, site, 0, *arguments), cwd=self.root.parent, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
