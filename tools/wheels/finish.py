"""From what the build backend packed to what is released: named by auditwheel, the same bytes each time."""

from __future__ import annotations

import io
import os
import shutil
import stat
import sys
import time
import zipfile
from pathlib import Path

import elf
from cross import call
from targets import BuildError, Target

MACHINES = {"linux-x86_64": "EM_X86_64", "linux-aarch64": "EM_AARCH64", "linux-armv7l": "EM_ARM"}


def rezip(wheel: Path, epoch: int) -> None:
    """Packs a wheel again: names in order, RECORD last as the format advises, one time, plain modes."""
    with zipfile.ZipFile(wheel) as packed:
        files = {name: packed.read(name) for name in packed.namelist() if not name.endswith("/")}
    last = [n for n in files if n.endswith(".dist-info/RECORD")]
    if len(last) != 1:
        raise BuildError(f"{wheel.name} holds {len(last)} files RECORD; it must hold one")
    date = time.gmtime(max(epoch, 315532800))[:6]  # a zip file knows no time before 1980
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name in [*sorted(set(files) - set(last)), *last]:
            info = zipfile.ZipInfo(name, date)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            mode = 0o755 if name.endswith(".so") else 0o644
            info.external_attr = (stat.S_IFREG | mode) << 16
            packed.writestr(info, files[name])
    beside = wheel.with_suffix(".tmp")
    beside.write_bytes(made.getvalue())
    beside.rename(wheel)


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
        raise BuildError(f"{wheel.name} is for {' and '.join(platforms)}; it must be for {target.tag}")
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
