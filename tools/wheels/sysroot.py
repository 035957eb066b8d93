"""A Debian of another architecture in a folder, for qemu to run programs of it (``-L``).

Its packages are unpacked (their signatures are checked), not installed: no program of the other
architecture runs to make the folder, no kernel setting is touched, and it is made once.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

RELEASE = "bookworm"  # of Debian and of Raspberry Pi OS
PYTHON = "3.11"


def unpack(
    root: Path,
    architecture: str,
    packages: Sequence[str],
    call: Callable[[list[str | Path], Path], str],
) -> None:
    """Make the folder.

    Args:
        root: An absolute path that does not exist.
        architecture: What Debian calls it.
        packages: Of Debian, beside the base system.
        call: Runs a command in a folder, and raises where it fails.
    """
    beside = root.with_suffix(".tmp")
    shutil.rmtree(beside, ignore_errors=True)
    beside.parent.mkdir(parents=True, exist_ok=True)
    here = beside.parent
    command: list[str | Path] = ["debootstrap", f"--arch={architecture}", "--foreign"]
    command += ["--variant=minbase", f"--include={','.join(packages)}"]
    call([*command, RELEASE, beside], here)
    for package in sorted((beside / "var/cache/apt/archives").glob("*.deb")):
        call(["dpkg-deb", "-x", package, beside], here)
    shutil.rmtree(beside / "var/cache/apt")
    beside.rename(root)
