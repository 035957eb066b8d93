"""From what the build backend packed to what is released: named by auditwheel, looked at module by module."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path

import elf
from cross import call
from targets import BuildError, Target

MACHINES = {"linux-x86_64": "EM_X86_64", "linux-aarch64": "EM_AARCH64", "linux-armv7l": "EM_ARM"}


def audit(wheel: Path, target: Target, out: Path, epoch: int) -> Path:
    """Lets auditwheel name the wheel after the platforms that it runs on.

    Raises:
        BuildError: The one that was promised is not among them.
    """
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    tools = Path(sys.executable).parent
    environment["PATH"] = f"{tools}:{environment['PATH']}"
    command: list[str | Path] = [sys.executable, "-m", "auditwheel", "repair"]
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    call([*command, "--wheel-dir", out, wheel], cwd=out, environment=environment)
    (made,) = out.glob("*.whl")
    platforms = made.stem.split("-")[-1].split(".")
    if target.tag not in platforms:
        raise BuildError(
            f"{wheel.name} is for {' and '.join(platforms)}; it must be for {target.tag}"
        )
    return made


def check(wheel: Path, target: Target, work: Path) -> None:
    """Looks at every module of a finished wheel.

    Raises:
        BuildError: A promised system would stumble over it, or there is a model in it.
    """
    found = []
    with zipfile.ZipFile(wheel) as packed:
        modules = [n for n in packed.namelist() if ".so" in Path(n).name]
        if len(modules) != 1 or not modules[0].endswith(f"-{target.triplet}.so"):
            found.append(f"holds {modules}; it must hold one module for {target.triplet}")
        if any(n.endswith(".gguf") for n in packed.namelist()):
            found.append("holds a model; that is a wheel of its own")
        for name in modules:
            path = Path(packed.extract(name, work))
            machine = MACHINES[target.host]
            found += elf.check(path, machine, target.page, "musl" in target.tag)
    if found:
        raise BuildError(f"{wheel.name} " + "; ".join(found))
