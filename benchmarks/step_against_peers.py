"""One guided step of the bridge through everything a user could pick instead, in one interleaved run.

The shipped bridge, int8, beside every variant of every peer, on one thread and on two; then the same at
the `paper` size (random weights). Same weights, same inputs; answers are checked against ours in
float32. Runtimes take turns; a row is the median over all turns.

    python benchmarks/step_against_peers.py --out docs/results/step_against_peers.json

Needs geng-edge and geng-export with the extra `peers`. Takes about five minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from geng_edge import _core
from geng_edge.bench import compare
from geng_edge.bench.case import Case
from geng_edge.bench.measure import Options
from geng_edge.bench.peers import find_peers
from geng_edge.bench.shapes import write_random
from geng_edge.bench.subject import load_subject
from geng_edge.generator import bundled_model

PEERS = ["onnxruntime", "openvino", "litert", "ncnn", "torch"]
PACKAGES = ("onnxruntime", "openvino", "nncf", "ai-edge-litert", "litert-torch", "ncnn", "torch")
TARGET = 1.6


def run(shape: str, threads: list[int], repetitions: int, folder: Path) -> list[dict[str, Any]]:
    """Rows of one model: ours, then the peers, for each number of threads."""
    if shape == "edge":
        subject = load_subject(bundled_model())
    else:
        subject = load_subject(write_random(shape, folder), trained=False)
    isa = next(entry["name"] for entry in _core.kernel_sets() if entry["active"])
    cases = [Case(isa, "int8", n, 1, 512, 20, "dpmpp_2m", 1.5) for n in threads]
    options = Options(repetitions, 0.0)
    found = list(compare.compare(subject, cases, find_peers(PEERS), options, folder, say))
    return [{"shape": shape, **row} for row in compare.records(found, subject)]


def say(line: str) -> None:
    """Status."""
    print(line, file=sys.stderr, flush=True)


def versions() -> dict[str, str]:
    """Of the runtimes and their quantizers that are installed."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def verdicts(rows: list[dict[str, Any]]) -> list[str]:
    """One line a model and number of threads: the fastest peer, and how many times ours it takes."""
    lines = []
    for shape in dict.fromkeys(row["shape"] for row in rows):
        for threads in dict.fromkeys(row["threads"] for row in rows):
            peers = [
                row
                for row in rows
                if row["shape"] == shape
                and row["threads"] == threads
                and not row["runtime"].startswith("geng-edge")
            ]
            best = min(peers, key=lambda row: float(row["times_ours"]))
            lines.append(
                f"{shape}, {threads} threads: fastest peer {best['runtime']} {best['variant']}, "
                f"{best['times_ours']:.2f} x ours (target {TARGET})"
            )
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shapes", nargs="+", default=["edge", "paper"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repetitions", type=int, default=30, help="turns (default 30)")
    parser.add_argument("--out", type=Path, help="also write JSON")
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for shape in arguments.shapes:
            rows += run(shape, arguments.threads, arguments.repetitions, Path(folder))
            print(
                f"\n{shape}\n\n{compare.text([r for r in rows if r['shape'] == shape])}", flush=True
            )
    print("\n" + "\n".join(verdicts(rows)))
    print("\n" + ", ".join(f"{name} {version}" for name, version in versions().items()))
    command = " ".join(["python", *sys.argv])
    if arguments.out is not None:
        for row in rows:
            row.pop("seconds")  # thousands of them; the quartiles stay
        facts = {"command": command, "versions": versions(), "verdicts": verdicts(rows)}
        arguments.out.write_text(json.dumps({**facts, "rows": rows}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
