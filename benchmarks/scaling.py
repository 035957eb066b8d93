"""How cost grows with threads, with the batch, and with the length of what is drawn.

    python benchmarks/scaling.py --out docs/results/scaling.json --plot docs/images/scaling.png

Measures the teacher, guided: two evaluations of the bridge a step, in the default number of steps. By
default ``sample`` draws with the distilled student instead, at one evaluation a step.

Needs geng-edge; --plot also matplotlib. Prints four tables. A series longer than a window is drawn window
by window: 16,384 steps are 32 windows of 512, and also, up to 4096 steps, one series of that length.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geng_edge import _core
from geng_edge.bench import report
from geng_edge.bench.case import Case, cross
from geng_edge.bench.measure import Options, Row, measure
from geng_edge.bench.subject import Subject, load_subject
from geng_edge.generator import find_model
from geng_edge.request import DEFAULT_GUIDANCE, DEFAULT_STEPS, TEACHER_SOLVER

WINDOW = 512
ROUNDS = 6
BATCHES = (1, 2, 4, 8, 16, 32, 64)
LENGTHS = (64, 128, 256, 512, 1024, 2048, 4096)
CHAINED = (512, 1024, 2048, 4096, 8192, 16384)
Record = dict[str, Any]


def cases(
    threads: Sequence[int],
    batches: Sequence[int] = (1,),
    lengths: Sequence[int] = (WINDOW,),
    precisions: Sequence[str] = ("int8",),
) -> list[Case]:
    """Cases of the guided teacher, at the default steps and guidance."""
    return cross(
        isa=[""],
        precision=precisions,
        threads=threads,
        batch=batches,
        length=lengths,
        steps=[DEFAULT_STEPS],
        solver=[TEACHER_SOLVER],
        guidance=[DEFAULT_GUIDANCE],
    )


def run(subject: Subject, chosen: Sequence[Case], repetitions: int) -> list[Record]:
    """Measure in rounds, so that what else the machine does hits every row alike."""
    options = Options(repetitions=-(-repetitions // ROUNDS), cold=False, quality=False)
    rows: list[Row] = []
    for turn in range(ROUNDS):
        print(f"round {turn + 1} of {ROUNDS}, {len(chosen)} rows", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            found = list(measure(subject, chosen, options, Path(folder), lambda _line: None))
        for row, again in zip(rows, found, strict=False):
            for name, seconds in again.seconds.items():
                row.seconds[name] += seconds
            row.peak = max(row.peak or 0.0, again.peak or 0.0)
        rows = rows or found
    return [report.record(row, subject) for row in rows]


def growth(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The exponent of the last doubling: 1 is proportional, above it is superlinear."""
    return float(np.log(seconds[-1] / seconds[-2]) / np.log(sizes[-1] / sizes[-2]))


def thread_table(found: Sequence[Record]) -> list[dict[str, str]]:
    """Speed-up over one thread, for each precision and batch."""
    alone = {(r["precision"], r["batch"]): r["step_ms"] for r in found if r["threads"] == 1}
    return [
        {
            "precision": r["precision"],
            "batch": str(r["batch"]),
            "threads": str(r["threads"]),
            "step ms": report.time_cell(r, "step"),
            "sample ms": report.time_cell(r, "sample"),
            "speed-up of a step": report.number(alone[r["precision"], r["batch"]] / r["step_ms"]),
            "peak %": report.number(r["peak_percent"]),
        }
        for r in sorted(found, key=lambda r: (r["precision"], r["batch"], r["threads"]))
    ]


def size_table(
    found: Sequence[Record], title: str, sizes: Sequence[int], unit: str, units: int
) -> list[dict[str, str]]:
    """Cost at each size, in all and for ``units`` of it."""
    return [
        {
            title: str(size),
            "sample ms": report.time_cell(r, "sample"),
            f"ms per {unit}": report.number(r["sample_ms"] / size * units),
            "series/s": report.number(r["series_per_s"]),
        }
        for size, r in zip(sizes, found, strict=True)
    ]


def draw(made: dict[str, list[Record]], threads: int, path: Path) -> None:
    """Three panels: threads, batch, length."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
    for precision in ("int8", "fp32"):
        for batch, style in ((1, "o-"), (32, "s--")):
            rows = [
                r for r in made["threads"] if (r["precision"], r["batch"]) == (precision, batch)
            ]
            rows.sort(key=lambda r: int(r["threads"]))
            ratio = [rows[0]["step_ms"] / r["step_ms"] for r in rows]
            axes[0].plot(
                [r["threads"] for r in rows], ratio, style, label=f"{precision}, batch {batch}"
            )
    most = max(r["threads"] for r in made["threads"])
    axes[0].plot([1, most], [1, most], color="0.7", lw=1, label="ideal")
    axes[0].set(title="one guided step", xlabel="threads", ylabel="speed-up over one thread")
    axes[0].set_xticks(sorted({r["threads"] for r in made["threads"]}))
    axes[1].plot(BATCHES, [r["sample_ms"] / r["batch"] for r in made["batch"]], "o-")
    axes[1].set(title=f"batch, {threads} threads", xlabel="series drawn together", xscale="log",
                ylabel="ms per series", ylim=(0, 1.1 * made["batch"][0]["sample_ms"]))  # fmt: skip
    axes[1].set_xticks(BATCHES, [str(n) for n in BATCHES])
    axes[2].plot(CHAINED, [r["sample_ms"] for r in made["chained"]], "o-", label="windows of 512")
    axes[2].plot(LENGTHS, [r["sample_ms"] for r in made["length"]], "s--", label="one series")
    first = made["chained"][0]["sample_ms"]
    axes[2].plot(
        CHAINED, [first * n / CHAINED[0] for n in CHAINED], color="0.7", lw=1, label="proportional"
    )
    axes[2].set(
        title="length", xlabel="steps of the series", ylabel="ms", xscale="log", yscale="log"
    )
    marks = (128, *CHAINED[::2])
    axes[2].set_xticks(marks, [str(n) for n in marks])
    axes[2].set_yticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
    for axis in axes[1:]:
        axis.minorticks_off()
    for axis in (axes[0], axes[2]):
        axis.legend(fontsize=8)
    figure.savefig(path, dpi=130)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model")
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--out", type=Path, help="also write JSON")
    parser.add_argument("--plot", type=Path, help="also draw a PNG")
    arguments = parser.parse_args()
    subject = load_subject(find_model(arguments.model))
    most = _core.default_threads()
    threads = list(dict.fromkeys([*(n for n in (1, 2, 4, 8, 16) if n <= most), most]))
    n = arguments.repetitions
    made = {
        "threads": run(subject, cases(threads, (1, 32), precisions=("int8", "fp32")), n),
        "batch": run(subject, cases([most], BATCHES), n),
        "length": run(subject, cases([most], lengths=LENGTHS), n),
        "chained": run(subject, cases([most], [size // WINDOW for size in CHAINED]), n),
    }
    print(report.markdown(thread_table(made["threads"])), end="\n\n")
    for name, title, sizes, unit, units in (
        ("batch", "series drawn together", BATCHES, "series", 1),
        ("length", "steps of one series", LENGTHS, "1000 steps", 1000),
        ("chained", "steps in windows of 512", CHAINED, "1000 steps", 1000),
    ):
        print(report.markdown(size_table(made[name], title, sizes, unit, units)))
        exponent = growth(sizes, [r["sample_ms"] for r in made[name]])
        print(f"\nExponent of the last doubling: {exponent:.2f}\n")
    if arguments.out is not None:
        for rows in made.values():
            for r in rows:
                del r["seconds"]
        facts = {"command": " ".join(["python", *sys.argv]), **made}
        arguments.out.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    if arguments.plot is not None:
        draw(made, most, arguments.plot)


if __name__ == "__main__":
    main()
