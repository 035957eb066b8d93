"""Our kernels beside exports of the same model in other runtimes: whole series, in turns.

Unlike :mod:`geng_edge.bench.compare`, which measures a step alone, this is what a user waits for: the
same loop, noise and decoder, and the same seeds, so that the series can be held against each other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_edge import _core
from geng_edge.backends import Backend
from geng_edge.bench import board, report
from geng_edge.bench.case import Case
from geng_edge.bench.measure import Options, Tell, load, sample_once
from geng_edge.bench.subject import Subject

if TYPE_CHECKING:
    import numpy.typing as npt

#: Mean distance of the series from the core's float32, as a share of their range: int8 stays below.
TOLERANCE = 0.1
_SERIES = 8


@dataclass
class Runner:
    """One runtime in one precision on so many threads.

    Attributes:
        name, variant: Which.
        case: Settings of a sample.
        model: Draws it.
        difference: Mean distance of its series from float32's, in shares of their range.
        seconds: Raw samples.
    """

    name: str
    variant: str
    case: Case
    model: _core.Model
    difference: float
    seconds: list[float] = field(default_factory=list)


def run(
    subject: Subject,
    cases: Sequence[Case],
    exports: Sequence[tuple[str, Path]],
    options: Options,
    tell: Tell,
) -> Iterator[Runner]:
    """Measure one request through the core and through every export, in turns.

    Args:
        subject: The model and its condition.
        cases: Whose kernel sets, precisions and threads run as ours; exports run on the same threads.
        exports: Backend and path, as ``geng-edge sample`` takes them.
        options: Repetitions and cooldown.
        tell: Takes lines of status.

    Raises:
        ModelFileError: An export is missing, damaged or of another model.
        MissingExtraError: A backend's package is not installed.
    """
    for threads in dict.fromkeys(case.threads for case in cases):
        ours = [case for case in cases if case.threads == threads]
        exact = _core.Model(str(subject.path), "fp32", threads)
        wanted = _series(exact, subject, ours[0])
        turns = []
        for case in ours:
            model = load(subject, case)
            off = _distance(_series(model, subject, case), wanted)
            turns.append(Runner(f"native {case.isa}", case.precision, case, model, off))
        for name, path in exports:
            backend = Backend(name, path, threads)
            backend.check(subject.fingerprint, subject.path)
            model = _core.Model(str(subject.path), "int8", threads, network=backend)
            off = _distance(_series(model, subject, ours[0]), wanted)
            turns.append(Runner(name, backend.precision, ours[0], model, off))
        for turn in range(options.repetitions + 1):
            tell(f"{threads} threads, turn {turn} of {options.repetitions}")
            # The order turns too, so that nobody always runs after the same neighbour.
            for runner in turns[turn % len(turns) :] + turns[: turn % len(turns)]:
                marks = sample_once(runner.case, runner.model, subject)
                if turn:
                    runner.seconds.append(marks[-1] - marks[0])
            time.sleep(options.cooldown)
        yield from turns


def _series(model: _core.Model, subject: Subject, case: Case) -> npt.NDArray[np.float32]:
    return np.stack([
        model.sample(
            condition.array, _SERIES, length=case.length, solver=case.solver, steps=case.steps,
            guidance=case.guidance, seed=1,
        )
        for condition in subject.conditions
    ])  # fmt: skip


def _distance(got: npt.NDArray[np.float32], wanted: npt.NDArray[np.float32]) -> float:
    span = np.maximum(np.ptp(wanted, axis=-1, keepdims=True), 1e-12)
    return float(np.mean(np.abs(got - wanted) / span))


def records(runners: Sequence[Runner], subject: Subject) -> list[dict[str, Any]]:
    """Runners as plain data: medians, and how many times ours they take."""
    made = []
    for each in runners:
        medians = [
            float(np.median(other.seconds))
            for other in runners
            if other.case.threads == each.case.threads and other.name.startswith("native")
        ]
        middle = float(np.median(each.seconds))
        made.append({
            "backend": each.name,
            "variant": each.variant,
            "threads": each.case.threads,
            "batch": each.case.batch,
            "length": each.case.length,
            "solver": each.case.solver,
            "steps": each.case.steps,
            "guidance": each.case.guidance,
            **report.spread("sample", each.seconds),
            "series_per_s": each.case.batch / middle,
            "times_ours": middle / min(medians),
            "difference": each.difference,
            "agrees": each.difference <= TOLERANCE,
            "model": subject.path.name,
            "fingerprint": subject.fingerprint,
            **board.identity(),
            "seconds": {"sample": each.seconds},
        })  # fmt: skip
    return made


def text(made: Sequence[dict[str, Any]]) -> str:
    """The Markdown table of :func:`records`."""
    return report.markdown([
        {
            "backend": each["backend"],
            "variant": each["variant"],
            "threads": str(each["threads"]),
            "batch": str(each["batch"]),
            "sample ms": report.time_cell(each, "sample"),
            "series/s": report.number(each["series_per_s"]),
            "times ours": report.number(each["times_ours"]),
            "difference %": report.number(100 * each["difference"]),
            "agrees": "yes" if each["agrees"] else "no",
            "version": f"{each['version']} {each['commit']}",
        }
        for each in made
    ])  # fmt: skip
