"""``python -m geng_export.evaluate COMMAND``: measure a model, and the analyser that judges it."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_edge.cli.backend import add_backend, backend_of
from geng_edge.errors import ArgumentError, GengError
from geng_edge.request import (
    DEFAULT_CANDIDATES,
    DEFAULT_GUIDANCE,
    DEFAULT_INTERVAL,
    DEFAULT_STEPS,
    SOLVERS,
)
from geng_export.evaluate.drawing import READING_SPLITS, SPLITS, Way, descriptions, draw

if TYPE_CHECKING:
    from geng_edge.generator import Generator

MOST_TRAINING_WINDOWS = 4000

log = logging.getLogger("geng_export.evaluate")


def _generator(arguments: argparse.Namespace) -> Generator:
    from geng_edge import Generator

    takes_backend = hasattr(arguments, "backend")
    backend = backend_of(arguments, arguments.threads) if takes_backend else None
    return Generator.load(arguments.model, arguments.precision, arguments.threads, backend=backend)


def _facts(generator: Generator, arguments: argparse.Namespace, way: Way) -> dict[str, object]:
    settled = way.settled(generator)
    backend = generator.backend
    other = {"backend": f"{backend.name} {backend.precision}"} if backend is not None else {}
    return {
        **other,
        "model": Path(generator.path).name,
        "sha256": generator.model.fingerprint[:16],
        "precision": generator.model.precision,
        "split": arguments.split,
        "descriptions": arguments.descriptions,
        "samples": arguments.samples,
        "solver": settled.solver,
        "steps": settled.steps,
        "guidance": settled.guidance,
        "guidance_interval": list(settled.interval),
        "numbers": settled.numbers,
        "seed": arguments.seed,
    }


def _kept(arguments: argparse.Namespace, text: str) -> None:
    if arguments.out is not None:
        arguments.out.write_text(text + "\n", encoding="utf-8")


def _report(arguments: argparse.Namespace, result: Any) -> None:
    """Keep a result as JSON where that is asked, and print its tables."""
    _kept(arguments, json.dumps(result.to_dict(), indent=1))
    print(result.to_markdown())


def _conformity(arguments: argparse.Namespace) -> None:
    from geng_export.evaluate.conformity import judge_all, report

    generator = _generator(arguments)
    low, high = arguments.guidance_interval
    way = Way(
        arguments.solver,
        arguments.steps,
        arguments.guidance,
        (low, high),
        not arguments.no_numbers,
    )
    facts = _facts(generator, arguments, way) | {"length": arguments.length}
    asked = descriptions(arguments.split, arguments.descriptions, arguments.seed, arguments.length)
    drawn = draw(generator, asked, arguments.samples, way, arguments.seed, log.info)
    log.info("analysing %d series", len(asked) * arguments.samples)
    judged = judge_all(drawn, [one.claims for one in asked], [one.task for one in asked])
    result = report(judged, facts)
    _kept(arguments, result.to_json())
    print(result.to_markdown())


def _reading(arguments: argparse.Namespace) -> None:
    from geng_export.evaluate.reading import measure

    if arguments.misread and arguments.split == "paraphrases":
        raise ArgumentError(
            "split is paraphrases; it must be another where misread texts are shown"
        )
    generator = _generator(arguments)
    facts: dict[str, object] = {
        "model": Path(generator.path).name,
        "sha256": generator.model.fingerprint[:16],
        "split": arguments.split,
        "seed": arguments.seed,
    }
    asked = descriptions(arguments.split, arguments.descriptions, arguments.seed)
    result = measure(generator, asked, facts)
    _report(arguments, result)
    for one in result.misread if arguments.misread else ():
        print(f"\n{one.text}\n  misread: {', '.join(one.fields)}\n  {one.read}")


def _verify(arguments: argparse.Namespace) -> None:
    from geng_export.evaluate.self_check import measure

    generator = _generator(arguments)
    asked = descriptions(arguments.split, arguments.descriptions, arguments.seed)
    before, after = measure(
        generator,
        asked,
        arguments.samples,
        arguments.candidates,
        seed=arguments.seed,
        facts=_facts(generator, arguments, Way()),
        say=log.info,
    )
    both = {"plain": json.loads(before.to_json()), "verified": json.loads(after.to_json())}
    _kept(arguments, json.dumps(both, indent=1))
    print(before.to_markdown(), after.to_markdown(), sep="\n\n")


def _few_steps(arguments: argparse.Namespace) -> None:
    from geng_export.evaluate.few_steps import STUDENT, measure, teacher

    generator = _generator(arguments)
    # The student is held against the teacher under the guidance that was distilled into it.
    distilled = generator.model.metadata.get("geng.student.guidance", DEFAULT_GUIDANCE)
    guidance = round(float(distilled), 3)
    result = measure(
        generator,
        (*STUDENT, *teacher(guidance)) if generator.distilled else teacher(guidance),
        count=arguments.descriptions,
        samples=arguments.samples,
        paired=arguments.paired,
        seed=arguments.seed,
        say=log.info,
    )
    _report(arguments, result)


def _fidelity(arguments: argparse.Namespace) -> None:
    from geng_export.evaluate import fidelity
    from geng_export.evaluate.captioned import captioned_windows
    from geng_export.evaluate.systems import systems

    generator = _generator(arguments)
    known = captioned_windows(arguments.data, "train", MOST_TRAINING_WINDOWS)
    train, held = (
        known[: arguments.windows],
        captioned_windows(arguments.data, "development", arguments.windows),
    )

    result = fidelity.measure(
        systems(generator, known, train, arguments.baseline_seconds),
        train,
        held,
        seeds=arguments.seeds,
        say=log.info,
    )
    facts = {
        **result.to_dict(),
        "sha256": generator.model.fingerprint[:16],
        "baseline_pairs": len(known),
        "baseline_seconds": arguments.baseline_seconds,
    }
    _kept(arguments, json.dumps(facts, indent=1))
    print(result.to_markdown())


def _copies(arguments: argparse.Namespace) -> None:
    from geng_export.evaluate.captioned import captioned_windows
    from geng_export.evaluate.metrics.copies import copy_check

    generator = _generator(arguments)
    train = captioned_windows(arguments.data, "train", arguments.windows)
    held = captioned_windows(arguments.data, "development", arguments.windows)
    rows = [np.stack([w.x for w in windows]) for windows in (train, held)]
    made = [
        np.concatenate(draw(generator, windows, 1, Way(), arguments.seed))
        for windows in (train, held)
    ]
    sets = ("real, held out", "generated, held-out captions", "generated, training captions")
    result = copy_check(rows[0], dict(zip(sets, (rows[1], made[1], made[0]), strict=True)))
    _report(arguments, result)


def _chains(arguments: argparse.Namespace) -> None:
    from geng_export.evaluate.chains import measure

    result = measure(
        _generator(arguments),
        count=arguments.chains,
        length=arguments.length,
        seed=arguments.seed,
        say=log.info,
    )
    _report(arguments, result)


def _two_stage(arguments: argparse.Namespace) -> None:
    from geng_export.evaluate.captioned import captioned_windows
    from geng_export.evaluate.two_stage import measure

    held = captioned_windows(arguments.data, "development", arguments.windows)
    result = measure(_generator(arguments), held, seed=arguments.seed, say=log.info)
    _report(arguments, result)


def _completed(arguments: argparse.Namespace) -> None:
    from geng_export.evaluate.captioned import captioned_windows
    from geng_export.evaluate.completed import measure

    held = captioned_windows(arguments.data, "development", arguments.windows)
    result = measure(held, seed=arguments.seed, say=log.info)
    _report(arguments, result)


def _edits(arguments: argparse.Namespace) -> None:
    from geng_export.evaluate.captioned import captioned_windows
    from geng_export.evaluate.edits import measure

    held = captioned_windows(arguments.data, "development", arguments.windows)
    result = measure(_generator(arguments), held, seed=arguments.seed, say=log.info)
    _report(arguments, result)


def _devices(arguments: argparse.Namespace) -> None:
    from geng_export.evaluate.devices import measure

    result = measure(
        _generator(arguments), count=arguments.devices, seed=arguments.seed, say=log.info
    )
    _report(arguments, result)


def _unconditional(arguments: argparse.Namespace) -> None:
    from geng_export.evaluate.unconditional import measure

    result = measure(
        arguments.data,
        arguments.length,
        seconds=arguments.train_seconds,
        windows=arguments.windows,
        repeats=arguments.repeats,
        seed=arguments.seed,
        drawn=arguments.drawn,
        say=log.info,
    )
    _report(arguments, result)


def _all(arguments: argparse.Namespace) -> None:
    from geng_export.evaluate import page, pictures
    from geng_export.evaluate.captioned import captioned_windows

    page.measure_all(
        main, arguments.data, arguments.docs, arguments.model, arguments.exact, arguments.again
    )
    generator = _generator(arguments)
    images = arguments.docs / "images"
    images.mkdir(parents=True, exist_ok=True)
    pictures.by_task(generator, descriptions("development", 4), images / "by_task.png")
    held = captioned_windows(arguments.data, "development", 40)
    pictures.real_beside_generated(generator, held, images / "real_beside_generated.png")
    page.write(arguments.docs)


def _analyser(arguments: argparse.Namespace) -> None:
    from geng_edge.analysis.analyser import analyse
    from geng_export.evaluate import truth
    from geng_export.evaluate.conformity import judge

    right: dict[str, list[float]] = defaultdict(list)
    for task in truth.TASKS:
        rng = np.random.default_rng((arguments.seed, task))
        for _ in range(arguments.series):
            known = truth.draw(rng, task, arguments.length)
            for column, figure in judge(analyse(known.x), known.claims).items():
                right[column].append(figure)
    for column, figures in right.items():
        print(f"{column:12} {100 * np.mean(figures):7.2f} %   over {len(figures)} series")


def _reconstruction(arguments: argparse.Namespace) -> None:
    from geng_export.evaluate.reconstruction import measure

    result = measure(_generator(arguments).model, arguments.data, per_file=arguments.per_file)
    _kept(arguments, json.dumps(result.figures, indent=1))
    print(result.to_markdown())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m geng_export.evaluate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, run: object, help: str) -> argparse.ArgumentParser:  # noqa: A002
        made = commands.add_parser(name, help=help)
        made.set_defaults(run=run)
        return made

    conformity = command("conformity", _conformity, "the columns of the paper's Table II")
    conformity.add_argument("--steps", type=int, default=DEFAULT_STEPS)
    conformity.add_argument("--solver", choices=SOLVERS, help="default: as sample")
    conformity.add_argument("--guidance", type=float, help="default: as sample")
    conformity.add_argument("--length", type=int, default=512, help="steps of each series")
    add_backend(conformity)
    conformity.add_argument(
        "--no-numbers",
        action="store_true",
        help="ablation: number channels of the condition emptied",
    )
    conformity.add_argument(
        "--guidance-interval",
        type=float,
        nargs=2,
        default=DEFAULT_INTERVAL,
        metavar=("LOW", "HIGH"),
    )
    reading = command("reading", _reading, "whether descriptions are read right; nothing is drawn")
    reading.add_argument("--split", choices=READING_SPLITS, default="tuning")
    reading.add_argument(
        "--misread",
        action="store_true",
        help="show the texts, and what was read; not of paraphrases",
    )
    verify = command("verify", _verify, "the same columns with and without --verify")
    verify.add_argument("--candidates", type=int, default=DEFAULT_CANDIDATES)
    few = command("few-steps", _few_steps, "student and teacher at fewer and fewer evaluations")
    few.add_argument("--paired", type=int, default=2000, help="series for the Frechet distance")
    for one in (conformity, verify):
        one.add_argument("--split", choices=SPLITS, default="development")
    for one in (conformity, reading, verify, few):
        one.add_argument("--descriptions", type=int, default=200)
    for one in (conformity, verify, few):
        one.add_argument("--samples", type=int, default=20)
    table = command("fidelity", _fidelity, "the paper's Table III, on captioned real windows")
    table.add_argument("--seeds", type=int, default=3)
    table.add_argument(
        "--baseline-seconds", type=float, default=900.0, help="training of each baseline; 0: none"
    )
    copies = command("copies", _copies, "whether generated windows copy training windows")
    for one in (table, copies):
        one.add_argument("--windows", type=int, default=1000, help="real windows of each kind")
    long = command("chains", _chains, "whether long series stay steady, and their seams hidden")
    long.add_argument("--chains", type=int, default=50)
    long.add_argument("--length", type=int, default=10_000)
    two = command("two-stage", _two_stage, "the paper's Table IV: real windows as examples")
    two.add_argument("--windows", type=int, default=400, help="real windows")
    completed = command("completion", _completed, "gaps and futures of real windows")
    completed.add_argument("--windows", type=int, default=400, help="real windows")
    edits = command("edits", _edits, "editing real windows by text")
    edits.add_argument("--windows", type=int, default=100, help="real windows")
    devices = command("devices", _devices, "three channels generated together")
    devices.add_argument("--devices", type=int, default=40, help="devices of each kind")
    alone = command("unconditional", _unconditional, "ETTh1 by the protocol of Diffusion-TS")
    alone.add_argument("--length", type=int, default=24, help="24 or 256")
    alone.add_argument("--train-seconds", type=float, default=900.0)
    alone.add_argument("--windows", type=int, default=5000, help="drawn, and real beside them")
    alone.add_argument("--repeats", type=int, default=5, help="times the judges are trained")
    alone.add_argument("--drawn", type=Path, help="keeps what was drawn, to go on from (.npz)")
    analyser = command("analyser", _analyser, "the analyser on series of known truth")
    analyser.add_argument("--series", type=int, default=300, help="series a task")
    analyser.add_argument("--length", type=int, default=512, help="steps of each series")
    rebuilt = command("reconstruction", _reconstruction, "real windows through E_y and D_y")
    rebuilt.add_argument("--per-file", type=int, default=20, help="windows taken from a file")
    everything = command("all", _all, "every measure, and docs/evaluation.md from their results")
    everything.add_argument("--docs", type=Path, default=Path("docs"))
    everything.add_argument(
        "--exact", type=Path, help="the same model in float32 (export --precision)"
    )
    everything.add_argument("--again", action="store_true", help="also what has a result already")
    for one in (table, copies, two, completed, edits, alone, rebuilt, everything):
        one.add_argument("--data", type=Path, required=True, help="folder with a manifest")
    for one in (
        conformity,
        reading,
        verify,
        few,
        table,
        copies,
        long,
        two,
        edits,
        devices,
        rebuilt,
        everything,
    ):
        one.add_argument("--model", type=Path, help="default: the bundled model")
        one.add_argument("--precision", default="int8")
        one.add_argument("--threads", type=int, default=0)
    for one in (
        conformity, reading, verify, few, table, copies, long, two, completed, edits, devices, alone, rebuilt,
    ):  # fmt: skip
        one.add_argument("--out", type=Path, help="also write JSON")
    for one in (
        conformity,
        reading,
        verify,
        few,
        copies,
        long,
        two,
        completed,
        edits,
        devices,
        alone,
        analyser,
    ):
        one.add_argument("--seed", type=int, default=0)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        arguments.run(arguments)
    except GengError as error:
        log.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
