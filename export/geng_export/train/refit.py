"""Go on with a model's bridge and student where its text side, or what is composed, has changed.

``python -m geng_export.train.refit --model FILE --data FOLDER --out FOLDER`` takes a model file and trains
its bridge, then its student, on the mixture of its recipe: composed series and, with ``--data``, real
windows. Text side, readers and series encoder stay as they are. Numbers of the events that the mixture
spreads wider than the model has them are scaled anew: a kind that a slot never held had no scale at all.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import logging
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from geng_export import console
from geng_export.data.dataset import Mixture, Source
from geng_export.models import layout as at
from geng_export.models.bundle import Bundle
from geng_export.models.decoder import Decoder
from geng_export.targets import gguf
from geng_export.targets.read_gguf import load_bundle
from geng_export.train.bridge import LEAST_STD
from geng_export.train.finetune import adapt, gentle
from geng_export.train.real import analysed_windows
from geng_export.train.recipe import MOST_SEED, TWO_KINDS, check_whole

log = logging.getLogger("geng_export.train")

STEPS, STUDENT_STEPS = 900, 450
#: Averaged over a few hundred steps of a gentle course.
EMA = 0.995
#: A number of the events is scaled anew where its spread over so many examples is larger by this factor.
EXAMPLES, WIDER = 4000, 1.25


def refit(
    model: Path | None,
    out: Path,
    *,
    data: Path | None = None,
    steps: int = STEPS,
    student_steps: int = STUDENT_STEPS,
    seed: int = 0,
    card: dict[str, object] | None = None,
    float32: Path | None = None,
) -> Path:
    """Train, resumable from ``out``; returns the new model file there.

    Args:
        model: A model file; the bundled one by default. It stays as it is.
        out: Checkpoints and ``model.gguf``.
        data: Folder of real series with a manifest; without it all series are composed.
        steps, student_steps: Of the bridge and of its student, about 1.2 s each on one core.
        seed: Of the examples and the noise.
        card: Put into the file beside what was done; a finished run takes a new one without training.
        float32: Written too where it is given: the same model with nothing quantised but what the text
            side of ``model`` was, to compare.

    Raises:
        ExportError: A number is out of range, the model cannot be trained on, or ``out`` is of another
            model, seed or data, or of more steps.
    """
    from geng_edge.generator import find_model

    check_whole("steps", steps, 1)
    check_whole("student_steps", student_steps, 1)
    check_whole("seed", seed, 0, MOST_SEED)
    path = find_model(model)
    bundle = load_bundle(path)
    out.mkdir(parents=True, exist_ok=True)
    pool = None
    summed = hashlib.sha256(path.read_bytes())
    if data is not None:
        pool = analysed_windows(str(data), bundle.layout, bundle.encoder, out / "real.npz")
        summed.update(np.ascontiguousarray(pool.structures).tobytes())
    summed.update(str(seed).encode())
    recipe = replace(gentle(bundle, steps, student_steps, seed), ema=EMA, two_kinds=TWO_KINDS)
    real = recipe.real_share if pool is not None else 0.0
    mixture = Mixture(recipe.abstract_share, real, two_kinds=recipe.two_kinds)
    source = Source(bundle.layout, mixture, seed + 13, pool)
    scaled = replace(bundle, decoder=_scaled(bundle, source))
    made, seconds = adapt(scaled, recipe, source, out, summed.hexdigest())
    report = {
        "model": path.name, "real_windows": 0 if pool is None else len(pool.claims), "steps": steps,
        "student_steps": student_steps, "seed": seed, "training_seconds": round(seconds),
    }  # fmt: skip
    card = {**(card or {}), "refitted": report}
    gguf.write(made, out / "model.gguf", card=card, rest=path, trained=gguf.NETWORKS)
    if float32 is not None:
        gguf.write(made, float32, int8=False, card=card)
    return out / "model.gguf"


def _scaled(bundle: Bundle, source: Source) -> Decoder:
    """The decoder with mean and spread of what the mixture has of events, where that is wider or new."""
    tokenizer = bundle.expert.tokenizer
    rows = np.stack([source.example(0, i, tokenizer).raw for i in range(EXAMPLES)])
    seen = torch.from_numpy(np.clip(rows.astype(np.float64), -8.0, 8.0))
    mean, std = seen.mean(dim=0).float(), seen.std(dim=0, correction=0).float()
    decoder = copy.deepcopy(bundle.decoder)
    unused = (decoder.mean == 0.0) & (decoder.std == 1.0)
    wider = torch.where(unused, std > LEAST_STD, std > WIDER * decoder.std)
    wider[torch.arange(len(wider)) != at.EVENTS] = False
    log.info("%d numbers of the events are scaled anew", int(wider.sum()))
    decoder.mean.copy_(torch.where(wider, mean, decoder.mean))
    decoder.std.copy_(torch.where(wider, std, decoder.std))
    return decoder


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m geng_export.train.refit", description=__doc__)
    parser.add_argument("--model", type=Path, help="default: the bundled model")
    parser.add_argument("--out", type=Path, required=True, help="folder of the new one; resumed")
    parser.add_argument("--data", type=Path, help="folder of real series with a manifest")
    parser.add_argument("--steps", type=int, default=STEPS, help="of the bridge")
    parser.add_argument("--student-steps", type=int, default=STUDENT_STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--card", type=Path, help="evaluation card (JSON) to put into the file")
    parser.add_argument("--float32", type=Path, metavar="FILE", help="write it unquantised, too")
    arguments = parser.parse_args(argv)

    def command() -> None:
        refit(
            arguments.model,
            arguments.out,
            data=arguments.data,
            steps=arguments.steps,
            student_steps=arguments.student_steps,
            seed=arguments.seed,
            card=gguf.read_card(arguments.card),
            float32=arguments.float32,
        )

    return console.run(command, log)


if __name__ == "__main__":
    sys.exit(main())
