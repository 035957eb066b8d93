"""Teach the text expert more wordings while bridge and student stay as they are.

``python -m geng_export.train.reword --out FOLDER`` takes a model file and goes on with its text side
alone, in freer words than the rest was trained with. Of texts that the old text side reads right, the
condition is held where it was, so that a bridge trained on it still fits; of the others, the readers'
cross entropy moves it.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import logging
import sys
from dataclasses import replace
from pathlib import Path

import torch

from geng_export import console
from geng_export.data.dataset import Mixture, Source
from geng_export.errors import ExportError
from geng_export.models.claims_reader import SIZES
from geng_export.targets import gguf
from geng_export.targets.read_gguf import load_bundle
from geng_export.train import checkpoint
from geng_export.train.batches import Batch, batches
from geng_export.train.recipe import MOST_SEED, TWO_KINDS, Recipe, check_whole
from geng_export.train.text import TextSide, TextTrainer, condition_of, train_text_side

log = logging.getLogger("geng_export.train")

#: Of the squared distance to the old condition, in units of its variance, beside the readers' loss.
HELD = 20.0
STEPS = 800
BATCH = 64
LEARNING_RATE = 6e-5
SAVE_EVERY = 100


class Rewording(TextTrainer):
    """Goes on training ``side``, held by what it was."""

    def __init__(self, recipe: Recipe, side: TextSide, path: Path, run: str = "") -> None:
        self.old = copy.deepcopy(side)
        for module in self.old.parts().values():
            module.eval().requires_grad_(False)
        super().__init__(recipe, side, path, run)

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


def reword(
    model: Path | None,
    out: Path,
    steps: int = STEPS,
    seed: int = 0,
    batch: int = BATCH,
    card: dict[str, object] | None = None,
) -> Path:
    """Train, resumable from ``out``; returns the new model file there.

    Args:
        model: A model file; the bundled one by default. It stays as it is.
        out: Checkpoint and ``model.gguf``, in which all but the text side is the old file's, byte for
            byte. The old one's card is not taken over: it was measured on the old.
        steps: Optimiser steps, some 2 s each on one core.
        seed: Of the examples.
        batch: Texts a step.
        card: Put into the file beside what was done; a finished run takes a new one without training.

    Raises:
        ExportError: A number is out of range; the model has no claims reader, or is no int8 file of this
            project; or ``out`` is of another model, seed or batch, or of more steps.
    """
    from geng_edge.generator import find_model

    check_whole("steps", steps, 1)
    check_whole("batch", batch, 1)
    check_whole("seed", seed, 0, MOST_SEED)
    path = find_model(model)
    bundle = load_bundle(path)
    if bundle.claims is None:
        raise ExportError(f"{path} has no claims reader; it must have one to be trained on")
    out.mkdir(parents=True, exist_ok=True)
    side = TextSide(bundle.expert, bundle.reader, bundle.claims)
    for reader in (side.reader, side.claims):
        reader.train().requires_grad_(True)
    recipe = replace(
        bundle.recipe,
        seed=seed,
        text_steps=steps,
        text_batch=batch,
        text_learning_rate=LEARNING_RATE,
        save_every=SAVE_EVERY,
    )
    mixture = Mixture(recipe.abstract_share, 0.0, two_kinds=TWO_KINDS)
    source = Source(bundle.layout, mixture, seed + 101, split="free")
    tokenizer = side.expert.tokenizer
    run = hashlib.sha256(f"{seed} {batch}".encode() + path.read_bytes()).hexdigest()
    trainer = Rewording(recipe, side, out / "text.safetensors", run)
    trainer.resume()
    checkpoint.check_steps(trainer.path, trainer.step, steps)
    first = trainer.step * batch
    drawn = batches(source, tokenizer, batch, start=first, workers=1)
    tuning = batches(replace(source, split="tuning"), tokenizer, batch, workers=0)
    train_text_side(trainer, drawn, tuning)
    bundle.freeze()
    report = {"model": path.name, "steps": steps, "batch": batch, "seed": seed}
    gguf.write(bundle, out / "model.gguf", card={**(card or {}), "reworded": report}, rest=path)
    return out / "model.gguf"


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m geng_export.train.reword", description=__doc__)
    parser.add_argument("--model", type=Path, help="default: the bundled model")
    parser.add_argument("--out", type=Path, required=True, help="folder of the new one; resumed")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--card", type=Path, help="evaluation card (JSON) to put into the file")
    arguments = parser.parse_args(argv)

    def command() -> None:
        card = gguf.read_card(arguments.card)
        reword(arguments.model, arguments.out, arguments.steps, arguments.seed, card=card)

    return console.run(command, log)


if __name__ == "__main__":
    sys.exit(main())
