"""Teach the text expert more wordings while bridge and student stay as they are.

``python -m geng_export.train.reword --run RUN --out FOLDER`` copies a finished run and goes on with its
text side alone. Of texts that the old text side reads right, the condition is held where it was, so
that a bridge trained on it still fits; of the others, the readers' cross entropy moves it.
"""

from __future__ import annotations

import argparse
import copy
import logging
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import torch

from geng_export.data.dataset import Mixture, RealPool, Source
from geng_export.errors import ExportError
from geng_export.models.claims_reader import SIZES
from geng_export.models.presets import preset
from geng_export.models.series_encoder import SeriesEncoder
from geng_export.train import checkpoint
from geng_export.train.batches import Batch, batches
from geng_export.train.real import analysed_windows
from geng_export.train.recipe import Recipe
from geng_export.train.text import TextSide, TextTrainer, condition_of, train_text_side

log = logging.getLogger("geng_export.train")

#: Of the squared distance to the old condition, in units of its variance, beside the readers' loss.
HELD = 20.0
STEPS = 1000
LEARNING_RATE = 6e-5
#: What a finished run holds besides its text side and its recipe.
_REST = ("bridge", "encoder", "scale", "student")


class Rewording(TextTrainer):
    """Goes on training ``side``, held by what it was."""

    def __init__(self, recipe: Recipe, side: TextSide, path: Path) -> None:
        self.old = copy.deepcopy(side)
        for module in self.old.parts().values():
            module.eval().requires_grad_(False)
        super().__init__(recipe, side, path)

    def loss(self, batch: Batch) -> torch.Tensor:
        """The readers' cross entropy, and how far conditions that were read right have moved."""
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bf16):
            before = condition_of(self.old.expert, batch)
        right = read_right(self.old, before, batch)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bf16):
            now = condition_of(self.side.expert, batch)
        loss = self.reading_loss(now, batch)
        held = right[:, None] & batch.mask
        if held.any():
            moved = (now - before)[held].square().mean() / before[held].var().clamp_min(1e-6)
            loss = loss + HELD * moved
        return loss


@torch.no_grad()
def read_right(side: TextSide, condition: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Whether every number and every field of a text is read right: bool ``[batch]``."""
    roles = side.reader(condition, batch.mask).argmax(-1)
    numbers = ((roles == batch.roles) | (batch.roles < 0)).all(dim=1)
    parts = side.claims(condition, batch.mask).split(SIZES, dim=-1)
    given = torch.stack([part.argmax(-1) for part in parts], dim=-1)
    return numbers & (given == batch.answers).all(dim=1)


def reword(run: Path, out: Path, steps: int = STEPS, seed: int = 0) -> None:
    """Train, resumable from ``out``.

    Args:
        run: A finished run; it stays as it is.
        out: The new run.
        steps: Optimiser steps, 2.7 s each on a shared core with the default recipe.
        seed: Of the examples.

    Raises:
        ExportError: ``run`` is no finished run.
    """
    recipe = Recipe.load(run / "recipe.yaml")
    rest = [*(f"{name}.safetensors" for name in _REST), "facts.json"]
    rest += ["real.npz"] if recipe.data else []
    for name in (*rest, "text.safetensors"):
        if not (run / name).exists():
            raise ExportError(f"{run} has no {name}; it must be a finished run")
    out.mkdir(parents=True, exist_ok=True)
    for name in rest:
        if not (out / name).exists():
            shutil.copyfile(run / name, out / name)
    side = TextSide.untrained(recipe)
    side.load(checkpoint.load(run / "text.safetensors")[0])
    recipe.save(out / "recipe.yaml")
    recipe = replace(recipe, text_steps=steps, text_learning_rate=LEARNING_RATE)
    layout = preset(recipe.preset).layout
    source = Source(layout, _mixture(recipe), seed + 101, _pool(recipe, run))
    tokenizer = side.expert.tokenizer
    drawn = batches(source, tokenizer, recipe.text_batch, workers=recipe.workers)
    tuning = batches(replace(source, split="tuning", pool=None), tokenizer, 64, workers=0)
    trainer = Rewording(recipe, side, out / "text.safetensors")
    train_text_side(trainer, drawn, tuning)


def _mixture(recipe: Recipe) -> Mixture:
    return Mixture(recipe.abstract_share, recipe.real_share if recipe.data else 0.0)


def _pool(recipe: Recipe, run: Path) -> RealPool | None:
    if not recipe.data:
        return None
    layout = preset(recipe.preset).layout
    encoder = SeriesEncoder(layout.window)
    encoder.load_state_dict(checkpoint.load(run / "encoder.safetensors")[0], strict=False)
    return analysed_windows(recipe.data, layout, encoder.eval(), run / "real.npz")


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m geng_export.train.reword", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="a finished run")
    parser.add_argument("--out", type=Path, required=True, help="folder of the new one; resumed")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        reword(arguments.run, arguments.out, arguments.steps, arguments.seed)
    except ExportError as error:
        log.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
