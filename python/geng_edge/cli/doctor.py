"""``geng-edge doctor``: say what this device is, which kernels it runs, and what is missing."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

EXTRAS = {"text": "tokenizers", "plot": "matplotlib", "parquet": "pyarrow"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    from geng_edge.cli.main import add_model

    parser.add_argument("--json", action="store_true", help="everything as one JSON object")
    add_model(parser)


def run(arguments: argparse.Namespace) -> None:
    """Look and print."""
    report = examine(arguments.model)
    if arguments.json:
        print(json.dumps(report))
        return
    print(
        f"cpu      {report['cpu']} ({report['machine']}), {', '.join(report['features']) or 'baseline'}"
    )
    print(f"isa      {report['isa']}   {report['why']}")
    print(f"threads  {report['threads']} of {report['processors']} processors")
    print(
        f"memory   {report['memory_mb']['available']} MB free of {report['memory_mb']['total']} MB"
    )
    model = report["model"]
    print(
        f"model    {model['file']}, {model['preset']}, {model['megabytes']} MB, {model['fingerprint'][:12]}.."
    )
    print(f"version  geng-edge {report['version']}, {report['build']}, python {report['python']}, "
          f"numpy {report['numpy']}")  # fmt: skip
    extras = report["extras"]
    have = [f"{name} ({EXTRAS[name]} {version})" for name, version in extras.items() if version]
    lack = [name for name, version in extras.items() if not version]
    print(
        f"extras   {', '.join(have) or 'none'}"
        + (f"   (not installed: {', '.join(lack)})" if lack else "")
    )
    print("ready")


def examine(model: str | None) -> dict[str, Any]:
    """Everything doctor knows.

    Raises:
        ModelFileError: The model cannot be loaded.
        ArgumentError: GENG_FORCE_ISA names a kernel set that is not to be had.
    """
    import numpy as np

    from geng_edge import _core
    from geng_edge.generator import Generator

    sets = [dict(entry) for entry in _core.kernel_sets()]
    active = next(entry["name"] for entry in sets if entry["active"])
    generator = Generator.load(model)
    metadata = generator.model.metadata
    return {
        "cpu": _cpu_name(),
        "machine": platform.machine(),
        "features": list(_core.cpu_features()),
        "isa": active,
        "why": _why(sets, active),
        "kernel_sets": sets,
        "threads": _core.default_threads(),
        "processors": os.cpu_count(),
        "memory_mb": _memory(),
        "model": {
            "file": str(generator.path),
            "preset": metadata.get("geng.preset", ""),
            "megabytes": round(generator.path.stat().st_size / 1e6, 1),
            "fingerprint": generator.model.fingerprint,
        },
        "version": _core.version(),
        "build": _core.build_flags(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "extras": {name: _installed(module) for name, module in EXTRAS.items()},
        "executable": sys.executable,
    }


def _installed(module: str) -> str | None:
    """Its version, found without importing anything of it."""
    try:
        return importlib.metadata.version(module)
    except importlib.metadata.PackageNotFoundError:
        return None


def _why(sets: list[dict[str, Any]], active: str) -> str:
    if os.environ.get("GENG_FORCE_ISA"):
        return "(forced by GENG_FORCE_ISA)"
    notes = [
        f"{entry['name']}: {'available' if entry['available'] else 'not on this cpu'}"
        for entry in sets
        if entry["name"] != active
    ]
    return f"(the best this cpu runs; {', '.join(notes)})"


def _cpu_name() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or "unknown"
    for key in ("model name", "Model", "Hardware", "CPU part"):
        for line in text.splitlines():
            if line.startswith(key) and ":" in line:
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _memory() -> dict[str, int]:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        fields = {line.partition(":")[0]: line.split()[1] for line in lines}
        return {
            "total": int(fields["MemTotal"]) // 1024,
            "available": int(fields["MemAvailable"]) // 1024,
        }
    except (OSError, KeyError, IndexError, ValueError):
        return {"total": 0, "available": 0}
