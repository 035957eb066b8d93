"""Ours beside peers: one guided step, the same weights and inputs, in turns on one machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_edge import _core
from geng_edge.bench import board, report
from geng_edge.bench.case import Case
from geng_edge.bench.measure import Options, Tell, load, step_seconds
from geng_edge.bench.peers import Peer, Step
from geng_edge.bench.subject import Subject

if TYPE_CHECKING:
    import numpy.typing as npt

_STEPS = 20
_CHECKED_AT = (0.02, 0.3, 0.7, 0.98)  # shares of T
#: Root mean square error over root mean square: int8 stays below it, a wrong bridge does not.
TOLERANCE = 0.15


@dataclass
class Contender:
    """One runtime in one precision on so many threads.

    Attributes:
        name, variant, threads: Which.
        run: Takes as many guided steps as a sample has and gives the seconds of each.
        difference: Of its answers from ours in fp32, root mean square over root mean square.
        seconds: Raw samples.
    """

    name: str
    variant: str
    threads: int
    run: Callable[[], list[float]]
    difference: float
    seconds: list[float] = field(default_factory=list)


def compare(
    subject: Subject,
    cases: Sequence[Case],
    peers: Sequence[Peer],
    options: Options,
    folder: Path,
    tell: Tell,
) -> Iterator[Contender]:
    """Measure one guided step of one series through everything, in turns.

    Args:
        subject: The model and its condition.
        cases: Whose kernel sets, precisions and threads run as ours.
        peers: From :func:`geng_edge.bench.peers.find_peers`; one that cannot run here is told of and
            left out.
        options: Repetitions and cooldown.
        folder: Where peers may keep files.
        tell: Takes lines of status.
    """
    models = {case.model: case for case in cases}
    for threads in dict.fromkeys(case.threads for case in cases):
        turns = [_ours(subject, case) for case in models.values() if case.threads == threads]
        turns += _peers(subject, peers, threads, folder, tell)
        for turn in range(options.repetitions + 1):
            tell(f"{threads} threads, turn {turn} of {options.repetitions}")
            # The order turns too, so that nobody always runs after the same neighbour.
            for contender in turns[turn % len(turns) :] + turns[: turn % len(turns)]:
                seconds = contender.run()
                if turn:
                    contender.seconds += seconds
            time.sleep(options.cooldown)
        yield from turns


def _ours(subject: Subject, case: Case) -> Contender:
    model = load(subject, case)

    def run() -> list[float]:
        marks = [time.perf_counter()]

        def mark(_done: int, _steps: int) -> bool:
            marks.append(time.perf_counter())
            return True

        model.sample(
            subject.conditions[0].array,
            1,
            steps=_STEPS,
            guidance=case.guidance or 1.5,
            progress=mark,
        )
        marks.append(time.perf_counter())
        return step_seconds(marks, _STEPS)

    def step(x: npt.NDArray[np.float32], t: int) -> npt.NDArray[np.float32]:
        return _both(model, subject, x, t)

    difference = _difference(subject, step)
    return Contender(f"geng-edge {case.isa}", case.precision, case.threads, run, difference)


def _peers(
    subject: Subject, peers: Sequence[Peer], threads: int, folder: Path, tell: Tell
) -> Iterator[Contender]:
    for peer in peers:
        reason = peer.why_not()
        if reason is not None:
            tell(f"{peer.name} {peer.variant} is left out: {reason}")
            continue
        tell(f"preparing {peer.name} {peer.variant}, {threads} threads")
        step = peer.prepare(subject.path, subject.conditions[0].array, threads, folder)
        difference = _difference(subject, step)
        yield Contender(peer.name, peer.variant, threads, _runner(subject, step), difference)


def _runner(subject: Subject, step: Step) -> Callable[[], list[float]]:
    x = _latent(subject)
    timesteps = _timesteps(subject, np.linspace(0.0, 1.0, _STEPS))

    def run() -> list[float]:
        seconds = []
        for t in timesteps:
            began = time.perf_counter()
            step(x, t)
            seconds.append(time.perf_counter() - began)
        return seconds[1:]

    return run


def _difference(subject: Subject, step: Step) -> float:
    exact = _core.Model(str(subject.path), "fp32", 1)
    x = _latent(subject)
    pairs = [
        (step(x, t), _both(exact, subject, x, t))
        for t in _timesteps(subject, np.asarray(_CHECKED_AT))
    ]
    error = np.mean([np.mean((mine - theirs) ** 2) for mine, theirs in pairs])
    return float(np.sqrt(error / np.mean([np.mean(theirs**2) for _, theirs in pairs])))


def _both(
    model: _core.Model, subject: Subject, x: npt.NDArray[np.float32], t: int
) -> npt.NDArray[np.float32]:
    """v [2, tokens, width]: with the condition and without."""
    condition = subject.conditions[0].array
    return np.concatenate([model.bridge(x[None], t, condition), model.bridge(x[None], t, None)])


def _latent(subject: Subject) -> npt.NDArray[np.float32]:
    shape = (subject.shape.tokens, subject.shape.width)
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def _timesteps(subject: Subject, shares: npt.NDArray[np.float64]) -> list[int]:
    return [int(share) for share in np.rint(shares * (subject.shape.train_steps - 1))]


def records(contenders: Sequence[Contender], subject: Subject) -> list[dict[str, Any]]:
    """Contenders as plain data: medians, and how many times ours they take."""
    made = []
    for each in contenders:
        ours = min(
            float(np.median(other.seconds))
            for other in contenders
            if other.threads == each.threads and other.name.startswith("geng-edge")
        )
        made.append({
            "runtime": each.name,
            "variant": each.variant,
            "threads": each.threads,
            **report.spread("step", each.seconds),
            "times_ours": float(np.median(each.seconds)) / ours,
            "difference": each.difference,
            "agrees": each.difference <= TOLERANCE,
            "model": subject.path.name,
            "fingerprint": subject.fingerprint,
            **board.identity(),
            "seconds": {"step": each.seconds},
        })  # fmt: skip
    return made


def text(made: Sequence[dict[str, Any]]) -> str:
    """The Markdown table of :func:`records`."""
    return report.markdown([
        {
            "runtime": each["runtime"],
            "variant": each["variant"],
            "threads": str(each["threads"]),
            "guided step ms": report.time_cell(each, "step"),
            "times ours": report.number(each["times_ours"]),
            "difference": report.number(each["difference"]),
            "agrees": "yes" if each["agrees"] else "no",
            "version": f"{each['version']} {each['commit']}",
        }
        for each in made
    ])  # fmt: skip
