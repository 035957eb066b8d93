"""``python -m geng_export.train --recipe edge --out FOLDER``: train a model, or go on training it."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from geng_export import console
from geng_export.data.dataset import Mixture, RealPool, Source
from geng_export.models.bridge import Bridge
from geng_export.models.layout import Layout
from geng_export.models.presets import preset
from geng_export.models.series_encoder import SeriesEncoder
from geng_export.models.text_expert import TextExpert
from geng_export.train import checkpoint
from geng_export.train.batches import batches
from geng_export.train.bridge import LEAST_STD, BridgeTrainer, Scale
from geng_export.train.encoder import train_encoder
from geng_export.train.real import analysed_windows
from geng_export.train.recipe import Recipe
from geng_export.train.student import StudentTrainer
from geng_export.train.text import TextSide, TextTrainer, train_text_side

log = logging.getLogger("geng_export.train")

SCALE_EXAMPLES = 6000


def _recipe(argument: str) -> Path:
    path = Path(argument)
    return path if path.suffix else Path(__file__).parent / "recipes" / f"{argument}.yaml"


def _trained_encoder(recipe: Recipe, layout: Layout, folder: Path) -> SeriesEncoder:
    path = folder / "encoder.safetensors"
    network = SeriesEncoder(layout.window)
    if path.exists():
        network.load_state_dict(checkpoint.load(path)[0], strict=False)
        return network.eval()
    network = train_encoder(recipe, layout)
    checkpoint.save(path, network.state_dict(), {"steps": recipe.encoder_steps})
    return network


def _trained_text_side(recipe: Recipe, source: Source, folder: Path) -> TextSide:
    side = TextSide.untrained(recipe)
    tokenizer = side.expert.tokenizer
    # Other examples than the bridge's; what is held back has wordings that nothing is trained on.
    own = replace(source, seed=source.seed + 1)
    drawn = batches(own, tokenizer, recipe.text_batch, workers=recipe.workers)
    tuning = batches(replace(own, split="tuning", pool=None), tokenizer, 64, workers=0)
    train_text_side(TextTrainer(recipe, side, folder / "text.safetensors"), drawn, tuning)
    return side


def _scale(source: Source, expert: TextExpert, folder: Path) -> Scale:
    """Mean and spread of the raw latent over a fixed number of examples."""
    path = folder / "scale.safetensors"
    if not path.exists():
        rows = np.stack(
            [source.example(0, i, expert.tokenizer).raw for i in range(SCALE_EXAMPLES)]
        ).astype(np.float64)
        rows = np.clip(rows, -8.0, 8.0)
        std = rows.std(axis=0)
        used = (std > 1e-7).astype(np.float32)
        std = np.where(used > 0, np.maximum(std, LEAST_STD), 1.0)
        tensors = {"mean": rows.mean(axis=0) * used, "std": std, "used": used}
        checkpoint.save(path, {n: torch.tensor(v).float() for n, v in tensors.items()}, {})
    tensors_read, _ = checkpoint.load(path)
    return Scale(tensors_read["mean"], tensors_read["std"], tensors_read["used"])


def _pool(recipe: Recipe, layout: Layout, encoder: SeriesEncoder, folder: Path) -> RealPool | None:
    if not recipe.data:
        return None
    return analysed_windows(recipe.data, layout, encoder, folder / "real.npz")


def _data_hash(recipe: Recipe, pool: RealPool | None) -> str:
    """What the model was trained on, as one sum: the recipe and the analysed real windows."""
    digest = hashlib.sha256(json.dumps(recipe.__dict__, sort_keys=True).encode())
    if pool is not None:
        digest.update(np.ascontiguousarray(pool.structures).tobytes())
    return digest.hexdigest()


def train(recipe: Recipe, folder: Path, minutes: float | None = None) -> None:
    """Train every part that is not there yet: text side, bridge, then the student.

    ``minutes`` bounds the bridge and the student, each; both resume.
    """
    sizes = preset(recipe.preset)
    encoder = _trained_encoder(recipe, sizes.layout, folder)
    pool = _pool(recipe, sizes.layout, encoder, folder)
    real = recipe.real_share if pool else 0.0
    mixture = Mixture(recipe.abstract_share, real, two_kinds=recipe.two_kinds)
    source = Source(sizes.layout, mixture, recipe.seed, pool)
    side = _trained_text_side(recipe, source, folder)
    if recipe.bf16:
        side.expert.to(torch.bfloat16)
    facts = {"data_sha256": _data_hash(recipe, pool), "seed": recipe.seed}
    (folder / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    torch.manual_seed(recipe.seed)
    trainer = BridgeTrainer(
        recipe,
        Bridge(sizes.bridge_for(side.expert.hidden)),
        side,
        _scale(source, side.expert, folder),
        folder / "bridge.safetensors",
    )
    trainer.resume()
    torch.manual_seed(recipe.seed + trainer.step)
    if not _run("bridge", trainer, source, minutes):
        return
    teacher = Bridge(sizes.bridge_for(side.expert.hidden))
    teacher.load_state_dict(trainer.average.weights)
    path = folder / "student.safetensors"
    student = StudentTrainer(recipe, teacher, side, trainer.scale, path)
    student.resume()
    torch.manual_seed(recipe.seed + student.step)
    _run("student", student, replace(source, seed=source.seed + 2), minutes)


def _run(name: str, trainer: BridgeTrainer, source: Source, minutes: float | None) -> bool:
    """Advance to the last step, or until the minutes are over; says whether it got there."""
    recipe, accelerator = trainer.recipe, trainer.accelerator
    drawn = batches(
        source,
        trainer.side.expert.tokenizer,
        recipe.batch,
        start=trainer.step * recipe.batch * accelerator.num_processes,
        workers=recipe.workers,
        rank=accelerator.process_index,
        ranks=accelerator.num_processes,
    )
    began, losses = time.monotonic(), []
    while trainer.step < trainer.course.steps:
        losses.append(trainer.advance(next(drawn)))
        if trainer.step % 50 == 0:
            speed = len(losses) * recipe.batch / (time.monotonic() - began)
            log.info(
                "%s step %d: loss %.4f, %.0f pairs/s",
                name,
                trainer.step,
                np.mean(losses[-50:]),
                speed,
            )
        if trainer.step % recipe.save_every == 0:
            trainer.save()
        if minutes is not None and time.monotonic() - began > minutes * 60:
            break
    trainer.save()
    return trainer.step >= trainer.course.steps


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m geng_export.train", description=__doc__)
    parser.add_argument("--recipe", default="edge", help="a name in train/recipes, or a YAML file")
    parser.add_argument(
        "--out", type=Path, required=True, help="training folder; resumed when it exists"
    )
    parser.add_argument("--data", help="folder of real series with a manifest, over the recipe's")
    parser.add_argument("--steps", type=int, help="bridge steps, over the recipe's")
    parser.add_argument("--minutes", type=float, help="stop (resumable) after this long")
    arguments = parser.parse_args(argv)

    def command() -> None:
        path = _recipe(arguments.recipe)
        recipe = Recipe.load(path)
        changed = {
            k: getattr(arguments, k) for k in ("data", "steps") if getattr(arguments, k) is not None
        }
        recipe = replace(recipe, **changed)
        arguments.out.mkdir(parents=True, exist_ok=True)
        recipe.save(arguments.out / "recipe.yaml")
        train(recipe, arguments.out, arguments.minutes)

    return console.run(command, log)


if __name__ == "__main__":
    sys.exit(main())
