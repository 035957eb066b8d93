"""Recipes: everything that decides a training run, in one YAML file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import yaml

from geng_export.errors import ExportError

#: Recipe.two_kinds of a model that is to draw such pairs.
TWO_KINDS = 0.3
#: Of every generator that a seed goes to, with room for what is added to it.
MOST_SEED = 2**62


def check_whole(name: str, value: int, least: int, most: int | None = None) -> None:
    """Refuse a number that is out of range.

    Raises:
        ExportError: It is less than ``least`` or more than ``most``.
    """
    if value < least or (most is not None and value > most):
        bounds = f"{least} or more" if most is None else f"{least} to {most}"
        raise ExportError(f"{name} is {value}; it must be {bounds}")


@dataclass(frozen=True)
class Recipe:
    """A training run.

    Attributes:
        preset: Sizes, see :mod:`geng_export.models.presets`.
        text_expert: Where f comes from: ``minilm``, a folder, or a hub name.
        text_layers: Layers of f that are kept.
        seed: Of data, initialisation and noise.
        batch: Examples in a batch.
        noises: Noise levels that bridge and student are trained at for each example of a batch.
        steps: Optimiser steps of the bridge; the learning rate falls to zero at the last.
        learning_rate, warmup, weight_decay: AdamW's.
        ema: Decay of the averaged weights that are exported.
        residual_weight: Weight of the residual tokens in the loss. No description speaks of them, and
            only real windows have any, so at full weight they drown what is spoken of.
        drop_condition: Probability that the guidance signal is dropped (Ho and Salimans 2022).
        swap_words: Probability that the words are another example's, while frame and claims stay: what
            the readers make of the words then outweighs them, and they add what is not claimed.
        text_steps, text_batch, text_learning_rate: Of f's layers, which are tuned together with
            the number reader and the claims reader.
        encoder_steps: Optimiser steps of the series encoder.
        student_steps, student_learning_rate, student_ema: Of the student distilled from the bridge.
        student_grid: Noise levels that the student is made consistent over.
        student_guidance: w that is distilled into it.
        real_share, abstract_share: Shares of the mixture; the rest is composed from scenarios.
        two_kinds: Of the composed windows with an event, those with another of another kind.
        data: Folder of real series with a manifest, or empty for composed series alone.
        bf16: Mixed precision.
        workers: Processes that draw examples.
        save_every: Steps between checkpoints.
    """

    preset: str = "edge"
    text_expert: str = "minilm"
    text_layers: int = 3
    seed: int = 0
    batch: int = 64
    noises: int = 2
    steps: int = 8000
    learning_rate: float = 8e-4
    warmup: int = 300
    weight_decay: float = 0.01
    ema: float = 0.999
    residual_weight: float = 0.3
    drop_condition: float = 0.1
    swap_words: float = 0.25
    text_steps: int = 2400
    text_batch: int = 64
    text_learning_rate: float = 1e-4
    encoder_steps: int = 3000
    student_steps: int = 1200
    student_learning_rate: float = 2e-4
    student_ema: float = 0.99
    student_grid: int = 16
    student_guidance: float = 1.5
    real_share: float = 0.15
    abstract_share: float = 0.45
    two_kinds: float = 0.0
    data: str = ""
    bf16: bool = True
    workers: int = 1
    save_every: int = 200

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """Read a recipe.

        Raises:
            ExportError: The file is missing, no mapping, or names an unknown setting.
        """
        try:
            values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise ExportError(f"{path}: {error}; it must be a recipe in YAML") from error
        known = {f.name for f in fields(cls)}
        if not isinstance(values, dict) or not set(values) <= known:
            raise ExportError(
                f"{path}: it must be a mapping with keys among {', '.join(sorted(known))}"
            )
        return cls(**values)

    def save(self, path: str | Path) -> None:
        """Write the recipe beside the model that it makes."""
        Path(path).write_text(yaml.safe_dump(self.__dict__, sort_keys=False), encoding="utf-8")
