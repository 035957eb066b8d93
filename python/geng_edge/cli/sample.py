"""``geng-edge sample``: draw series from a description or a latent."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geng_edge import files
from geng_edge.cli import console
from geng_edge.errors import ArgumentError
from geng_edge.recording import Recorder, Recording
from geng_edge.request import (
    DEFAULT_CANDIDATES,
    DEFAULT_GUIDANCE,
    DEFAULT_STEPS,
    DEFAULT_STRENGTH,
    LONGEST,
    SOLVERS,
    Request,
    check_candidates,
)

if TYPE_CHECKING:
    from geng_edge.condition import Condition
    from geng_edge.generator import Generator
    from geng_edge.profiles import Profile
    from geng_edge.recorded import Recorded
    from geng_edge.reference import Reference
    from geng_edge.series import Series
    from geng_edge.verify import Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    from geng_edge.cli.backend import add_backend
    from geng_edge.cli.main import add_model, real, whole
    from geng_edge.cli.output import add_output
    from geng_edge.series import DEFAULT_START

    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--text", help="the description (needs the extra 'text')")
    what.add_argument("--cond", type=Path, metavar="LATENT.npy", help="a latent made by encode")
    add = parser.add_argument
    add("-n", "--count", type=whole, default=20,
        help="series to draw (default 20); row i uses seed + i")  # fmt: skip
    add(
        "--length",
        type=whole,
        default=512,
        help="steps of each (default 512); a multiple of 8, 64 and more; above 4096 series are "
        "chained from many windows, and CSV is written as it grows",
    )
    add("--interval", type=real, default=1.0, metavar="SECONDS",
        help="seconds between two steps (default 1)")  # fmt: skip
    add("--start", default=DEFAULT_START, metavar="ISO",
        help=f"time of the first step (default {DEFAULT_START})")  # fmt: skip
    add(
        "--unit",
        default="",
        help="unit of the values, kept beside them, such as degC (default none)",
    )
    add(
        "--steps",
        type=whole,
        help=f"denoising steps, 1 to 500 (default: the profile's, else {DEFAULT_STEPS})",
    )
    add("--solver", help=f"{', '.join(SOLVERS)} (default: the model's student, consistency; "
        "dpmpp_2m where it has none or guidance is given)")  # fmt: skip
    add("--guidance", type=real, metavar="W",
        help=f"classifier-free guidance, 0 to 20 (default {DEFAULT_GUIDANCE:g}, and none with the "
        "student, which has it built in); above 0, twice the time")  # fmt: skip
    add("--guidance-interval", type=real, nargs=2, default=(0.0, 1.0), metavar=("LOW", "HIGH"),
        help="shares of the noise levels between which guidance acts (default 0 1)")  # fmt: skip
    add("--eta", type=real, default=0.0, help="ddim only: 0 deterministic to 1 (default 0)")
    add("--seed", type=whole, default=0, help="seed of the first series (default 0)")
    add(
        "--threads",
        type=whole,
        help="threads (default $GENG_THREADS, then the profile's, then what this process may use)",
    )
    add(
        "--precision",
        help="int8, fp32, or auto: the faster here, measured once (default: the profile's, else int8)",
    )
    add(
        "--profile",
        metavar="ID",
        help="board whose threads, precision, steps and memory limit hold where no option says "
        "otherwise; see geng-edge profiles list",
    )
    add("--resolution", type=real, default=0.0, metavar="STEP",
        help="round the values to multiples of STEP (default 0: as they are)")  # fmt: skip
    add("--missing", type=real, default=0.0, metavar="SHARE",
        help="share of the values that are lost, 0 to 0.9 (default 0); empty in CSV")  # fmt: skip
    add("--gap", type=whole, default=1, metavar="STEPS", help="steps lost together (default 1)")
    add("--jitter", type=real, default=0.0, metavar="SHARE",
        help="most by which a stamp is early, as a share of the interval, 0 to 0.9 (default 0)")  # fmt: skip
    add("--reference", type=Path, metavar="FILE",
        help="an example that guides the details: a window of 512 steps in .csv, .npy or .json")  # fmt: skip
    add("--column", metavar="NAME", help="which column of the reference (default: the first)")
    add("--strength", type=real, metavar="S",
        help="how much it does: 0 the text alone, 1 the example alone "
        f"(default {DEFAULT_STRENGTH:g})")  # fmt: skip
    add_output(parser)
    add("--verify", type=whole, nargs="?", const=DEFAULT_CANDIDATES, metavar="K",
        help="analyse up to K candidates for each series and keep one that does what the "
        f"description says (K {DEFAULT_CANDIDATES} when left out; off by default)")  # fmt: skip
    add(
        "--report",
        type=Path,
        metavar="FILE.json",
        help="with --verify: every claim, asked and measured, series by series",
    )
    add("--json", action="store_true", help="print the facts of the run as JSON instead of data")
    add_backend(parser)
    add_model(parser)


def run(arguments: argparse.Namespace) -> None:
    """Check everything, generate, write."""
    profile = _settle(arguments)
    request = Request(
        count=arguments.count,
        length=arguments.length,
        steps=arguments.steps,
        solver=arguments.solver,
        guidance=arguments.guidance,
        guidance_interval=tuple(arguments.guidance_interval),
        eta=arguments.eta,
        seed=arguments.seed,
        strength=arguments.strength,
    )
    recording = Recording(arguments.resolution, arguments.missing, arguments.gap, arguments.jitter)
    _check_surroundings(arguments, request)
    if profile is not None:
        _check_memory(arguments, request, profile)
    example = _example(arguments)
    generator, condition = _load(arguments)
    generator.check(condition)
    reference = None
    if example is not None:
        from geng_edge.reference import Reference

        reference = Reference.of(generator, example.values)
    request = request.settled(generator.distilled)
    console.say(f"sampling {request.count} series of {request.length} steps, {request.solver}, "
         f"{request.steps} steps, guidance {request.guidance:g}, seed {request.seed}")  # fmt: skip
    settings: dict[str, Any] = {
        "length": request.length,
        "steps": request.steps,
        "solver": request.solver,
        "guidance": request.guidance,
        "guidance_interval": request.guidance_interval,
        "eta": request.eta,
        "seed": request.seed,
        "interval": arguments.interval,
        "start": arguments.start,
        "unit": arguments.unit,
        "progress": console.progress(),
        "reference": reference,
        "strength": request.strength,
    }
    recorder = Recorder(recording, request.count, request.seed)
    began = time.perf_counter()
    report = None
    if request.chained and _streams(arguments):
        _stream(arguments, generator, condition, request, recorder)
    else:
        if arguments.verify is None:
            series = generator.generate(condition, request.count, **settings)
        else:
            series, report = _verified(arguments, generator, condition, request, settings)
        _deliver(arguments, recorder.keep(series), report, reference)
    seconds = time.perf_counter() - began
    model, backend = generator.model, generator.backend
    asked = f"; {backend.name}, {backend.precision}" if backend is not None else ""
    console.say(
        f"done in {seconds:.2f} s ({model.isa}, {model.threads} threads, {model.precision}{asked})"
    )
    if arguments.json:
        facts = _facts(arguments, request, generator, condition, seconds)
        if report is not None:
            facts["verify"] = report.to_dict()
        console.emit(json.dumps(facts))


def _streams(arguments: argparse.Namespace) -> bool:
    """Whether nothing but CSV is wanted, which needs no more than a block at a time."""
    if arguments.out is not None:
        return arguments.out.suffix == ".csv" and arguments.plot is None
    return not (arguments.plot or arguments.json or sys.stdout.isatty())


def _stream(
    arguments: argparse.Namespace,
    generator: Generator,
    condition: Condition,
    request: Request,
    recorder: Recorder,
) -> None:
    """A chain as CSV: to a file that appears when it is whole, or to stdout as it grows."""
    progress = console.progress()
    blocks = generator.chain(
        condition,
        request,
        interval=arguments.interval,
        start=arguments.start,
        unit=arguments.unit,
    )

    def lines() -> Iterator[bytes]:
        for block in blocks:
            yield from recorder.keep(block).to_csv()
            if progress is not None:
                progress(block.first + block.values.shape[1], request.length)

    if arguments.out is None:
        for part in lines():
            console.emit(part)
        return
    with files.whole(arguments.out) as file:
        file.writelines(lines())
    console.say(f"wrote {arguments.out}")


def _verified(
    arguments: argparse.Namespace,
    generator: Generator,
    condition: Condition,
    request: Request,
    settings: dict[str, Any],
) -> tuple[Series, Report]:
    """Draw with the self-check, and say how it went."""
    from geng_edge.claims_reader import read_claims
    from geng_edge.verify import verified

    claims = read_claims(generator, condition, request.length, arguments.interval)
    series, report = verified(
        generator, condition, claims, request.count, candidates=arguments.verify, **settings
    )
    if any(row.checks for row in report.chosen):
        console.say(f"{report.held} of {request.count} series keep every claim of the description")
    else:
        console.say("no claim was read in the description; nothing was verified")
    return series, report


def _settle(arguments: argparse.Namespace) -> Profile | None:
    """Fill in what no option says: from the environment, the profile, the defaults."""
    from geng_edge.cli.main import threads_from_environment

    profile = None
    if arguments.profile is not None:
        from geng_edge import profiles

        profile = profiles.load(arguments.profile)
    if arguments.steps is None:
        arguments.steps = profile.steps if profile else DEFAULT_STEPS
    if arguments.precision is None:
        arguments.precision = profile.precision if profile else "int8"
    if arguments.strength is None:
        arguments.strength = 0.0 if arguments.reference is None else DEFAULT_STRENGTH
    if arguments.threads is None:
        arguments.threads = threads_from_environment() or (profile.threads if profile else 0)
    return profile


def _check_memory(arguments: argparse.Namespace, request: Request, profile: Profile) -> None:
    """Refuse what the board has no memory for, before a weight is read."""
    from geng_edge.generator import find_model
    from geng_edge.precision import AUTO, check_precision
    from geng_edge.profiles.memory import Demand, check_fits

    check_precision(arguments.precision)
    demand = Demand(
        request.count,
        request.length,
        request.guidance != 0,  # None may turn out to be guided
        "fp32" if arguments.precision == AUTO else arguments.precision,  # both are tried
        arguments.out.suffix if arguments.out else "",
        text=arguments.text is not None,
        picture=arguments.plot is not None,
        streamed=request.chained and _streams(arguments),
    )
    check_fits(demand, find_model(arguments.model), profile)


def _check_surroundings(arguments: argparse.Namespace, request: Request) -> None:
    """Whatever can be refused before a model is loaded."""
    from geng_edge.cli.output import check_output
    from geng_edge.condition import check_interval, check_text, check_unit
    from geng_edge.series import moments_of

    if arguments.text is not None:
        check_text(arguments.text)
    if arguments.verify is not None:
        check_candidates(arguments.verify)
        if request.chained:
            raise ArgumentError(
                f"length is {request.length}; it must be at most {LONGEST} with --verify"
            )
    if arguments.report is not None:
        if arguments.verify is None:
            raise ArgumentError("report is given without verify; it must be given with --verify")
        files.check_writable(arguments.report)
    if arguments.reference is None and (arguments.strength or arguments.column):
        raise ArgumentError("strength or column is given without --reference; give one with it")
    check_interval(arguments.interval)
    check_unit(arguments.unit)
    moments_of(arguments.start, arguments.interval, 1, request.length - 1)
    check_output(arguments)
    if arguments.jitter and arguments.out is not None and arguments.out.suffix == ".npy":
        raise ArgumentError(
            f"{arguments.out} keeps no stamps; it must end in .csv, .parquet or .json with --jitter"
        )


def _example(arguments: argparse.Namespace) -> Recorded | None:
    """The file of the reference, read before a model is loaded."""
    if arguments.reference is None:
        return None
    from geng_edge import recorded

    found = recorded.load(arguments.reference, arguments.column)
    found.check_unit(arguments.unit)
    return found


def _load(arguments: argparse.Namespace) -> tuple[Generator, Any]:
    from geng_edge.cli.backend import backend_of
    from geng_edge.condition import Condition
    from geng_edge.generator import Generator

    condition = Condition.load(arguments.cond) if arguments.cond is not None else None
    backend = backend_of(arguments, arguments.threads)
    generator = Generator.load(
        arguments.model, arguments.precision, arguments.threads, backend=backend
    )
    if condition is not None:
        return generator, condition
    return generator, Condition.from_text(
        arguments.text, arguments.interval, generator, arguments.length
    )


def _deliver(
    arguments: argparse.Namespace,
    series: Series,
    report: Report | None,
    reference: Reference | None,
) -> None:
    """The report of the self-check, then data and picture."""
    from geng_edge.cli.output import deliver
    from geng_edge.plot.image import Beside

    if report is not None and arguments.report is not None:
        with files.whole(arguments.report) as file:
            file.write((report.to_json() + "\n").encode())
        console.say(f"wrote {arguments.report}")
    deliver(
        arguments,
        series,
        arguments.text or arguments.cond.name,
        report.caption() if report is not None else "",
        Beside.over(reference.values, series) if reference is not None else None,
        quiet=arguments.json,
    )


def _facts(
    arguments: argparse.Namespace,
    request: Request,
    generator: Generator,
    condition: Any,
    seconds: float,
) -> dict[str, Any]:
    return {
        "out": str(arguments.out) if arguments.out else None,
        "plot": str(arguments.plot) if arguments.plot else None,
        **vars(request),
        "interval": arguments.interval,
        "unit": arguments.unit,
        "isa": generator.model.isa,
        "threads": generator.model.threads,
        "precision": generator.model.precision,
        "backend": generator.backend.name if generator.backend else "native",
        "seconds": round(seconds, 4),
        "model": str(generator.path),
        "fingerprint": generator.model.fingerprint,
        "read": generator.read_numbers(condition, request.length),
    }
