"""Counts the instructions of an emulated Arm CPU, to the last one.

QEMU's user mode runs an aarch64 program on any host, and a plugin of ours counts what it executes
(count_instructions.c). Time under an emulator says nothing about a board; a count repeats exactly.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


@dataclass(frozen=True)
class Core:
    """A CPU as the kernel of a board describes it.

    Attributes:
        name: QEMU's name of it.
        board: Where it is found.
        midr: Its identification register, Arm's part number in bits 4 to 15.
        features: The ``Features`` line of /proc/cpuinfo on that board.
    """

    name: str
    board: str
    midr: int
    features: str


CORES = {
    core.name: core
    for core in (
        Core("cortex-a72", "Raspberry Pi 4", 0x410FD083, "fp asimd evtstrm crc32 cpuid"),
        Core(
            "cortex-a76",
            "Raspberry Pi 5",
            0x414FD0B1,
            "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc "
            "dcpop asimddp",
        ),
    )
}


class EmulationError(Exception):
    """An emulated program, or what it is built with, failed."""


@dataclass
class Count:
    """What one run executed.

    Attributes:
        instructions: All of them, start-up included.
        symbols: By function, when asked for.
    """

    instructions: int = 0
    symbols: dict[str, int] = field(default_factory=dict)


def call(command: list[str | Path], cwd: Path = ROOT) -> str:
    """Standard output of a command.

    Raises:
        EmulationError: It is missing or fails; the end of what it said is in the sentence.
    """
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise EmulationError(
            f"{command[0]} is not installed; docs/performance.md names its package"
        ) from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise EmulationError(f"{command[0]} ended with {done.returncode}; it must be 0: {said}")
    return done.stdout


def build_core(folder: Path) -> Path:
    """The library for Arm, as it is shipped: the folder it was built in."""
    core = folder / "core"
    core.mkdir(parents=True, exist_ok=True)
    call(
        ["cmake", "-S", ROOT, "-B", core, "-DCMAKE_BUILD_TYPE=Release", "-DGENG_BUILD_TESTS=OFF",
         f"-DCMAKE_TOOLCHAIN_FILE={ROOT / 'cmake' / 'aarch64.cmake'}"]
    )  # fmt: skip
    call(["cmake", "--build", core, "--target", "geng"])
    return core


def build(folder: Path) -> tuple[Path, Path]:
    """The plugin for this host and the driver for Arm: (plugin, driver)."""
    core = build_core(folder)
    plugin = folder / "libcount.so"
    call(["gcc", "-O2", "-shared", "-fPIC", "-o", plugin, HERE / "count_instructions.c"])
    driver = folder / "guided_step"
    call(
        ["aarch64-linux-gnu-g++", "-std=c++20", "-O2", "-static", "-I", ROOT / "cpp" / "include",
         "-I", ROOT / "cpp" / "src", HERE / "guided_step.cpp", core / "libgeng.a", "-lpthread",
         "-o", driver]
    )  # fmt: skip
    return plugin, driver


def count(
    core: Core, plugin: Path, program: list[str | Path], *, root: Path | None = None,
    environment: dict[str, str] | None = None, symbols: bool = False,
) -> Count:  # fmt: skip
    """Runs `program` on one emulated core and counts.

    Args:
        core: The CPU.
        plugin: As built by :func:`build`.
        program: Path and arguments.
        root: Where the emulated program finds its libraries, /proc and /sys.
        environment: All it sees: counts differ with the environment, so nothing is inherited.
        symbols: Whether to count by function too.

    Raises:
        EmulationError: The program failed.
    """
    options = f"{plugin},symbols=on" if symbols else str(plugin)
    command: list[str | Path] = ["qemu-aarch64", "-cpu", core.name, "-plugin", options]
    if root is not None:
        command += ["-L", root]
    for name, value in (environment or {}).items():
        command += ["-E", f"{name}={value}"]
    try:
        done = subprocess.run(
            [*command, *program], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise EmulationError(
            "qemu-aarch64 is not installed; it is in the package qemu-user"
        ) from None
    if done.returncode != 0:
        raise EmulationError(f"{program[0]} on {core.name} ended with {done.returncode}; it must be 0: "
                             + done.stderr.strip()[-2000:])  # fmt: skip
    result = Count()
    for line in done.stderr.splitlines():
        if line.startswith('{"symbol"'):
            row = json.loads(line)
            result.symbols[row["symbol"]] = row["instructions"]
        elif line.startswith('{"instructions"'):
            result.instructions = json.loads(line)["instructions"]
    return result


def slope(few: Count, many: Count, steps: int) -> Count:
    """Instructions of one step, from two runs that differ by `steps` of them."""
    symbols = {
        name: round((n - few.symbols.get(name, 0)) / steps) for name, n in many.symbols.items()
    }
    return Count(round((many.instructions - few.instructions) / steps), symbols)
