"""Train the number reader: word pieces of a number -> the role that number plays."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import torch
from torch.nn import functional as F

from geng_export.models.number_reader import NumberReader
from geng_export.models.text_expert import TextExpert
from geng_export.train.batches import Batch
from geng_export.train.recipe import Recipe

log = logging.getLogger(__name__)


def condition_of(expert: TextExpert, batch: Batch) -> torch.Tensor:
    """Z_x of a batch: ``[batch, tokens, text + number width]``, float32."""
    text = expert(batch.ids, batch.mask).float()
    return torch.cat([text, batch.numbers], dim=-1) * batch.mask[..., None]


def train_reader(recipe: Recipe, expert: TextExpert, drawn: Iterator[Batch]) -> NumberReader:
    """Train from scratch; a few minutes on a CPU."""
    torch.manual_seed(recipe.seed)
    reader = NumberReader(expert.hidden)
    optimiser = torch.optim.AdamW(reader.parameters(), lr=3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, recipe.reader_steps)
    right, seen = 0, 0
    for step in range(recipe.reader_steps):
        batch = next(drawn)
        scores = reader(condition_of(expert, batch), batch.mask)
        loss = F.cross_entropy(scores.flatten(0, 1), batch.roles.flatten(), ignore_index=-1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        known = batch.roles >= 0
        right += int((scores.argmax(-1) == batch.roles)[known].sum())
        seen += int(known.sum())
        if (step + 1) % 50 == 0:
            log.info(
                "reader step %d: loss %.4f, pieces right %.4f", step + 1, loss, right / max(seen, 1)
            )
            right, seen = 0, 0
    return reader
