"""What each command of ``python -m geng_export.evaluate`` measures, keeps and prints."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_edge.cli.backend import backend_of
from geng_edge.errors import ArgumentError
from geng_edge.files import whole
from geng_edge.request import DEFAULT_GUIDANCE
from geng_export.evaluate.drawing import UNSEEN, Way, descriptions, draw

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

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
        "sha256": _weights(generator),
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


def _print_and_keep(arguments: argparse.Namespace, tables: str, kept: str) -> None:
    """Print tables, then keep JSON where that is asked: what took hours is shown even so."""
    print(tables, flush=True)
    if arguments.out is not None:
        with whole(arguments.out) as file:
            file.write(f"{kept}\n".encode())


def _weights(generator: Generator) -> str:
    """What a result records to say whose it is."""
    return generator.model.fingerprint[:16]


def _report(arguments: argparse.Namespace, result: Any, generator: Generator | None = None) -> None:
    """Print a result's tables, and keep it as JSON, with whose it is, where that is asked."""
    of = {"sha256": _weights(generator)} if generator is not None else {}
    kept = json.dumps({**of, **result.to_dict()}, indent=1)
    _print_and_keep(arguments, result.to_markdown(), kept)


def conformity(arguments: argparse.Namespace) -> None:
    """The columns of the paper's Table II."""
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
    _print_and_keep(arguments, result.to_markdown(), result.to_json())


def reading(arguments: argparse.Namespace) -> None:
    """Whether descriptions are read right; nothing is drawn."""
    from geng_export.evaluate.reading import measure

    if arguments.misread and arguments.split in UNSEEN:
        raise ArgumentError(
            f"split is {arguments.split}; it must be another where misread texts are shown"
        )
    generator = _generator(arguments)
    facts: dict[str, object] = {
        "model": Path(generator.path).name,
        "sha256": _weights(generator),
        "split": arguments.split,
        "seed": arguments.seed,
    }
    asked = descriptions(arguments.split, arguments.descriptions, arguments.seed)
    result = measure(generator, asked, facts)
    _report(arguments, result)
    for one in result.misread if arguments.misread else ():
        print(f"\n{one.text}\n  misread: {', '.join(one.fields)}\n  {one.read}")


def verify(arguments: argparse.Namespace) -> None:
    """The same columns with and without --verify."""
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
    tables = f"{before.to_markdown()}\n\n{after.to_markdown()}"
    _print_and_keep(arguments, tables, json.dumps(both, indent=1))


def few_steps(arguments: argparse.Namespace) -> None:
    """Student and teacher at fewer and fewer evaluations."""
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
    _report(arguments, result, generator)


def fidelity(arguments: argparse.Namespace) -> None:
    """The paper's Table III, on captioned real windows."""
    from geng_export.evaluate.captioned import captioned_windows, sentence_expert
    from geng_export.evaluate.fidelity import measure
    from geng_export.evaluate.kept import Kept
    from geng_export.evaluate.systems import systems

    generator = _generator(arguments)
    facts = {"sha256": _weights(generator), "baseline_seconds": arguments.baseline_seconds}
    settings = {"windows": arguments.windows, "precision": arguments.precision, **facts}
    kept = Kept(arguments.kept, settings)
    sentence_expert()  # may not be installed; captions take minutes
    known = captioned_windows(arguments.data, "train", MOST_TRAINING_WINDOWS)
    train, held = (
        known[: arguments.windows],
        captioned_windows(arguments.data, "development", arguments.windows),
    )

    result = measure(
        systems(generator, known, train, arguments.baseline_seconds),
        known,
        train,
        held,
        seeds=arguments.seeds,
        kept=kept,
        say=log.info,
    )
    text = json.dumps({**result.to_dict(), **facts}, indent=1)
    _print_and_keep(arguments, result.to_markdown(), text)


def copies(arguments: argparse.Namespace) -> None:
    """Whether generated windows copy training windows."""
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
    _report(arguments, result, generator)


def chains(arguments: argparse.Namespace) -> None:
    """Whether long series stay steady, and their seams hidden."""
    from geng_export.evaluate.chains import measure

    generator = _generator(arguments)
    result = measure(
        generator,
        count=arguments.chains,
        length=arguments.length,
        seed=arguments.seed,
        say=log.info,
    )
    _report(arguments, result, generator)


def two_stage(arguments: argparse.Namespace) -> None:
    """The paper's Table IV: real windows as examples."""
    from geng_export.evaluate.captioned import captioned_windows
    from geng_export.evaluate.two_stage import measure

    held = captioned_windows(arguments.data, "development", arguments.windows)
    generator = _generator(arguments)
    result = measure(generator, held, seed=arguments.seed, say=log.info)
    _report(arguments, result, generator)


def completed(arguments: argparse.Namespace) -> None:
    """Gaps and futures of real windows."""
    from geng_export.evaluate.captioned import captioned_windows
    from geng_export.evaluate.completed import measure

    held = captioned_windows(arguments.data, "development", arguments.windows)
    result = measure(held, seed=arguments.seed, say=log.info)
    _report(arguments, result)


def edits(arguments: argparse.Namespace) -> None:
    """Editing real windows by text."""
    from geng_export.evaluate.captioned import captioned_windows
    from geng_export.evaluate.edits import measure

    held = captioned_windows(arguments.data, "development", arguments.windows)
    generator = _generator(arguments)
    result = measure(generator, held, seed=arguments.seed, say=log.info)
    _report(arguments, result, generator)


def devices(arguments: argparse.Namespace) -> None:
    """Three channels generated together."""
    from geng_export.evaluate.devices import measure

    generator = _generator(arguments)
    result = measure(generator, count=arguments.devices, seed=arguments.seed, say=log.info)
    _report(arguments, result, generator)


def unconditional(arguments: argparse.Namespace) -> None:
    """ETTh1 by the protocol of Diffusion-TS."""
    from geng_export.evaluate.unconditional import measure

    result = measure(
        arguments.data,
        arguments.length,
        seconds=arguments.train_seconds,
        windows=arguments.windows,
        repeats=arguments.repeats,
        seed=arguments.seed,
        kept=arguments.kept,
        say=log.info,
    )
    _report(arguments, result)


def everything(main: Callable[[list[str]], int], arguments: argparse.Namespace) -> None:
    """Every measure that has no result of this model, and docs/evaluation.md from all results."""
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


def analyser(arguments: argparse.Namespace) -> None:
    """The analyser on series of known truth."""
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


def reconstruction(arguments: argparse.Namespace) -> None:
    """Real windows through E_y and D_y."""
    from geng_export.evaluate.reconstruction import measure

    generator = _generator(arguments)
    result = measure(generator.model, arguments.data, per_file=arguments.per_file)
    kept = {"sha256": _weights(generator), **result.figures}
    _print_and_keep(arguments, result.to_markdown(), json.dumps(kept, indent=1))
