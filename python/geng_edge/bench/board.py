"""What the board says of itself while it is measured: heat, throttling, clock, and which build runs."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from geng_edge import _core

UNKNOWN = "unknown"
_THERMAL = Path("/sys/class/thermal")
_THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
_CPUFREQ = Path("/sys/devices/system/cpu")
# Bits of get_throttled that speak of now; the same shifted by 16 say that it happened since boot.
_FLAGS = ((0, "under-voltage"), (1, "capped"), (2, "throttled"), (3, "hot"))


@dataclass(frozen=True)
class State:
    """How the board is at one moment.

    Attributes:
        celsius: The hottest sensor; None where none is told.
        throttled: ``no``, what holds the clock down, or ``unknown``.
        mhz: Fastest core's clock now; None where it is not told.
    """

    celsius: float | None
    throttled: str
    mhz: int | None


def state() -> State:
    """Ask the board. Costs a millisecond, and a process where only ``vcgencmd`` knows."""
    return State(_celsius(), _throttled(), _mhz())


def _celsius() -> float | None:
    readings = []
    for sensor in _THERMAL.glob("thermal_zone*/temp"):
        text = _read(sensor)
        if text.lstrip("-").isdecimal():
            readings.append(int(text) / 1000)
    return max(readings, default=None)


def _throttled() -> str:
    text = _read(_THROTTLED)
    if not text and shutil.which("vcgencmd"):
        text = _run("vcgencmd", "get_throttled").partition("=")[2].removeprefix("0x")
    try:
        bits = int(text, 16)
    except ValueError:
        return UNKNOWN
    now = [name for bit, name in _FLAGS if bits >> bit & 1]
    before = [f"{name} before" for bit, name in _FLAGS if bits >> (bit + 16) & 1]
    return "+".join(now or before) or "no"


def _mhz() -> int | None:
    clocks = [_read(file) for file in _CPUFREQ.glob("cpu[0-9]*/cpufreq/scaling_cur_freq")]
    known = [int(text) // 1000 for text in clocks if text.isdecimal()]
    if not known:
        lines = _read(Path("/proc/cpuinfo")).splitlines()
        known = [
            round(float(line.partition(":")[2])) for line in lines if line.startswith("cpu MHz")
        ]
    return max(known, default=None)


@lru_cache(maxsize=1)
def commit() -> str:
    """The commit of this build; of the working tree where it runs from one."""
    package = Path(__file__).parents[1]
    if (package.parents[1] / ".git").exists():
        tree = str(package.parents[1])
        return (
            _run("git", "-C", tree, "describe", "--always", "--dirty", "--exclude", "*") or UNKNOWN
        )
    try:
        return json.loads(_read(package / "build.json"))["commit"] or UNKNOWN
    except (ValueError, KeyError, TypeError):
        return UNKNOWN


@lru_cache(maxsize=1)
def identity() -> dict[str, str]:
    """What stands in every row: processor, system and build."""
    from geng_edge.device import cpu_name

    return {
        "cpu": cpu_name(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "version": _core.version(),
        "commit": commit(),
        "build": _core.build_flags(),
    }


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
