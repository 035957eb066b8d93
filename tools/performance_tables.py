"""Rewrite the tables of docs/performance.md from the result files that the benchmarks wrote.

    python tools/performance_tables.py

Each table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``; whatever is between is replaced.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results"
PAGE = ROOT / "docs" / "performance.md"
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def load(name: str) -> dict[str, Any]:
    """A result file."""
    return dict(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


def table(head: list[str], rows: list[list[str]]) -> str:
    """Markdown."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def peers() -> str:
    """One guided step beside every peer."""
    found = [load("step_against_peers"), load("step_against_peers_paper")]
    rows = [
        [
            f"{row['runtime']} {row['variant']}",
            row["shape"],
            str(row["threads"]),
            f"{row['step_ms']:.3g} ({row['step_ms_q1']:.3g} to {row['step_ms_q3']:.3g})",
            f"{row['times_ours']:.2f}",
            f"{100 * row['difference']:.2g} %",
        ]
        for each in found
        for row in each["rows"]
    ]
    head = ["runtime", "bridge", "threads", "guided step, ms", "times ours", "error of v"]
    return (
        table(head, rows)
        + "\n"
        + "".join(f"- {line}\n" for each in found for line in each["verdicts"])
    )


def whole() -> str:
    """A whole series beside the paper's way."""
    rows = [
        [
            str(row["threads"]),
            str(row["series"]),
            f"{row['ours_ms'][1]:.2f} ({row['ours_ms'][0]:.2f} to {row['ours_ms'][2]:.2f})",
            f"{row['paper_ms'][1]:.0f} ({row['paper_ms'][0]:.0f} to {row['paper_ms'][2]:.0f})",
            f"{row['ratio']:.0f}",
        ]
        for row in load("whole_against_paper")["rows"]
    ]
    return table(["threads", "series", "ours, ms", "the paper's way, ms", "ratio"], rows)


def cold() -> str:
    """A whole process."""
    found = load("cold_start")
    rows = [
        ["geng-edge sample", f"{found['ours_ms']:.0f}", f"{found['ours_mb']:.0f}"],
        ["import numpy", f"{found['numpy_ms']:.0f}", f"{found['numpy_mb']:.0f}"],
    ]
    facts = (
        f"\n{found['ratio']:.2f} times numpy's import; {found['allowed_mb']:.0f} MB were allowed.\n"
    )
    return table(["process", "wall, ms", "peak, MB"], rows) + facts


TABLES: dict[str, Callable[[], str]] = {"peers": peers, "whole": whole, "cold": cold}


def main() -> int:
    """Rewrite the page."""
    text = PAGE.read_text(encoding="utf-8")
    named = {match[2] for match in BLOCK.finditer(text)}
    if named != set(TABLES):
        print(
            f"{PAGE.name} has tables {sorted(named)}; it must have {sorted(TABLES)}",
            file=sys.stderr,
        )
        return 1
    filled = BLOCK.sub(lambda match: match[1] + TABLES[match[2]]() + match[3], text)
    PAGE.write_text(filled, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
