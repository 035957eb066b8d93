"""What the system tells of the device."""

from __future__ import annotations

import platform
from pathlib import Path


def cpu_name() -> str:
    """The processor's name, or the board's where the system knows that better."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or "unknown"
    for key in ("model name", "Model", "Hardware", "CPU part"):
        for line in text.splitlines():
            if line.startswith(key) and ":" in line:
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def memory() -> dict[str, int]:
    """MiB of memory: ``total``, and ``available`` to whoever asks next; 0 where nobody knows."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        fields = {line.partition(":")[0]: line.split()[1] for line in lines}
        return {
            "total": int(fields["MemTotal"]) // 1024,
            "available": int(fields["MemAvailable"]) // 1024,
        }
    except (OSError, KeyError, IndexError, ValueError):
        return {"total": 0, "available": 0}
