"""``python -m geng_export.train.finetune --data FOLDER --out FOLDER``: a model, adapted to own series.

The bridge, and then its student, are trained on with the user's windows beside composed series, which
keep what the model knows of words; text side, readers and series encoder stay as they are. Three quarters
of an hour on two cores. The last quarter of every file is held back: on its windows, and on development
descriptions, the model is measured before and after.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from geng_edge.files import whole
from geng_export import console
from geng_export.data.dataset import Mixture, Source
from geng_export.errors import ExportError
from geng_export.evaluate.adapted import LEAST_HELD
from geng_export.models.bundle import Bundle
from geng_export.targets import gguf
from geng_export.targets.read_gguf import load_bundle
from geng_export.train import checkpoint
from geng_export.train.batches import batches
from geng_export.train.bridge import BridgeTrainer, Course, Scale
from geng_export.train.own import own_windows, pool_of
from geng_export.train.recipe import MOST_SEED, Recipe, check_whole
from geng_export.train.student import StudentTrainer
from geng_export.train.text import TextSide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geng_edge.claims import Claims
    from geng_export.data.real import RealWindow
    from geng_export.models.bridge import Bridge

log = logging.getLogger("geng_export.train.finetune")

#: Of a short run on a trained model: gentle, and averaged over little.
LEARNING_RATE, WARMUP, EMA = 3e-4, 20, 0.99
STEPS, STUDENT_STEPS, BATCH, NOISES = 1200, 600, 48, 3
OWN_SHARE = 0.5


def gentle(bundle: Bundle, steps: int, student_steps: int, seed: int) -> Recipe:
    """The recipe of a short run on a trained model."""
    return replace(
        bundle.recipe,
        seed=seed,
        batch=BATCH,
        noises=NOISES,
        steps=steps,
        learning_rate=LEARNING_RATE,
        warmup=WARMUP,
        ema=EMA,
        student_steps=student_steps,
        student_learning_rate=LEARNING_RATE,
    )


def recipe_for(bundle: Bundle, steps: int, student_steps: int, seed: int) -> Recipe:
    """The recipe of a run on ``bundle`` with own windows."""
    return replace(
        gentle(bundle, steps, student_steps, seed),
        real_share=OWN_SHARE,
        # Its own windows have details that no text speaks of, and they are what is to be learnt.
        residual_weight=1.0,
        # Words of a composed series with an own window's claims would say that the words do not matter.
        swap_words=0.0,
    )


def adapt(
    bundle: Bundle, recipe: Recipe, source: Source, folder: Path, run: str
) -> tuple[Bundle, float]:
    """Train bridge and student on; both resume from ``folder``.

    Args:
        bundle: The model to start from; left as it is.
        recipe: Of :func:`gentle` or :func:`recipe_for`.
        source: What to train on; own windows are its pool.
        folder: Checkpoints go there.
        run: Names model, data and seed, see :func:`_run_of`.

    Returns:
        The new model, and the seconds that its training took, over all calls.

    Raises:
        ExportError: The model has no claims reader, or ``folder`` is of another run.
    """
    if bundle.claims is None:
        raise ExportError("model has no claims reader; it must have one to be trained on")
    side = TextSide(bundle.expert, bundle.reader, bundle.claims)
    mean, std = bundle.decoder.mean.clone(), bundle.decoder.std.clone()
    scale = Scale(mean, std, 1.0 - ((mean == 0.0) & (std == 1.0)).float())
    bridge = _copy(bundle.bridge)
    course = Course(recipe.steps, recipe.learning_rate, recipe.warmup, recipe.ema)
    path = folder / "bridge.safetensors"
    trainer = BridgeTrainer(recipe, bridge, side, scale, path, course, run)
    _run("bridge", trainer, source)
    seconds = trainer.seconds
    teacher = _copy(bundle.bridge)
    teacher.load_state_dict(trainer.average.weights)
    student = None
    if bundle.student is not None:
        path = folder / "student.safetensors"
        taught = f"{run} {checkpoint.sum_of(trainer.average.weights)}"
        _drop_of_another_teacher(path, run, taught)
        start = _copy(bundle.student)
        pupil = StudentTrainer(recipe, teacher, side, scale, path, start, taught)
        _run("student", pupil, replace(source, seed=source.seed + 1))
        seconds += pupil.seconds
        student = _copy(bundle.student)
        student.load_state_dict(pupil.average.weights)
    adapted = replace(bundle, recipe=recipe, bridge=teacher, student=student)
    adapted.freeze()
    return adapted, seconds


def _drop_of_another_teacher(path: Path, run: str, taught: str) -> None:
    """Where the bridge was trained on, its student starts anew."""
    if not path.exists():
        return
    before = str(checkpoint.load(path)[1].get("run", ""))
    if before != taught and before.startswith(f"{run} "):
        log.info("student starts anew: its teacher was trained on")
        path.unlink()


def _run_of(path: Path, windows: Sequence[RealWindow], claims: Sequence[Claims], seed: int) -> str:
    """What a run is of, as hexadecimal digits: the model, what it is adapted to, and the seed."""
    summed = hashlib.sha256(path.read_bytes())
    for window, said in zip(windows, claims, strict=True):
        summed.update(np.ascontiguousarray(window.x).tobytes())
        summed.update(f"{window.interval} {said}".encode())
    summed.update(str(seed).encode())
    return summed.hexdigest()


def _copy(bridge: Bridge) -> Bridge:
    made = type(bridge)(bridge.config)
    made.load_state_dict(bridge.state_dict())
    return made


def _run(name: str, trainer: BridgeTrainer, source: Source) -> None:
    trainer.resume()
    checkpoint.check_steps(trainer.path, trainer.step, trainer.course.steps)
    torch.manual_seed(trainer.recipe.seed + trainer.step)
    size = trainer.recipe.batch
    drawn = batches(
        source, trainer.side.expert.tokenizer, size, start=trainer.step * size, workers=1
    )
    began, before = time.monotonic(), trainer.seconds
    first, total = trainer.step, 0.0
    while trainer.step < trainer.course.steps:
        total += trainer.advance(next(drawn))
        done = trainer.step - first
        if done % 50 == 0 or trainer.step == trainer.course.steps:
            taken = time.monotonic() - began
            trainer.seconds = before + taken
            speed = done / taken
            log.info(
                "%s step %d: loss %.4f, %.2f a second", name, trainer.step, total / done, speed
            )
            trainer.save()


def finetune(
    model: Path | None,
    data: Path,
    out: Path,
    *,
    column: str | None = None,
    steps: int = STEPS,
    student_steps: int = STUDENT_STEPS,
    seed: int = 0,
    judge: bool = True,
) -> dict[str, object]:
    """Adapt ``model`` to the series of ``data``; writes ``out/model.gguf``.

    Args:
        model: A model file; the bundled one by default.
        data: Folder of CSV, .npy or JSON files.
        out: Checkpoints, the model and ``report.json`` go there; a run that was stopped goes on, also
            to more steps.
        column: Which column of each file; the first by default.
        steps, student_steps: Of the bridge and of its student.
        seed: Of data and noise.
        judge: Whether to measure before and after, which takes some twenty minutes.

    Returns:
        What stands in ``report.json``.

    Raises:
        ExportError: A number is out of range, the data do not do, the model cannot be trained on, or
            ``out`` is of another model, other data, another seed or more steps.
    """
    from geng_edge.generator import find_model

    check_whole("steps", steps, 1)
    check_whole("student_steps", student_steps, 1)
    check_whole("seed", seed, 0, MOST_SEED)
    path = find_model(model)
    bundle = load_bundle(path)
    windows = own_windows(data, bundle.layout.window, column, seed)
    log.info("%d windows to train on, %d held back", len(windows.train), len(windows.held))
    if judge and len(windows.held) < LEAST_HELD:
        raise ExportError(
            f"{len(windows.held)} windows are held back; it must be {LEAST_HELD} or more to measure by "
            "(--no-judge trains without)"
        )
    out.mkdir(parents=True, exist_ok=True)
    pool = pool_of(windows.train, bundle.layout, bundle.encoder)
    recipe = recipe_for(bundle, steps, student_steps, seed)
    mixture = Mixture(
        (1.0 - OWN_SHARE) * recipe.abstract_share, OWN_SHARE, two_kinds=recipe.two_kinds
    )
    source = Source(bundle.layout, mixture, seed + 11, pool)
    run = _run_of(path, windows.train, pool.claims, seed)
    adapted, seconds = adapt(bundle, recipe, source, out, run)
    report: dict[str, object] = {
        "model": path.name,
        "files": windows.files,
        "train_windows": len(windows.train),
        "held_windows": len(windows.held),
        "steps": steps,
        "student_steps": student_steps,
        "seed": seed,
        "training_seconds": round(seconds),
    }
    gguf.write(adapted, out / "model.gguf", card={"adapted": report})
    if judge:
        from geng_export.evaluate.adapted import compare

        said = pool_of(windows.held, bundle.layout, bundle.encoder).claims
        report |= compare(path, out / "model.gguf", windows, said, seed)
        gguf.write(adapted, out / "model.gguf", card={"adapted": report})
    with whole(out / "report.json") as file:
        file.write((json.dumps(report, indent=1) + "\n").encode())
    return report


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m geng_export.train.finetune", description=__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of own series")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; resumed")
    parser.add_argument("--model", type=Path, help="default: the bundled model")
    parser.add_argument("--column", help="which column of each file (default: the first)")
    parser.add_argument("--steps", type=int, default=STEPS, help="of the bridge")
    parser.add_argument("--student-steps", type=int, default=STUDENT_STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-judge", action="store_true", help="do not measure before and after")
    arguments = parser.parse_args(argv)

    def command() -> None:
        report = finetune(
            arguments.model,
            arguments.data,
            arguments.out,
            column=arguments.column,
            steps=arguments.steps,
            student_steps=arguments.student_steps,
            seed=arguments.seed,
            judge=not arguments.no_judge,
        )
        sys.stdout.write(json.dumps(report, indent=1) + "\n")

    return console.run(command, log)


if __name__ == "__main__":
    sys.exit(main())
