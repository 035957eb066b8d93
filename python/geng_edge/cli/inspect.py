"""``geng-edge inspect``: show what is in a model file, its sums verified."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("file", metavar="FILE", help="a model file (.gguf)")
    parser.add_argument("--json", action="store_true", help="everything as one JSON object")
    parser.add_argument("--tensors", action="store_true", help="list every tensor")


def run(arguments: argparse.Namespace) -> None:
    """Check the file and print."""
    from geng_edge import _core

    report = dict(_core.inspect(str(Path(arguments.file))))
    if arguments.json:
        print(json.dumps(report))
        return
    for line in _lines(report, arguments.file, tensors=arguments.tensors):
        print(line)


def _lines(report: dict[str, Any], name: str, *, tensors: bool) -> list[str]:
    metadata = dict(report["metadata"])
    card = json.loads(metadata.pop("geng.evaluation_card", "") or "{}")
    int8 = sum(size for _, kind, _, size in report["tensors"] if kind == "int8")
    lines = [
        (
            f"{name}: {report['file_bytes'] / 1e6:.1f} MB, {len(report['tensors'])} tensors "
            f"({int8 / 1e6:.1f} MB int8), sums verified"
        )
    ]
    lines += [f"  {key:32} {value}" for key, value in sorted(metadata.items())]
    lines.append("evaluation card" if card else "evaluation card: none")
    lines += [f"  {key:32} {json.dumps(value)}" for key, value in card.items()]
    if tensors:
        lines.append("tensors")
        lines += [f"  {n:32} {kind:8} {list(shape)}" for n, kind, shape, _ in report["tensors"]]
    return lines
