"""Measure: load, first step, steps, whole samples, fresh processes, and how far the result drifts."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geng_edge import _core, cache
from geng_edge.bench import board, process
from geng_edge.bench.case import Case
from geng_edge.bench.subject import Subject
from geng_edge.bench.work import Work, guided_steps
from geng_edge.request import DEFAULT_INTERVAL

_LOADS = 3
_STARTS = 3
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """How to measure.

    Attributes:
        repetitions: Whole samples a row, after one that is not counted.
        cooldown: Seconds of rest before a row.
        cold: Whether to start fresh processes, for the cold start and the peak of memory.
        quality: Whether to measure the drift.
    """

    repetitions: int = 10
    cooldown: float = 0.0
    cold: bool = True
    quality: bool = True


@dataclass
class Row:
    """One case, measured.

    Attributes:
        case: Its settings.
        seconds: Every raw sample, by what was timed: ``cold``, ``load``, ``first_step``, ``step``,
            ``sample``.
        peak_bytes: Most memory of a fresh process; None where it was not measured.
        work: Multiply-adds of the steps, on average.
        peak: Multiply-adds a second of one thread in a loop that only multiplies, measured now.
        drift: See :meth:`Subject.drift`.
        state: Of the board, right after the last sample.
    """

    case: Case
    seconds: dict[str, list[float]] = field(default_factory=dict)
    peak_bytes: int | None = None
    work: Work = field(default_factory=lambda: Work(0, 0))
    peak: float | None = None
    drift: float | None = None
    state: board.State | None = None

    @property
    def share_of_peak(self) -> float | None:
        """Multiply-adds of the steps, divided by what the threads could have done in that time."""
        steps = self.seconds.get("step")
        if not self.peak or not steps:
            return None
        threads = min(self.case.threads, _core.default_threads())
        return self.work.total * len(steps) / (sum(steps) * self.peak * threads)


def measure(
    subject: Subject, cases: Sequence[Case], options: Options, folder: Path, tell: Tell
) -> Iterator[Row]:
    """Measure every case, in order.

    Args:
        subject: The model and its conditions.
        cases: From :func:`geng_edge.bench.case.cross`.
        options: How.
        folder: An empty folder to work in.
        tell: Takes a line of status before each row.

    Raises:
        GengError: A model does not load or a fresh process fails.
    """
    peaks: dict[tuple[str, str], float | None] = {}
    loaded: tuple[object, _core.Model, dict[str, list[float]]] | None = None
    for number, case in enumerate(cases, 1):
        tell(f"row {number} of {len(cases)}: {case.isa}, {case.precision}, {case.threads} threads, "
             f"batch {case.batch}, {case.steps} steps, {case.solver}")  # fmt: skip
        if options.cooldown:
            time.sleep(options.cooldown)
        if loaded is None or loaded[0] != case.model:
            loaded = (case.model, *_load(subject, case, options, folder))
        _, model, beginnings = loaded
        key = (case.precision, case.isa)
        if key not in peaks:
            peaks[key] = _core.measure_peak(*key)
        row = Row(case, dict(beginnings), peak=peaks[key], work=_work(subject, case))
        _time(row, model, subject, options.repetitions)
        row.state = board.state()
        if options.cold:
            # Steps take no memory of their own, so two will do for the peak.
            short = dataclasses.replace(case, steps=min(case.steps, 2))
            row.peak_bytes = process.start(subject, short, folder).peak or None
        if options.quality:
            row.drift = subject.drift(case, model)
        yield row


def load(subject: Subject, case: Case) -> _core.Model:
    """A model as ``geng-edge sample`` loads it, with the packed weights of an earlier start."""
    kept = cache.folder()
    return _core.Model(
        str(subject.path), case.precision, case.threads, case.isa, str(kept) if kept else ""
    )


def _load(
    subject: Subject, case: Case, options: Options, folder: Path
) -> tuple[_core.Model, dict[str, list[float]]]:
    """A loaded model, and what loading it and starting from nothing took."""
    load(subject, case)  # writes the packed weights where no earlier start did
    seconds: dict[str, list[float]] = {"load": []}
    for _ in range(_LOADS):
        began = time.perf_counter()
        model = load(subject, case)
        seconds["load"].append(time.perf_counter() - began)
    if options.cold:
        one = dataclasses.replace(case, batch=1)
        starts = [process.start(subject, one, folder) for _ in range(_STARTS + 1)]
        seconds["cold"] = [each.seconds for each in starts[1:]]
    return model, seconds


def _work(subject: Subject, case: Case) -> Work:
    """Multiply-adds of one of the steps that are timed, on average; the first is timed by itself."""
    guided = guided_steps(case.steps, subject.shape.train_steps, DEFAULT_INTERVAL)
    timed = guided[1:] or guided
    total = Work(0, 0)
    for acts in timed:
        total += subject.shape.evaluation(
            case.batch, subject.words, guided=acts and case.guidance != 0
        )
    return total * (1 / len(timed))


def _time(row: Row, model: _core.Model, subject: Subject, repetitions: int) -> None:
    for name in ("first_step", "step", "sample"):
        row.seconds[name] = []
    for repetition in range(repetitions + 1):
        marks = sample_once(row.case, model, subject)
        if repetition == 0:
            continue  # touches the memory and wakes the threads
        row.seconds["first_step"].append(marks[1] - marks[0])
        row.seconds["step"] += step_seconds(marks, row.case.steps)
        row.seconds["sample"].append(marks[-1] - marks[0])


def step_seconds(marks: Sequence[float], steps: int) -> list[float]:
    """Seconds of every step but the first, of the whole batch, from :func:`sample_once`.

    The core walks the trajectory once for every 32 samples; a step of the batch is their sum.
    """
    ends = marks[1:-1]
    walks = [ends[first : first + steps] for first in range(0, len(ends), steps)]
    return [sum(walk[i] - walk[i - 1] for walk in walks) for i in range(1, steps)]


def sample_once(case: Case, model: _core.Model, subject: Subject) -> list[float]:
    """Moments of one sample: before it, after each step, and when the series are there."""
    marks = [time.perf_counter()]

    def mark(_done: int, _steps: int) -> bool:
        marks.append(time.perf_counter())
        return True

    model.sample(
        subject.conditions[0].array,
        case.batch,
        length=case.length,
        solver=case.solver,
        steps=case.steps,
        guidance=case.guidance,
        guidance_interval=DEFAULT_INTERVAL,
        progress=mark,
    )
    marks.append(time.perf_counter())
    return marks
