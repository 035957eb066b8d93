"""Train the series encoder's network on composed windows, whose structure is known."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from geng_export.data.compose import compose
from geng_export.data.scenarios import SCENARIOS
from geng_export.models import layout as at
from geng_export.models import series_encoder as enc
from geng_export.models.layout import Layout
from geng_export.train.recipe import Recipe

log = logging.getLogger(__name__)


class _Windows(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """Normalised composed windows and the structures behind them."""

    def __init__(self, layout: Layout, seed: int, size: int) -> None:
        self.layout, self.seed, self.size = layout, seed, size

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        worker = get_worker_info()
        rng = np.random.default_rng((self.seed, 77, worker.id if worker else 0))
        known = [s for s in SCENARIOS if s.split == "train"]
        while True:
            xs, structures = [], []
            for _ in range(self.size):
                scenario = (
                    known[int(rng.integers(len(known)))] if known and rng.random() < 0.4 else None
                )
                made = compose(rng, self.layout, scenario, int(rng.integers(1, 5)))
                xs.append(enc.normalised(made.series)[0])
                structures.append(made.structure)
            yield torch.tensor(np.stack(xs)).float(), torch.tensor(np.stack(structures)).float()


def period_class(period: torch.Tensor) -> torch.Tensor:
    """Class of a period in steps."""
    share = (period / enc.PERIOD_LEAST).log() / math.log(enc.PERIOD_MOST / enc.PERIOD_LEAST)
    return (share * (enc.PERIOD_CLASSES - 1)).round().long().clamp(0, enc.PERIOD_CLASSES - 1)


def loss_of(scores: torch.Tensor, structure: torch.Tensor) -> torch.Tensor:
    """Cross-entropies of periods, events and positions; absolute errors of width and size."""
    total = scores.new_zeros(())
    width = enc.PERIOD_CLASSES + 1
    for slot, token in enumerate((at.SEASON_1, at.SEASON_2)):
        own = scores[:, slot * width : (slot + 1) * width]
        present = structure[:, token, at.AMPLITUDE] > 0
        total = total + F.binary_cross_entropy_with_logits(own[:, -1], present.float())
        if present.any():
            target = period_class(structure[present, token, at.PERIOD])
            total = total + F.cross_entropy(own[present, :-1], target)
    return total + _event_loss(scores[:, 2 * width :], structure[:, at.EVENTS])


def _event_loss(scores: torch.Tensor, events: torch.Tensor) -> torch.Tensor:
    total = scores.new_zeros(())
    slot = scores.shape[1] // at.EVENTS_PER_SERIES
    kinds = len(at.EVENT_KINDS)
    for i in range(at.EVENTS_PER_SERIES):
        own = scores[:, i * slot : (i + 1) * slot]
        row = events[:, i * at.EVENT_WIDTH : (i + 1) * at.EVENT_WIDTH]
        kind = row[:, :kinds].argmax(dim=1)
        total = total + F.cross_entropy(own[:, :kinds], kind)
        there = kind > 0
        if there.any():
            place = (row[there, at.EVENT_POSITION] * enc.POSITION_CLASSES).long()
            place = place.clamp(0, enc.POSITION_CLASSES - 1)
            total = total + F.cross_entropy(own[there, kinds : kinds + enc.POSITION_CLASSES], place)
            total = total + (own[there, -2] - row[there, at.EVENT_LOG_WIDTH]).abs().mean()
            total = total + (own[there, -1] - row[there, at.EVENT_SIZE]).abs().mean()
    return total


def train_encoder(recipe: Recipe, layout: Layout) -> enc.SeriesEncoder:
    """Train from scratch; some ten minutes on a CPU."""
    torch.manual_seed(recipe.seed)
    network = enc.SeriesEncoder(layout.window)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, max(recipe.encoder_steps, 10))
    stream = _Windows(layout, recipe.seed, recipe.batch)
    drawn = iter(DataLoader(stream, batch_size=None, num_workers=recipe.workers))
    for step in range(recipe.encoder_steps):
        x, structure = next(drawn)
        loss = loss_of(network(x), structure)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if (step + 1) % 100 == 0:
            log.info("encoder step %d: loss %.3f", step + 1, loss)
    return network.eval()
