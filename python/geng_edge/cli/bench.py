"""``geng-edge bench``: measure this device, compare it with peers, or estimate another."""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geng_edge import files
from geng_edge.cli import console
from geng_edge.errors import ArgumentError
from geng_edge.request import DEFAULT_GUIDANCE, DEFAULT_STEPS, SOLVERS

if TYPE_CHECKING:
    from geng_edge.bench.case import Case
    from geng_edge.bench.subject import Subject

_FORMATS = ("md", "csv", "json", "jsonl")


def _list_of(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    """A comma list of ``kind``, for ``type=``."""

    def read(text: str) -> list[Any]:
        return [kind(part.strip()) for part in text.split(",")]

    return read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    from geng_edge.cli.main import add_model, real, whole

    def choice(name: str, kind: Callable[[str], Any], words: str) -> None:
        parser.add_argument(name, type=_list_of(kind), metavar="LIST", help=words)

    choice("--steps", whole, f"denoising steps, such as 8,20 (default {DEFAULT_STEPS})")
    choice("--solver", str, f"of {', '.join(SOLVERS)} (default what sample takes: the model's "
           "student, consistency; dpmpp_2m where it has none or guidance is given)")  # fmt: skip
    choice("--threads", whole, "threads (default: 1 and what this process may use)")
    choice("--precision", str, "int8, fp32 (default both)")
    choice("--batch", whole, "series drawn together (default 1)")
    choice("--isa", str, "kernel sets, or all (default the one that sample chooses)")
    choice("--guidance", real, f"w, 0 to 20 (default {DEFAULT_GUIDANCE:g}, and none with the student, "
           "which has it built in); above 0, twice the time")  # fmt: skip
    choice("--length", whole, "steps of a series (default 512)")
    add = parser.add_argument
    add("--repetitions", type=whole, default=10, help="samples a row (default 10)")
    add(
        "--cooldown",
        type=real,
        default=0.0,
        metavar="SECONDS",
        help="rest before a row (default 0)",
    )
    add("--output", default="md", help="md, csv, json or jsonl; raw samples in the last two "
        "(default md)")  # fmt: skip
    add("--out", type=Path, metavar="FILE", help="where to write (default stdout)")
    add(
        "--cond",
        type=Path,
        metavar="LATENT.npy",
        help="condition to draw (default: two bundled texts)",
    )
    add("--no-cold", action="store_true", help="start no fresh processes: no cold start, no memory")
    add("--no-quality", action="store_true", help="do not measure the drift")
    add("--shape", metavar="SHAPE", help="random weights instead of a model: edge, paper, tiny, or "
        "dim=256,depth=6,heads=4,tokens=10,width=32")  # fmt: skip
    add("--compare", type=_list_of(str), metavar="NAMES",
        help="measure one guided step beside these runtimes, in turns (needs geng-export); or whole "
        "series beside exports, as onnxruntime=PATH,litert=PATH")  # fmt: skip
    add("--profile", metavar="ID", help="estimate for this board instead, and try the estimate here; "
        "see geng-edge profiles list")  # fmt: skip
    add_model(parser)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print.

    Raises:
        ArgumentError: A setting is out of range, or a peer is not installed.
        ModelFileError: The model cannot be loaded.
        OutputError: The table cannot be written.
    """
    _check(arguments)
    import tempfile  # brings in archive formats, which no other command needs

    from geng_edge.bench import report

    way = _measure
    if arguments.profile is not None:
        way = _forecast
    elif arguments.compare is not None:
        way = _compare_exports if _exports(arguments) else _compare
    with tempfile.TemporaryDirectory(prefix="geng-bench-") as name:
        records, text = way(arguments, Path(name))
    if arguments.output != "md":
        text = report.render(records, arguments.output)
    _deliver(arguments.out, text)


def _check(arguments: argparse.Namespace) -> None:
    """Whatever can be refused before a model is loaded."""
    if arguments.output not in _FORMATS:
        raise ArgumentError(
            f"output is {arguments.output!r}; it must be one of {', '.join(_FORMATS)}"
        )
    if not 1 <= arguments.repetitions <= 10_000:
        raise ArgumentError(f"repetitions is {arguments.repetitions}; it must be 1 to 10000")
    if not 0 <= arguments.cooldown <= 3600:
        raise ArgumentError(f"cooldown is {arguments.cooldown}; it must be 0 to 3600 seconds")
    if arguments.shape is not None and arguments.model is not None:
        raise ArgumentError("shape is given beside model; it must be one of them")
    if arguments.shape is not None:
        from geng_edge.bench.shapes import sizes_of

        sizes_of(arguments.shape)
    if arguments.compare is not None and arguments.profile is not None:
        raise ArgumentError("compare is given beside profile; it must be one of them")
    if arguments.compare is not None:
        _exports(arguments)
    _here(arguments)
    if arguments.out is not None:
        files.check_writable(arguments.out)


def _exports(arguments: argparse.Namespace) -> list[tuple[str, Path]]:
    """Backends and exports to compare with; none where runtimes alone are named."""
    from geng_edge.backends import SESSIONS

    named = [name.partition("=") for name in arguments.compare]
    if not any(equals for _, equals, _ in named):
        return []
    for name, equals, path in named:
        if name not in SESSIONS or not (equals and path):
            raise ArgumentError(
                f"compare is {name + equals + path!r} beside an export; it must be "
                f"{' or '.join(f'{each}=PATH' for each in SESSIONS)}",
                name="compare",
            )
    return [(name, Path(path)) for name, _, path in named]


def _cases(
    arguments: argparse.Namespace, threads: list[int], precision: list[str], distilled: bool
) -> list[Case]:
    """The cases asked for; what is not said of solver and guidance is as ``sample`` has it."""
    from geng_edge.bench.case import cross

    return cross(
        distilled=distilled,
        isa=arguments.isa or [""],
        precision=arguments.precision or precision,
        threads=arguments.threads or threads,
        batch=arguments.batch or [1],
        length=arguments.length or [512],
        steps=arguments.steps or [DEFAULT_STEPS],
        solver=arguments.solver or [None],
        guidance=arguments.guidance or [None],
    )


def _here(arguments: argparse.Namespace, distilled: bool = False) -> list[Case]:
    """The cases asked for, on this machine's threads; without a student unless it is said."""
    from geng_edge import _core
    from geng_edge.cli.main import threads_from_environment

    most = threads_from_environment() or _core.default_threads()
    return _cases(arguments, list(dict.fromkeys((1, most))), ["int8", "fp32"], distilled)


def _subject(arguments: argparse.Namespace, folder: Path) -> Subject:
    from geng_edge.bench.shapes import write_random
    from geng_edge.bench.subject import load_subject
    from geng_edge.generator import find_model

    if arguments.shape is not None:
        # Packed weights of a model that lives as long as this process are no use to another.
        os.environ["GENG_CACHE"] = str(folder / "cache")
        path = write_random(arguments.shape, folder)
        return load_subject(path, arguments.cond, trained=False)
    return load_subject(find_model(arguments.model), arguments.cond)


def _measure(arguments: argparse.Namespace, folder: Path) -> tuple[list[dict[str, Any]], str]:
    from geng_edge.bench import report
    from geng_edge.bench.measure import Options, measure

    subject = _subject(arguments, folder)
    cases = _here(arguments, subject.distilled)
    options = Options(
        arguments.repetitions,
        arguments.cooldown,
        cold=not arguments.no_cold,
        quality=not arguments.no_quality,
    )
    made = [
        report.record(row, subject) for row in measure(subject, cases, options, folder, console.say)
    ]
    return made, report.text(made)


def _compare(arguments: argparse.Namespace, folder: Path) -> tuple[list[dict[str, Any]], str]:
    from geng_edge.bench import compare
    from geng_edge.bench.measure import Options
    from geng_edge.bench.peers import find_peers

    peers = find_peers(arguments.compare)
    cases = _here(arguments)  # the teacher's: its step is guided
    subject = _subject(arguments, folder)
    options = Options(arguments.repetitions, arguments.cooldown)
    found = list(compare.compare(subject, cases, peers, options, folder, console.say))
    made = compare.records(found, subject)
    return made, compare.text(made)


def _compare_exports(
    arguments: argparse.Namespace, folder: Path
) -> tuple[list[dict[str, Any]], str]:
    from geng_edge.bench import runtimes
    from geng_edge.bench.measure import Options

    subject = _subject(arguments, folder)
    cases = _here(arguments, subject.distilled)
    _same_request(cases)
    options = Options(arguments.repetitions, arguments.cooldown)
    found = list(runtimes.run(subject, cases, _exports(arguments), options, console.say))
    made = runtimes.records(found, subject)
    return made, runtimes.text(made)


def _same_request(cases: list[Case]) -> None:
    """Series are held against each other, so all must be of one request."""
    fields = ("batch", "length", "steps", "solver", "guidance")
    if len({tuple(getattr(case, name) for name in fields) for case in cases}) > 1:
        raise ArgumentError(
            f"{', '.join(fields)} have more than one value; each must have one beside exports"
        )


def _forecast(arguments: argparse.Namespace, folder: Path) -> tuple[list[dict[str, Any]], str]:
    from geng_edge import profiles
    from geng_edge.bench import forecast
    from geng_edge.bench.roofline import Machine

    profile = profiles.load(arguments.profile)
    subject = _subject(arguments, folder)
    cases = _cases(arguments, [profile.threads], [profile.precision], subject.distilled)
    # The kernel set is the board's own: what --isa names is tried here.
    cases = list({dataclasses.replace(case, isa=""): None for case in cases})
    made = forecast.forecast(Machine.of(profile), subject, cases)
    console.say(f"{profile.name}: an estimate, nothing was measured there; how wrong it is here:")
    made += forecast.check_here(subject, _here(arguments, subject.distilled), folder, console.say)
    return made, forecast.text(made)


def _deliver(out: Path | None, text: str) -> None:
    if out is None:
        console.emit(text)
        return
    with files.whole(out) as file:
        file.write((text + "\n").encode())
    console.say(f"wrote {out}")
