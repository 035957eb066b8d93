"""``geng-edge inspect``: show what is in a model file, its sums verified."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from geng_edge.cli import console


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
        report["metadata"] = {k: _plain(v) for k, v in report["metadata"].items()}
        console.emit(json.dumps(report))
        return
    lines = _lines(report, arguments.file, tensors=arguments.tensors)
    console.emit("\n".join(console.printable(line) for line in lines))


def _plain(value: Any) -> Any:
    """A value that JSON can say: infinity and NaN, which it cannot, as text."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _card(text: str) -> dict[str, Any]:
    """The evaluation card; what is no JSON object is shown as it stands."""
    try:
        card = json.loads(text or "{}")
    except (ValueError, RecursionError):
        card = text
    return card if isinstance(card, dict) else {"unreadable": text}


def _lines(report: dict[str, Any], name: str, *, tensors: bool) -> list[str]:
    metadata = dict(report["metadata"])
    card = _card(str(metadata.pop("geng.evaluation_card", "")))
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
