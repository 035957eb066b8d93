"""``geng-edge doctor``: say what this device is, which kernels it runs, and what is missing."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from typing import Any

from geng_edge import device
from geng_edge.cli import console

EXTRAS = {"text": "tokenizers", "plot": "matplotlib", "parquet": "pyarrow"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    from geng_edge.cli.main import add_model

    parser.add_argument("--json", action="store_true", help="everything as one JSON object")
    add_model(parser)


def run(arguments: argparse.Namespace) -> None:
    """Look and print.

    Raises:
        ModelFileError: The model cannot be loaded; everything else was printed first.
        ArgumentError: GENG_FORCE_ISA names a kernel set that is not to be had.
    """
    from geng_edge.errors import ModelFileError

    report = examine()
    try:
        report["model"] = _model(arguments.model)
    except ModelFileError as error:
        report["model"] = {"error": str(error)}
        console.emit(json.dumps(report) if arguments.json else "\n".join(_lines(report)))
        raise
    console.emit(json.dumps(report) if arguments.json else "\n".join([*_lines(report), "ready"]))


def _lines(report: dict[str, Any]) -> list[str]:
    features = ", ".join(report["features"]) or "baseline"
    memory, model, extras = report["memory_mb"], report["model"], report["extras"]
    have = [f"{name} ({EXTRAS[name]} {version})" for name, version in extras.items() if version]
    lack = [name for name, version in extras.items() if not version]
    lines = [
        f"cpu      {report['cpu']} ({report['machine']}), {features}",
        f"isa      {report['isa']}   {report['why']}",
        f"threads  {report['threads']} of {report['processors']} processors",
        f"memory   {memory['available']} MB free of {memory['total']} MB",
    ]
    if "error" not in model:
        lines.append(
            f"model    {model['file']}, {model['preset']}, {model['megabytes']} MB, "
            f"sha256 {model['fingerprint'][:12]}.."
        )
    return [
        *lines,
        f"version  geng-edge {report['version']}, {report['build']}",
        f"python   {report['python']}, numpy {report['numpy']}",
        f"extras   {', '.join(have) or 'none'}"
        + (f"   (not installed: {', '.join(lack)})" if lack else ""),
    ]


def examine() -> dict[str, Any]:
    """Everything doctor knows of the device and this installation."""
    import numpy as np

    from geng_edge import _core
    from geng_edge.cli.main import threads_from_environment

    sets = [dict(entry) for entry in _core.kernel_sets()]
    active = next(entry["name"] for entry in sets if entry["active"])
    return {
        "cpu": device.cpu_name(),
        "machine": platform.machine(),
        "features": list(_core.cpu_features()),
        "isa": active,
        "why": _why(sets, active),
        "kernel_sets": sets,
        "threads": threads_from_environment() or _core.default_threads(),
        "processors": os.cpu_count(),
        "memory_mb": device.memory(),
        "version": _core.version(),
        "build": _core.build_flags(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "extras": {name: _installed(module) for name, module in EXTRAS.items()},
        "executable": sys.executable,
    }


def _model(path: str | None) -> dict[str, Any]:
    from geng_edge.generator import Generator

    generator = Generator.load(path, threads=1)
    return {
        "file": str(generator.path),
        "preset": generator.model.metadata.get("geng.preset", ""),
        "megabytes": round(generator.path.stat().st_size / 1e6, 1),
        "fingerprint": generator.model.fingerprint,
    }


def _installed(module: str) -> str | None:
    """Its version, found without importing anything of it."""
    import importlib.metadata

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
