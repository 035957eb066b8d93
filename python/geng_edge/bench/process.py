"""A fresh process of ``geng-edge sample``: how long it takes, and how much memory at its peak."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from geng_edge.bench.case import Case
from geng_edge.bench.subject import Subject
from geng_edge.errors import GengError

# The process reads its own peak: what wait4 tells of a child includes what it was forked from.
_CODE = """
import sys
from geng_edge.cli.main import main
code = main(sys.argv[1:])
try:
    with open("/proc/self/status") as status:
        peak = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
    print(peak, file=sys.stderr)
except (OSError, StopIteration):
    print(0, file=sys.stderr)
sys.exit(code)
"""


@dataclass(frozen=True)
class Start:
    """One process, from nothing to a written file.

    Attributes:
        seconds: From its start to its end.
        peak: Bytes in memory at most; 0 where the system does not say.
    """

    seconds: float
    peak: int


def start(subject: Subject, case: Case, folder: Path) -> Start:
    """Sample as ``case`` says in a process of its own, from a condition to a .npy file.

    Raises:
        GengError: The process failed.
    """
    condition = folder / "condition.npy"
    if not condition.exists():
        subject.conditions[0].save(condition)
    settings = {
        "--model": subject.path,
        "--cond": condition,
        "--count": case.batch,
        "--length": case.length,
        "--steps": case.steps,
        "--solver": case.solver,
        "--guidance": case.guidance,
        "--threads": case.threads,
        "--precision": case.precision,
        "--out": folder / "series.npy",
    }
    words = [str(word) for pair in settings.items() for word in pair]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _CODE, "sample", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GENG_FORCE_ISA": case.isa},
    )
    seconds = time.perf_counter() - began
    lines = done.stderr.strip().splitlines()
    if done.returncode or not lines:
        raise GengError(f"a fresh process ended with {done.returncode}: {' '.join(lines[-2:])}")
    return Start(seconds, int(lines[-1]) * 1024)
