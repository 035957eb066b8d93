"""``bench --profile``: rows for a board that is not there, beside the same arithmetic tried here."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geng_edge.bench import board, report
from geng_edge.bench.case import Case
from geng_edge.bench.measure import Options, Tell, measure
from geng_edge.bench.roofline import Estimate, Machine, estimate
from geng_edge.bench.subject import Subject

ESTIMATE = "estimate"
CHECK = "check"


def forecast(machine: Machine, subject: Subject, cases: Sequence[Case]) -> list[dict[str, Any]]:
    """One record a case, labelled an estimate."""
    return [_record(machine, subject, case) for case in cases]


def check_here(
    subject: Subject, cases: Sequence[Case], folder: Path, tell: Tell
) -> list[dict[str, Any]]:
    """The same arithmetic for this machine beside what is measured now: how wrong it is.

    Args:
        subject: The model.
        cases: To estimate and to measure.
        folder: An empty folder to work in.
        tell: Takes lines of status.
    """
    machines: dict[str, Machine] = {}
    made = []
    options = Options(repetitions=5, cold=False, quality=False)
    for row in measure(subject, cases, options, folder, tell):
        isa = row.case.isa
        if isa not in machines:
            machines[isa] = Machine.here(isa, board.state().mhz)
        entry = _record(machines[isa], subject, row.case) | {"kind": CHECK}
        for name in ("step", "sample"):
            measured = report.spread(name, row.seconds[name])[f"{name}_ms"]
            entry[f"measured_{name}_ms"] = measured
            entry[f"{name}_error_percent"] = (
                None if not measured else 100 * (entry[f"{name}_ms"] / measured - 1)
            )
        made.append(entry)
    return made


def _record(machine: Machine, subject: Subject, case: Case) -> dict[str, Any]:
    made = estimate(machine, subject.shape, case, subject.words)
    entry: dict[str, Any] = {"kind": ESTIMATE, "board": machine.name, **dataclasses.asdict(case)}
    if machine.name != "here":
        del entry["isa"]
    for name, ends in (("step", made.step), ("sample", made.sample)):
        entry[f"{name}_ms"] = Estimate.middle(ends) * 1e3
        entry[f"{name}_ms_low"], entry[f"{name}_ms_high"] = ends[0] * 1e3, ends[1] * 1e3
    entry["series_per_s"] = case.batch / entry["sample_ms"] * 1e3
    entry["bound"] = made.bound
    entry["model"] = subject.path.name
    entry["version"], entry["commit"] = board.identity()["version"], board.identity()["commit"]
    return entry


def text(made: Sequence[dict[str, Any]]) -> str:
    """Two Markdown tables: the estimates, and how wrong the same arithmetic is here."""
    kinds = ([each for each in made if each["kind"] == kind] for kind in (ESTIMATE, CHECK))
    return "\n\n".join(report.markdown([_cells(each) for each in kind]) for kind in kinds if kind)


def _cells(each: dict[str, Any]) -> dict[str, str]:
    settings = ("precision", "threads", "batch", "steps", "guidance", "length")
    return {
        "board": each["board"] + (f", {each['isa']}" if "isa" in each else ""),
        **{name: str(each[name]) for name in settings},
        "step ms, estimate": _ends(each, "step"),
        "sample ms, estimate": _ends(each, "sample"),
        "series/s": report.number(each["series_per_s"]),
        "bound by": each["bound"],
        "step ms, measured": report.number(each.get("measured_step_ms")),
        "error": _percent(each.get("step_error_percent")),
        "sample ms, measured": report.number(each.get("measured_sample_ms")),
        "error of it": _percent(each.get("sample_error_percent")),
    }


def _ends(each: dict[str, Any], name: str) -> str:
    low, high = each[f"{name}_ms_low"], each[f"{name}_ms_high"]
    return f"{report.number(each[f'{name}_ms'])} ({report.number(low)}-{report.number(high)})"


def _percent(value: float | None) -> str:
    return report.NOTHING if value is None else f"{value:+.0f} %"
