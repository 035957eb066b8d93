"""One wheel for one target and one Python, compiled here by Zig.

The build backend runs in the interpreter that the wheel is for, told which platform that is; CMake gets
its headers with the sizes of the target (pyconfig.h). No program of the target is run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import scikit_build_core
import ziglang

from targets import THIS, BuildError, Interpreter, Target

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOOK = """
import json, sys
from scikit_build_core import build
hook, folder, settings = sys.argv[1:]
print(getattr(build, hook)(folder, json.loads(settings)))
"""


def call(command: list[str | Path], cwd: Path, environment: Mapping[str, str] | None = None) -> str:
    """Standard output of a command.

    Raises:
        BuildError: It is missing or fails; the end of what it said is in the sentence.
    """
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise BuildError(f"{command[0]} is not installed") from None
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()[-4000:]
        raise BuildError(f"{command[0]} ended with {done.returncode}; it must be 0: {said}")
    return done.stdout


def _headers(python: Interpreter, work: Path) -> Path:
    """A folder of links to a Python's headers, with a pyconfig.h that fits every target."""
    folder = work / f"include-{python.version}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for entry in python.include.iterdir():
        if entry.name != "pyconfig.h":
            (folder / entry.name).symlink_to(entry)
    ours = (HERE / "pyconfig.h").read_text(encoding="ascii")
    original = python.include / "pyconfig.h"
    (folder / "pyconfig.h").write_text(ours.replace("@HOST@", str(original)), encoding="utf-8")
    return folder


def _backend(python: Interpreter, work: Path) -> Path:
    """Where an interpreter finds the build backend: the one that runs this has it already."""
    if python.version == THIS:
        return Path(scikit_build_core.__file__).parents[1]
    site = work / f"site-{python.version}"
    if not site.exists():
        beside = site.with_suffix(".tmp")
        shutil.rmtree(beside, ignore_errors=True)
        constraints = ROOT / "requirements" / "constraints.txt"
        command: list[str | Path] = [python.program, "-m", "pip", "install", "-qq"]
        command += ["--target", beside, "-c", constraints, "scikit-build-core", "pybind11"]
        call(command, cwd=ROOT)
        beside.rename(site)
    return site


def run_backend(
    hook: str,
    source: Path,
    out: Path,
    settings: Mapping[str, str],
    environment: Mapping[str, str],
    program: Path = Path(sys.executable),
) -> Path:
    """Calls ``build_sdist`` or ``build_wheel`` of the build backend in ``source``: the file it made."""
    out.mkdir(parents=True, exist_ok=True)
    command: list[str | Path] = [program, "-c", HOOK, hook, out, json.dumps(dict(settings))]
    said = call(command, cwd=source, environment=environment)
    return out / said.strip().splitlines()[-1]


def environment_of(epoch: int) -> dict[str, str]:
    """What a build sees: nothing of the user's own, the same time every time."""
    tools = Path(sys.executable).parent
    return {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "SOURCE_DATE_EPOCH": str(epoch),
        "PYTHONHASHSEED": "0",
        "CMAKE_BUILD_PARALLEL_LEVEL": os.environ.get(
            "CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count())
        ),
        "CMAKE_GENERATOR": "Ninja",
    }


def build(
    target: Target, python: Interpreter, source: Path, work: Path, shared: Path, epoch: int
) -> Path:
    """Compiles and packs one wheel; the core is compiled once for all Pythons of a ``work``.

    Args:
        target: The machine.
        python: The interpreter here of the version that the wheel is for.
        source: An unpacked sdist.
        work: Where objects go.
        shared: Where headers and backends go, which every build may share.
        epoch: Seconds since 1970 that every file of the wheel is dated with.
    """
    defined = {
        "CMAKE_TOOLCHAIN_FILE": HERE / "zig.cmake",
        "GENG_ZIG": Path(ziglang.__file__).parent / "zig",
        "GENG_ZIG_TARGET": target.zig,
        "GENG_SOURCE": source,
        "PYTHON_MODULE_EXTENSION": f".{python.tag.replace('cp', 'cpython-')}-{target.triplet}.so",
        "PYTHON_IS_DEBUG": "OFF",
        "Python_INCLUDE_DIR": _headers(python, shared),
    }
    settings = {f"cmake.define.{name}": str(value) for name, value in defined.items()}
    settings |= {"build-dir": str(work), "install.strip": "false", "wheel.reproducible": "true"}
    environment = environment_of(epoch) | {
        "_PYTHON_HOST_PLATFORM": target.host,
        "PYTHONPATH": str(_backend(python, shared)),
    }
    shutil.rmtree(work / "wheel", ignore_errors=True)
    return run_backend("build_wheel", source, work / "wheel", settings, environment, python.program)
