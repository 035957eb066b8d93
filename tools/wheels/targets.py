"""For which machines wheels are made, and the Pythons they are made with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
_WHO = """
import json, sys, sysconfig
version = f"{sys.version_info.major}.{sys.version_info.minor}"
folders = [sysconfig.get_path("include"), sysconfig.get_config_var("INCLUDEPY")]
print(json.dumps([version, sys.executable, *folders]))
"""


class BuildError(Exception):
    """A wheel could not be made, or is not what it must be."""


@dataclass(frozen=True)
class Target:
    """A machine with its C library.

    Attributes:
        zig: What Zig calls it; a version behind the library's name is the oldest that will do.
        host: What Python's sysconfig calls it.
        triplet: The end of an extension module's name there.
        tag: The platform of the wheel's name: what auditwheel must find it to be.
        page: Bytes that segments are aligned to, so that kernels with pages up to this map them.
    """

    zig: str
    host: str
    triplet: str
    tag: str
    page: int


TARGETS = {
    "x86_64": Target(
        "x86_64-linux-gnu.2.17", "linux-x86_64", "x86_64-linux-gnu", "manylinux_2_17_x86_64", 4096
    ),
    "aarch64": Target(
        "aarch64-linux-gnu.2.17",
        "linux-aarch64",
        "aarch64-linux-gnu",
        "manylinux_2_17_aarch64",
        65536,
    ),
    "armv7l": Target(
        "arm-linux-gnueabihf.2.17",
        "linux-armv7l",
        "arm-linux-gnueabihf",
        "manylinux_2_17_armv7l",
        65536,
    ),
    "musllinux_aarch64": Target(
        "aarch64-linux-musl", "linux-aarch64", "aarch64-linux-musl", "musllinux_1_2_aarch64", 65536
    ),
}


@dataclass(frozen=True)
class Interpreter:
    """A Python of this machine; its headers serve every target."""

    version: str
    program: Path
    include: Path

    @property
    def tag(self) -> str:
        """As wheels name it: ``cp311``."""
        return "cp" + self.version.replace(".", "")


def _ask(program: Path) -> Interpreter | None:
    said = subprocess.run([program, "-c", _WHO], capture_output=True, text=True, check=False)
    if said.returncode != 0:
        return None
    version, executable, *folders = json.loads(said.stdout)
    for folder in folders:
        if (Path(folder) / "Python.h").is_file():
            return Interpreter(version, Path(executable), Path(folder))
    return None


def interpreters(wanted: list[str]) -> dict[str, Interpreter]:
    """The Pythons of these versions that are here with their headers: on PATH, or under pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {}
    for version in wanted:
        places = [Path(sys.executable)] if version == THIS else []
        places += [Path(at) for at in [shutil.which(f"python{version}")] if at]
        places += sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
        for place in places:
            python = _ask(place)
            if python is not None and python.version == version:
                found[version] = python
                break
    return found
